// Whole servers on their own threads: what is asked of them from outside, from each other, and at their end.
#include "tidewire/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/core.h"
#include "app/shard.h"

namespace tidewire {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

Options quiet(std::uint32_t shards = 1) {
  Options options;
  options.shards = shards;
  options.log_to_stderr = false;
  return options;
}

// An HTTP client with one kept connection.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { ::close(socket_); }

  void send(const std::string& path) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(::send(socket_, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  }
  // What comes, up to `end` at least.
  std::string upgrade(const std::string& path, std::string_view end = "\r\n\r\n") {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    EXPECT_EQ(::send(socket_, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    return receive([end](const std::string& answer) { return answer.find(end) != std::string::npos; });
  }
  // The answer, head and body; what came of it in time, when that is not all.
  std::string get(const std::string& path) {
    send(path);
    return receive(complete);
  }

 private:
  template <typename Complete>
  std::string receive(Complete&& is_complete) {
    std::string answer;
    pollfd readable{socket_, POLLIN, 0};
    while (!is_complete(answer) && ::poll(&readable, 1, 10'000) == 1) {
      char bytes[4096];
      const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      answer.append(bytes, static_cast<std::size_t>(count));
    }
    return answer;
  }
  static bool complete(const std::string& answer) {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t head = answer.find("\r\n\r\n");
    const std::size_t length = answer.find(kLength);
    return head != std::string::npos && length < head && answer.size() == head + 4 + std::stoul(answer.substr(length + kLength.size()));
  }
  const int socket_;
};

// One connection to each shard of the server, the others closed again. REQUIRES: a route /shard that names its shard.
std::vector<std::unique_ptr<HttpClient>> connect_to_each_shard(Server& server) {
  std::vector<std::unique_ptr<HttpClient>> clients(server.shard_count());
  for (std::size_t missing = clients.size(); missing > 0;) {
    auto client = std::make_unique<HttpClient>(server.port());
    auto& place = clients.at(static_cast<std::size_t>(client->get("/shard").back() - '0'));
    if (place == nullptr) --missing;
    place = std::move(client);
  }
  return clients;
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

TEST(WholeServer, MakesNoRoomBeyondItsBound) {
  Options options = quiet();
  options.rooms_max = 1;
  Server server(options);
  ASSERT_TRUE(server.start().ok());
  HttpClient client(server.port());
  client.upgrade("/");
  std::vector<bool> joined;
  std::promise<std::uint64_t> asked;
  server.everybody().for_each([&](Socket& socket) {
    for (const std::string& room : {std::string("a"), std::string("b"), socket.id()}) joined.push_back(socket.join(room));
    joined.push_back(socket.join("b", true));
    socket.leave("b");
    socket.leave("a");
    joined.push_back(socket.join("b"));
  }).then([&](std::uint64_t visited) { asked.set_value(visited); });
  auto visited = asked.get_future();
  ASSERT_EQ(visited.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(visited.get(), 1u);
  EXPECT_THAT(joined, ::testing::ElementsAre(true, false, true, true, true));
  EXPECT_EQ(server.statistics().refused_rooms, 1u);
}

TEST(WholeServer, RefusesANamespaceTooManyAndMakesNoneByAsking) {
  Options options = quiet();
  options.dynamic_namespaces_max = 1;
  auto owned = std::make_unique<Core>(options);
  Core& core = *owned;
  Server server = Core::make_server(std::move(owned));
  const Result<Namespace> pattern = server.of_pattern("/room-.*");
  ASSERT_TRUE(pattern.ok());
  ASSERT_TRUE(server.start().ok());
  const auto count = [](const auto& whom) {
    std::promise<std::uint64_t> asked;
    whom.count_sockets().then([&](std::uint64_t sockets) { asked.set_value(sockets); });
    return asked.get_future().get();
  };
  EXPECT_EQ(count(server.tenant("nobody's")), 0u);
  EXPECT_EQ(count(server.of("/unused").everybody()), 0u);
  server.tenant("nobody's").emit("news");

  HttpClient first(server.port());
  HttpClient second(server.port());
  EXPECT_THAT(first.upgrade("/?namespace=/room-1"), ::testing::StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(second.upgrade("/?namespace=/room-2", "}"), ::testing::HasSubstr("too_many_namespaces"));
  EXPECT_EQ(server.statistics().refused_namespaces, 1u);
  server.stop();
  server.wait();
  std::vector<std::string> names;
  for (const hub::Namespace* space : core.shard(0).hub().namespaces()) names.push_back(space->key().tenant + space->name());
  EXPECT_THAT(names, ::testing::ElementsAre("/room-1"));
}

TEST(WholeServer, DropsAReplyWhoseServerIsGone) {
  Server keeper(quiet());
  auto asked = std::make_unique<Server>(quiet());
  std::promise<void> kept;
  asked->http("GET", "/never", [&](const HttpRequest&, HttpReply reply) {
    keeper.after(1'000'000, [reply = std::make_shared<HttpReply>(std::move(reply))] { reply->text("late"); });
    kept.set_value();
  });
  ASSERT_TRUE(keeper.start().ok());
  ASSERT_TRUE(asked->start().ok());
  HttpClient client(asked->port());
  client.send("/never");
  ASSERT_EQ(kept.get_future().wait_for(kPatience), std::future_status::ready);
  asked.reset();
}

// A server of two shards of which one has stopped, the other still serves a connection.
class HalfStopped : public ::testing::Test {
 protected:
  HalfStopped() {
    server.http("GET", "/shard", [this](const HttpRequest&, HttpReply reply) { reply.text(std::to_string(server.current_shard())); });
    server.http("GET", "/statistics", [this](const HttpRequest&, HttpReply reply) {
      server.gather_statistics().then(
          [reply = std::make_shared<HttpReply>(std::move(reply))](const ServerStatistics&) { reply->text("gathered"); });
    });
    server.http("GET", "/count", [this](const HttpRequest&, HttpReply reply) {
      server.everybody().count_sockets().then(
          [reply = std::make_shared<HttpReply>(std::move(reply))](std::uint64_t count) { reply->text(std::to_string(count)); });
    });
    EXPECT_TRUE(server.start().ok());
    auto clients = connect_to_each_shard(server);
    client = std::move(clients[1]);
    clients.clear();
    server.stop();
    // Shard 0 has nobody left; the other one waits two seconds for its client.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  Server server{quiet(2)};
  std::unique_ptr<HttpClient> client;
};

TEST_F(HalfStopped, AnswersWhatOnlyTheStoppedShardCouldSay) {
  EXPECT_THAT(client->get("/statistics"), ::testing::StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(client->get("/shard"), ::testing::EndsWith("1"));
}

TEST_F(HalfStopped, DiesWithQuestionsUnderWay) {
  client->send("/count");  // waits for the other shard, longer than this one has
  client->send("/statistics");
  server.wait();
}

}  // namespace
}  // namespace tidewire
