// Whole servers on their own threads: what is asked of them from outside, from each other, and at their end.
#include "tidewire/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace tidewire {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

Options quiet(std::uint32_t shards = 1) {
  Options options;
  options.shards = shards;
  options.log_to_stderr = false;
  return options;
}

TEST(WholeServer, RunsOnce) {
  Server server(quiet());
  ASSERT_TRUE(server.start().ok());
  EXPECT_EQ(server.start().code(), StatusCode::kAlreadyExists);
  server.stop();
  server.wait();
  EXPECT_EQ(server.start().code(), StatusCode::kAlreadyExists);
}

TEST(WholeServer, MayTryAgainWhenThePortWasTaken) {
  auto first = std::make_unique<Server>(quiet());
  ASSERT_TRUE(first->start().ok());
  Options options = quiet();
  options.port = first->port();
  Server second(options);
  EXPECT_EQ(second.start().code(), StatusCode::kAlreadyExists);
  first.reset();
  EXPECT_TRUE(second.start().ok());
}

TEST(WholeServer, RunsWhatIsDueLaterOrNeverAndSurvivesWhatItThrows) {
  auto kept = std::make_shared<int>(1);
  {
    Server server(quiet());
    ASSERT_TRUE(server.start().ok());
    std::promise<void> ran;
    server.after(1, [] { throw std::runtime_error("on purpose"); });
    server.after(20, [&] { ran.set_value(); });
    server.after(1'000'000, [kept] { ADD_FAILURE(); });
    EXPECT_EQ(ran.get_future().wait_for(kPatience), std::future_status::ready);
    EXPECT_GT(kept.use_count(), 1);
  }
  EXPECT_EQ(kept.use_count(), 1) << "nothing is left of what never ran";
}

TEST(WholeServer, AnswersOnceForAPatternHoweverManyChildrenItHas) {
  Server server(quiet(2));
  const Result<Namespace> pattern = server.of_pattern("/room-.*");
  ASSERT_TRUE(pattern.ok());
  ASSERT_TRUE(server.start().ok());
  for (const char* name : {"", "/room-1", "/room-2"}) {
    if (*name != '\0') static_cast<void>(server.of(name));
    std::atomic<int> answers{0};
    std::promise<std::size_t> fetched;
    std::promise<std::size_t> asked;
    pattern->fetch_sockets().then([&](const std::vector<RemoteSocket>& sockets) {
      ++answers;
      fetched.set_value(sockets.size());
    });
    pattern->emit_with_ack("question").then([&](const BroadcastAnswers& all) {
      ++answers;
      asked.set_value(all.answers.size());
      throw std::runtime_error("on purpose: only logged");
    });
    for (auto* promise : {&fetched, &asked}) {
      auto answer = promise->get_future();
      ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
      EXPECT_EQ(answer.get(), 0u);
    }
    EXPECT_TRUE(server.statistics().listener_failures == 0);
    EXPECT_EQ(answers, 2);
  }
}

// The thread of one server's shard is a stranger to another server.
TEST(WholeServer, IsReachedFromAnotherServersShard) {
  Server small(quiet(1));
  Server large(quiet(3));
  ASSERT_TRUE(small.start().ok());
  ASSERT_TRUE(large.start().ok());
  std::promise<std::uint64_t> asked;
  std::promise<void> ran;
  large.after(1, [&] {
    small.emit("news", 1, "text");
    small.after(1, [&] { ran.set_value(); });
    small.gather_statistics().then([&](const ServerStatistics& seen) { asked.set_value(seen.held_bytes_max); });
  });
  EXPECT_EQ(ran.get_future().wait_for(kPatience), std::future_status::ready);
  auto answer = asked.get_future();
  ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
  EXPECT_GT(answer.get(), 0u);
}

TEST(WholeServer, LosesNothingThatIsPostedFromOutsideWhileItHangs) {
  constexpr int kTasks = 70'000;  // more than a mailbox takes
  Server server(quiet());
  ASSERT_TRUE(server.start().ok());
  std::promise<void> go_on;
  server.after(0, [wait = go_on.get_future().share()] { wait.wait(); });
  std::atomic<int> ran{0};
  for (int i = 0; i < kTasks; ++i) server.after(0, [&] { ++ran; });
  go_on.set_value();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (ran < kTasks && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(ran, kTasks);
}

}  // namespace
}  // namespace tidewire
