// Whole servers on their own threads: what is asked of them from outside, from each other, and at their end.
#include "tidewire/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/core.h"
#include "app/shard.h"
#include "app/test_client.h"
#include "base/budget.h"

namespace tidewire {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

Options quiet(std::uint32_t shards = 1) {
  Options options;
  options.shards = shards;
  options.log_to_stderr = false;
  return options;
}

// One connection to each shard of the server, the others closed again. REQUIRES: a route /shard that names its shard.
std::vector<std::unique_ptr<test::TestClient>> connect_to_each_shard(Server& server) {
  std::vector<std::unique_ptr<test::TestClient>> clients(server.shard_count());
  for (std::size_t missing = clients.size(); missing > 0;) {
    auto client = std::make_unique<test::TestClient>(server.port());
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

TEST(WholeServer, StopsAlsoWhenToldBeforeItRuns) {
  Server server(quiet(2));
  server.stop();
  auto ended = std::async(std::launch::async, [&] { return server.run(); });
  ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(ended.get().ok());
  EXPECT_FALSE(server.accepting());
}

TEST(WholeServer, StopsAlsoWhenToldBeforeItStarts) {
  Server server(quiet());
  server.stop();
  EXPECT_TRUE(server.start().ok());
  auto ended = std::async(std::launch::async, [&] { server.wait(); });
  ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready);
}

TEST(WholeServer, StopsWheneverItIsToldWhileItStarts) {
  for (int round = 0; round < 20; ++round) {
    Server server(quiet());
    std::thread stopper([&server, pause = std::chrono::microseconds(round * 100)] {
      std::this_thread::sleep_for(pause);
      server.stop();
    });
    auto ended = std::async(std::launch::async, [&] { return server.run().ok(); });
    ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready) << round;
    stopper.join();
  }
}

// Everything that may be asked of a server that is not there is answered with nothing, at once.
void expect_nobody(Server& server) {
  int answers = 0;
  server.gather_statistics().then([&](const ServerStatistics& seen) { answers += seen.held_bytes_max == 0 ? 1 : 0; });
  server.everybody().count_sockets().then([&](SocketsCount found) { answers += found.count == 0 ? 1 : 0; });
  server.everybody().for_each([](Socket&) { ADD_FAILURE(); }).then([&](SocketsCount found) { answers += found.count == 0 ? 1 : 0; });
  server.fetch_sockets().then([&](const std::vector<RemoteSocket>& sockets) { answers += sockets.empty() ? 1 : 0; });
  server.everybody().fetch_rooms({}).then([&](const RoomsPage& page) { answers += page.rooms.empty() ? 1 : 0; });
  server.emit_with_ack("question").then([&](const BroadcastAnswers& all) { answers += all.status.ok() ? 1 : 0; });
  server.server_side_emit_with_ack("question").then([&](const BroadcastAnswers& all) { answers += all.status.ok() ? 1 : 0; });
  EXPECT_EQ(answers, 7);
  server.close_sockets_of([](const Identity&) { return true; }, 4000, "out");
  server.emit("news", 1);
  server.disconnect_sockets();
  server.after(0, [] { ADD_FAILURE(); });
  EXPECT_EQ(server.statistics().held_bytes_max, 0u);
}

TEST(WholeServer, AnswersWithNothingWhenItIsNotThere) {
  Options taken = quiet();
  {
    Server server(quiet());
    expect_nobody(server);
    EXPECT_EQ(server.shard_count(), 0u);
    EXPECT_EQ(server.flush_name(), "");
    ASSERT_TRUE(server.start().ok());
    EXPECT_EQ(server.shard_count(), 1u);
    taken.port = server.port();
    Server failed(taken);
    EXPECT_FALSE(failed.start().ok());
    expect_nobody(failed);
    EXPECT_EQ(failed.shard_count(), 0u);
    server.stop();
    server.wait();
    expect_nobody(server);
  }
}

// The program's second server asks the main one while that one starts.
TEST(WholeServer, MayBeAskedWhileItStarts) {
  for (int round = 0; round < 5; ++round) {
    Server server(quiet(3));
    std::atomic<bool> done{false};
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    std::thread other([&] {
      while (!done) {
        ++asked;
        server.gather_statistics().then([&](const ServerStatistics&) { ++answered; });
        server.emit("news", 1);
        static_cast<void>(server.shard_count());
      }
    });
    while (asked == 0) std::this_thread::yield();
    ASSERT_TRUE(server.start().ok());
    done = true;
    other.join();
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (answered < asked && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(answered, asked);
    server.stop();
    server.wait();
  }
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

// A body that one server reads, a message of it that the other frees: neither is left with a debt.
TEST(WholeServer, CountsWhatTheServersOfAProcessHoldTogether) {
  base::forget_counted_bytes();
  Server reader(quiet());
  Server speaker(quiet());
  std::atomic<int> spoken{0};
  reader.http("POST", "/say", [&](const HttpRequest& request, HttpReply reply) {
    speaker.emit("said", request.body);
    ++spoken;
    reply.text("ok");
  });
  ASSERT_TRUE(reader.start().ok());
  ASSERT_TRUE(speaker.start().ok());
  const std::uint64_t reader_before = reader.statistics().held_bytes;
  const std::uint64_t speaker_before = speaker.statistics().held_bytes;
  const std::string body(900'000, 'x');
  for (int i = 0; i < 5; ++i) {
    test::TestClient client(reader.port());
    EXPECT_THAT(client.request("POST", "/say", body), ::testing::StartsWith("HTTP/1.1 200"));
  }
  EXPECT_EQ(spoken, 5);
  constexpr auto kSlack = static_cast<std::uint64_t>(3 * base::Budget::kStepBytes);  // a step for each thread
  const auto settled = [&] {
    return reader.statistics().held_bytes <= reader_before + kSlack && speaker.statistics().held_bytes <= speaker_before + kSlack;
  };
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!settled() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(settled()) << reader.statistics().held_bytes << " and " << speaker.statistics().held_bytes;
  // Nor is it lost: what is held on one is seen by the other.
  const base::Charge held(10'000'000);
  static_cast<void>(reader.statistics());  // posts, and so settles
  EXPECT_GE(speaker.statistics().held_bytes + kSlack, 10'000'000u);
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

// ---- with clients

// Both kinds of client in the namespace "/", when both have come in.
struct Pair {
  explicit Pair(const Server& server) : plain(server.port()), socketio(server.port()) {
    EXPECT_TRUE(plain.upgrade("/"));
    EXPECT_TRUE(socketio.upgrade("/socket.io/?EIO=4&transport=websocket"));
    EXPECT_THAT(socketio.next_text(), ::testing::StartsWith("0{"));
    socketio.send_text("40");
    EXPECT_THAT(socketio.next_text(), ::testing::StartsWith("40{"));
  }
  test::TestClient plain;
  test::TestClient socketio;
};

TEST(ServerWithClients, TellsTheAddressOfEitherDialectUntilTheyHaveLeft) {
  Server server(quiet());
  std::mutex mutex;
  std::vector<std::string> seen;
  const auto note = [&](std::string_view when, const Socket& socket) {
    EXPECT_EQ(socket.address(), socket.handshake().address);
    const std::lock_guard lock(mutex);
    seen.push_back(std::string(when) + " " + socket.dialect() + " " + socket.address());
  };
  std::promise<void> all_gone;
  server.on_connection([&](Socket& socket) { note("in", socket); });
  server.on_disconnecting([&](Socket& socket, DisconnectReason) { note("leaving", socket); });
  server.on_disconnect([&](Socket& socket, DisconnectReason) {
    note("out", socket);
    if (std::ranges::count_if(seen, [](const std::string& line) { return line.starts_with("out"); }) == 2) all_gone.set_value();
  });
  ASSERT_TRUE(server.start().ok());
  { const Pair clients(server); }
  ASSERT_EQ(all_gone.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre("in plain 127.0.0.1", "in socketio 127.0.0.1", "leaving plain 127.0.0.1",
                                                    "leaving socketio 127.0.0.1", "out plain ", "out socketio "));
}

template <typename Answer>
Answer wait_for(Later<Answer> later) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  later.then([promise](Answer value) { promise->set_value(std::move(value)); });
  if (answer.wait_for(kPatience) == std::future_status::ready) return answer.get();
  ADD_FAILURE() << "no answer";
  return {};
}

TEST(WholeServer, KnowsWhichNamespacesItWouldAcceptWithoutMakingThem) {
  Server server(quiet());
  int made = 0;
  static_cast<void>(server.of("/declared"));
  ASSERT_TRUE(server.of_pattern("/room-[0-9]+").ok());
  static_cast<void>(server.of_matching([](std::string_view, const Value&, const UniqueFunction<void(bool)>&) { FAIL(); }));
  server.on_new_namespace([&](const Namespace&) { ++made; });
  for (const char* name : {"", "/", "declared", "/declared", "/room-1", "room-22"}) EXPECT_TRUE(server.accepts_namespace(name)) << name;
  for (const char* name : {"/other", "/room-", "/room-1x", "/Declared"}) EXPECT_FALSE(server.accepts_namespace(name)) << name;
  EXPECT_FALSE(server.accepts_namespace("/room-" + std::string(256, '1')));
  EXPECT_EQ(made, 0);
}

TEST(ServerWithClients, ADroppedVerdictIsARefusal) {
  Server server(quiet());
  std::vector<std::unique_ptr<Verdict>> kept;
  server.authenticate([&](const Credentials& credentials, Verdict verdict) {
    if (credentials.handshake().query_value("mind") == "throw") throw 42;
    if (credentials.handshake().query_value("mind") == "later") kept.push_back(std::make_unique<Verdict>(std::move(verdict)));
  });
  ASSERT_TRUE(server.start().ok());
  for (const char* mind : {"drop", "throw", "later"}) {
    test::TestClient plain(server.port());
    ASSERT_TRUE(plain.upgrade(std::string("/?mind=") + mind));
    if (mind == std::string_view("later")) {
      server.after(1, [&] { kept.clear(); });  // its client has read the 101, so the authenticator was called
    }
    EXPECT_THAT(plain.next_text(), ::testing::HasSubstr("internal error")) << mind;
    EXPECT_EQ(plain.next_text(), "CLOSE 1008 refused") << mind;
  }
  test::TestClient socketio(server.port());
  ASSERT_TRUE(socketio.upgrade("/socket.io/?EIO=4&transport=websocket"));
  static_cast<void>(socketio.next_text());
  socketio.send_text("40");
  EXPECT_THAT(socketio.next_text(), ::testing::StartsWith("44{\"message\":\"internal error\""));
}

TEST(ServerWithClients, AVerdictMayOutliveTheServer) {
  std::promise<void> asked;
  std::vector<Verdict> kept;
  {
    Server server(quiet());
    server.authenticate([&](const Credentials&, Verdict verdict) {
      kept.push_back(std::move(verdict));
      if (kept.size() == 2) asked.set_value();
    });
    ASSERT_TRUE(server.start().ok());
    test::TestClient first(server.port());
    test::TestClient second(server.port());
    EXPECT_TRUE(first.upgrade("/") && second.upgrade("/"));
    ASSERT_EQ(asked.get_future().wait_for(kPatience), std::future_status::ready);
  }
  kept.front()(Identity{.user_id = "ada"});
  kept.clear();
}

TEST(ServerWithClients, RoutesAnswerWhateverTheirHandlersThrow) {
  Server server(quiet());
  server.http("GET", "/whole", [](const HttpRequest&, HttpReply) { throw std::runtime_error("on purpose"); });
  server.http("GET", "/number", [](const HttpRequest&, HttpReply) { throw 42; });
  server.http("GET", "/answered", [](const HttpRequest&, HttpReply reply) {
    reply.text("before");
    throw 42;
  });
  server.static_file(std::string("/a-file-with-a-name-of-its-own.txt"), std::string("text/plain; charset=utf-8"), "bytes");
  ASSERT_TRUE(server.start().ok());
  const auto get = [&](std::string_view path) { return test::TestClient(server.port()).request("GET", path); };
  EXPECT_THAT(get("/whole"), ::testing::StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(get("/number"), ::testing::StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(get("/answered"), ::testing::AllOf(::testing::StartsWith("HTTP/1.1 200"), ::testing::EndsWith("before")));
  EXPECT_THAT(get("/a-file-with-a-name-of-its-own.txt"),
              ::testing::AllOf(::testing::StartsWith("HTTP/1.1 200"), ::testing::HasSubstr("text/plain"), ::testing::EndsWith("bytes")));
}

TEST(ServerWithClients, DelaysOutOfRangeAreBroughtInside) {
  Server server(quiet());
  std::promise<void> ran;
  std::promise<std::string> answered;
  server.on_connection([&](Socket& socket) {
    socket.emit_with_ack(std::numeric_limits<std::int64_t>::max(), "never").then([](const Result<Arguments>&) {});
    server.timeout(std::numeric_limits<std::int64_t>::max()).emit_with_ack("never").then([](const BroadcastAnswers&) {});
    server.timeout(-1).emit_with_ack("soon").then([&](const BroadcastAnswers& all) { answered.set_value(all.status.message()); });
  });
  ASSERT_TRUE(server.start().ok());
  server.after(std::numeric_limits<std::int64_t>::max(), [] { ADD_FAILURE(); });
  server.after(std::numeric_limits<std::int64_t>::min(), [&] { ran.set_value(); });
  EXPECT_EQ(ran.get_future().wait_for(kPatience), std::future_status::ready);
  test::TestClient client(server.port());
  ASSERT_TRUE(client.upgrade("/"));
  EXPECT_THAT(client.next_text(), ::testing::HasSubstr("never"));
  EXPECT_EQ(answered.get_future().wait_for(std::chrono::milliseconds(50)), std::future_status::timeout) << "30 s, the default";
}

TEST(ServerWithClients, ListsAndCountsTheNamespacesOfATenant) {
  Server server(quiet(3));
  std::atomic<int> entered{0};
  std::atomic<int> left{0};
  const Result<Namespace> rooms = server.of_pattern("/room-[0-9]+");
  ASSERT_TRUE(rooms.ok());
  server.authenticate([](const Credentials& credentials, Verdict verdict) {
    verdict(Identity{.user_id = "u", .tenant = std::string(credentials.handshake().query_value("tenant"))});
  });
  for (const Namespace& space : {server.of("/"), *rooms}) {
    space.on_connection([&](Socket&) { ++entered; });
    space.on_disconnect([&](Socket&, DisconnectReason) { ++left; });
  }
  EXPECT_TRUE(wait_for(server.fetch_namespaces("red", {})).namespaces.empty()) << "nobody is there to ask";
  EXPECT_EQ(wait_for(server.gather_statistics("red", "/")).plain.ever, 0u);
  ASSERT_TRUE(server.start().ok());
  std::vector<std::unique_ptr<test::TestClient>> clients;
  for (const char* target : {"/?tenant=red", "/ws?tenant=red", "/ws?tenant=red&namespace=/room-7", "/?tenant=blue&namespace=/room-8"}) {
    clients.push_back(std::make_unique<test::TestClient>(server.port()));
    ASSERT_TRUE(clients.back()->upgrade(target));
  }
  clients.push_back(std::make_unique<test::TestClient>(server.port()));
  ASSERT_TRUE(clients.back()->upgrade("/socket.io/?EIO=4&transport=websocket&tenant=red"));
  clients.back()->send_text("40");
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (entered < 5 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  clients.front().reset();
  while (left < 1 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));

  const NamespacesPage red = wait_for(server.fetch_namespaces("red", {}));
  ASSERT_EQ(red.namespaces.size(), 2u);
  EXPECT_EQ(red.namespaces[0].name, "/");
  EXPECT_EQ(red.namespaces[0].sockets, 2u);
  EXPECT_EQ(red.namespaces[1].name, "/room-7");
  EXPECT_TRUE(red.complete && !red.more);
  const NamespacesPage blue = wait_for(server.fetch_namespaces("blue", Page{.limit = 1}));
  ASSERT_EQ(blue.namespaces.size(), 1u);
  EXPECT_EQ(blue.namespaces[0].name, "/room-8");

  const NamespaceStatistics root = wait_for(server.gather_statistics("red", ""));
  EXPECT_EQ(root.plain.now, 1u);
  EXPECT_EQ(root.plain.ever, 2u);
  EXPECT_EQ(root.socketio.now, 1u);
  EXPECT_EQ(root.socketio.ever, 1u);
  EXPECT_TRUE(root.exact && root.complete);
  EXPECT_EQ(wait_for(server.gather_statistics("blue", "/")).plain.ever, 0u);
}

// ---- bounds, and the end

TEST(WholeServer, MakesNoRoomBeyondItsBound) {
  Options options = quiet();
  options.rooms_max = 1;
  Server server(options);
  ASSERT_TRUE(server.start().ok());
  test::TestClient client(server.port());
  ASSERT_TRUE(client.upgrade("/"));
  std::vector<bool> joined;
  const SocketsCount visited = wait_for(server.everybody().for_each([&](Socket& socket) {
    for (const std::string& room : {std::string("a"), std::string("b"), socket.id()}) joined.push_back(socket.join(room));
    joined.push_back(socket.join("b", true));
    socket.leave("b");
    socket.leave("a");
    joined.push_back(socket.join("b"));
  }));
  EXPECT_EQ(visited.count, 1u);
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
  EXPECT_EQ(wait_for(server.tenant("nobody's").count_sockets()).count, 0u);
  EXPECT_EQ(wait_for(server.of("/unused").everybody().count_sockets()).count, 0u);
  server.tenant("nobody's").emit("news");

  test::TestClient first(server.port());
  test::TestClient second(server.port());
  EXPECT_TRUE(first.upgrade("/?namespace=/room-1") && second.upgrade("/?namespace=/room-2"));
  EXPECT_THAT(second.next_text(), ::testing::HasSubstr("too_many_namespaces"));
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
  test::TestClient client(asked->port());
  client.ask("/never");
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
          [reply = std::make_shared<HttpReply>(std::move(reply))](SocketsCount found) { reply->text(std::to_string(found.count)); });
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
  std::unique_ptr<test::TestClient> client;
};

TEST_F(HalfStopped, AnswersWhatOnlyTheStoppedShardCouldSay) {
  EXPECT_THAT(client->get("/statistics"), ::testing::StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(client->get("/shard"), ::testing::EndsWith("1"));
}

TEST_F(HalfStopped, DiesWithQuestionsUnderWay) {
  client->ask("/count");  // waits for the other shard, longer than this one has
  client->ask("/statistics");
  server.wait();
}

}  // namespace
}  // namespace tidewire
