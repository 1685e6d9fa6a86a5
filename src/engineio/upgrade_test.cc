#include "engineio/upgrade.h"

#include <optional>

#include "engineio/test_engine.h"

namespace tidewire::engineio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UpgradeTest : public testing::Test {
 protected:
  Engine engine;
  Polling client = engine.open_polling();
  Recorder& server = client.server;
};

TEST_F(UpgradeTest, ProbeAndUpgradeSwitchTheTransport) {
  net::TestReactor::Peer waiting = client.request("GET");
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  EXPECT_THAT(socket.take(), ElementsAre("3probe"));
  EXPECT_EQ(parse_answer(waiting.take()).body, "6");
  EXPECT_EQ(server.session->transport_name(), "polling");
  socket.send("5");
  EXPECT_EQ(server.upgraded, 1);
  EXPECT_EQ(server.session->transport_name(), "websocket");
  socket.send("4hello");
  EXPECT_THAT(socket.take(), ElementsAre("4hello"));
  EXPECT_EQ(engine.server->statistics().upgrades, 1u);
  EXPECT_EQ(engine.server->statistics().polling_sessions, 0u);
  EXPECT_EQ(parse_answer(client.request("GET").take()).body, R"({"code":3,"message":"Bad request"})");
}

TEST_F(UpgradeTest, PollsAreAnsweredUntilTheUpgradeAndNeverPark) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  EXPECT_EQ(client.poll(), "6");
  // The next ones within 100 ms, so that nobody spins.
  for (int i = 0; i < 3; ++i) {
    net::TestReactor::Peer waiting = client.request("GET");
    engine.reactor.advance(104);
    EXPECT_EQ(parse_answer(waiting.take()).body, "6");
  }
}

TEST_F(UpgradeTest, EverythingTravelsByPollingUntilTheUpgrade) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  socket.take();
  server.session->send_text("still polling");
  EXPECT_EQ(client.poll(), "4still polling");
  EXPECT_EQ(client.post("4posted"), "ok");
  socket.send("5");
  EXPECT_THAT(socket.take(), ElementsAre("4posted"));
}

TEST_F(UpgradeTest, WhatWaitsMovesOverInOrder) {
  Socket socket = engine.begin_upgrade(client);
  for (const char* text : {"1", "2", "3"}) server.session->send_text(text);
  server.session->send_binary("4");
  socket.send("2probe");
  socket.take();
  socket.send("5");
  server.session->send_text("5");
  engine.reactor.turn();
  EXPECT_THAT(socket.take(), ElementsAre("41", "42", "43", "bytes:4", "45"));
}

TEST_F(UpgradeTest, AParkedPollIsReleasedByTheUpgrade) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  EXPECT_EQ(client.poll(), "6");
  net::TestReactor::Peer waiting = client.request("GET");
  socket.send("5");
  EXPECT_EQ(parse_answer(waiting.take()).body, "6");
  EXPECT_THAT(server.closed, IsEmpty());
}

TEST_F(UpgradeTest, TheRestOfALongPostComesBeforeWhatFollowsTheUpgrade) {
  server.echo = false;
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  std::string body = "40";
  for (int i = 1; i < 500; ++i) body += "\x1e" "4" + std::to_string(i);
  net::TestReactor::Peer post = client.request("POST", body);
  socket.peer.send(Socket::frame("5") + Socket::frame("4500"));
  ASSERT_EQ(server.heard.size(), 501u);
  for (std::size_t i = 0; i < server.heard.size(); ++i) EXPECT_EQ(server.heard[i], std::to_string(i));
  EXPECT_EQ(parse_answer(post.take()).body, "ok");
}

TEST_F(UpgradeTest, APostThatIsNotCompleteAtTheUpgradeIsRefused) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  net::TestReactor::Peer post = engine.connect();
  post.send("POST /engine.io/?EIO=4&transport=polling&sid=" + client.sid + " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n4ab");
  socket.send("5");
  post.send("cde");
  EXPECT_EQ(parse_answer(post.take()).status, 400);
  EXPECT_THAT(server.heard, IsEmpty());
  EXPECT_THAT(server.closed, IsEmpty());
}

// One client that counts in both directions while it upgrades, each step chosen by the seed. As official clients do, it sends
// `5` only when its polls and posts are answered; the server emits at any moment.
class CounterRace {
 public:
  CounterRace(Engine& engine, std::uint64_t seed) : random_(seed), client_(engine.open_polling()), socket_(engine.begin_upgrade(client_)) {
    client_.server.echo = false;
  }
  void run() {
    for (int step = 0; step < 12; ++step) polling_step();
    socket_.send("2probe");
    for (std::uint64_t steps = random_.below(6); steps > 0; --steps) polling_step();
    if (waiting_) collect(parse_answer(waiting_->take()).body);
    maybe_emit();
    socket_.send("5");
    for (int step = 0; step < 6; ++step) {
      maybe_emit();
      socket_.send("4" + std::to_string(sent_++));
    }
    for (const std::string& packet : socket_.take()) collect(packet);
  }
  void check() const {
    ASSERT_EQ(client_.server.upgraded, 1);
    ASSERT_EQ(got_, count_to(emitted_));
    ASSERT_EQ(client_.server.heard, count_to(sent_));
  }

 private:
  static std::vector<std::string> count_to(int end) {
    std::vector<std::string> numbers;
    for (int i = 0; i < end; ++i) numbers.push_back(std::to_string(i));
    return numbers;
  }
  void maybe_emit() {
    for (std::uint64_t count = random_.below(4); count > 0; --count) client_.server.session->send_text(std::to_string(emitted_++));
  }
  void polling_step() {
    maybe_emit();
    switch (random_.below(3)) {
      case 0: {
        std::string body = "4" + std::to_string(sent_++);
        for (std::uint64_t more = random_.below(100); more > 0; --more) body += "\x1e" "4" + std::to_string(sent_++);
        net::TestReactor::Peer post = client_.request("POST", body);
        for (int turn = 0; turn < 3; ++turn) client_.engine.reactor.turn();
        ASSERT_EQ(parse_answer(post.take()).body, "ok");
        break;
      }
      case 1:
        if (!waiting_) waiting_.emplace(client_.request("GET"));
        break;
      default:
        client_.engine.reactor.turn();
    }
    if (waiting_ && !waiting_->received().empty()) {
      collect(parse_answer(waiting_->take()).body);
      waiting_.reset();
    }
  }
  void collect(std::string payload) {
    if (payload.empty()) return;
    for (PayloadReader reader(payload); reader.more();) {
      const std::span<char> packet = reader.next();
      if (packet[0] == '4') got_.emplace_back(packet.begin() + 1, packet.end());
    }
  }

  base::SeededRandom random_;
  Polling client_;
  Socket socket_;
  std::optional<net::TestReactor::Peer> waiting_;
  std::vector<std::string> got_;
  int sent_ = 0;
  int emitted_ = 0;
};

TEST(UpgradeRace, NothingIsLostDoubledOrReordered) {  // E44
  Engine engine;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    CounterRace race(engine, seed);
    race.run();
    race.check();
    if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_EQ(engine.server->statistics().upgrades, 500u);
}

// Edges: the WebSocket ends with a code, the session goes on by polling.

struct Edge {
  const char* name;
  std::vector<const char*> packets;
  const char* end;
};

TEST(UpgradeEdges, WhatIsNoUpgradeEndsTheWebSocketAlone) {
  const Edge rows[] = {
      {"E33 upgrade without probe", {"5"}, "close:1002"},
      {"E34 garbage instead of a probe", {"garbage"}, "close:1002"},
      {"E34 a message instead of a probe", {"4hello"}, "close:1002"},
      {"E34 a probe with other words", {"2prob"}, "close:1002"},
      {"E34 a message between probe and upgrade", {"2probe", "4hello"}, "close:1002"},
      {"E35 a third probe", {"2probe", "2probe", "2probe"}, "close:1002"},
  };
  for (const Edge& row : rows) {
    Engine engine;
    Polling client = engine.open_polling();
    Socket socket = engine.begin_upgrade(client);
    for (const char* packet : row.packets) socket.send(packet);
    EXPECT_EQ(socket.take().back(), row.end) << row.name;
    EXPECT_EQ(client.post("4fine"), "ok") << row.name;
    EXPECT_EQ(client.poll(), "4fine") << row.name;
    EXPECT_THAT(client.server.heard, ElementsAre("fine")) << row.name;
    EXPECT_THAT(client.server.closed, IsEmpty()) << row.name;
  }
}

TEST_F(UpgradeTest, TwoProbesAreAnswered) {  // E35
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  socket.send("2probe");
  EXPECT_THAT(socket.take(), ElementsAre("3probe", "3probe"));
  socket.send("5");
  EXPECT_EQ(server.upgraded, 1);
}

TEST_F(UpgradeTest, SilenceEndsItAfterTheTimeout) {  // E36
  Socket silent = engine.begin_upgrade(client);
  net::TestReactor::Peer waiting = client.request("GET");
  engine.reactor.advance(10'010);
  EXPECT_THAT(silent.take(), ElementsAre("close:1008"));
  EXPECT_EQ(waiting.take(), "");
  Socket probed = engine.begin_upgrade(client);
  probed.send("2probe");
  EXPECT_EQ(parse_answer(waiting.take()).body, "6");
  engine.reactor.advance(10'010);
  EXPECT_THAT(probed.take(), ElementsAre("3probe", "close:1008"));
  EXPECT_THAT(server.closed, IsEmpty());
}

TEST_F(UpgradeTest, ASecondUpgradeIsClosedAtOnceAndTheFirstGoesOn) {  // E37
  Socket first = engine.begin_upgrade(client);
  first.send("2probe");
  Socket second = engine.begin_upgrade(client);
  EXPECT_THAT(second.take(), ElementsAre("close:1008"));
  first.send("5");
  EXPECT_EQ(server.upgraded, 1);
}

TEST_F(UpgradeTest, AnUpgradeOfAWebSocketSessionIsClosedAtOnce) {  // E39
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  socket.send("5");
  socket.take();
  EXPECT_THAT(engine.begin_upgrade(client).take(), ElementsAre("close:1008"));
  socket.send("4still here");
  EXPECT_THAT(socket.take(), ElementsAre("4still here"));
}

TEST_F(UpgradeTest, AfterAFailedUpgradeAnotherMaySucceed) {
  Socket broken = engine.begin_upgrade(client);
  broken.send("2probe");
  broken.peer.reset();
  net::TestReactor::Peer waiting = client.request("GET");
  engine.reactor.advance(500);
  EXPECT_EQ(waiting.take(), "");
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  socket.send("5");
  EXPECT_EQ(server.upgraded, 1);
}

TEST_F(UpgradeTest, ASessionThatEndsMeanwhileTakesTheWebSocketAlong) {
  Socket socket = engine.begin_upgrade(client);
  server.session->close();
  engine.reactor.turn();
  EXPECT_THAT(socket.take(), ElementsAre("close:1000"));
  socket.send("5");
  EXPECT_EQ(server.upgraded, 0);
}

TEST_F(UpgradeTest, WhoHasPausedPollingHearsOfTheEndOverTheWebSocket) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  server.session->close(CloseReason::kServerShutdown, websocket::kGoingAway, "bye");
  engine.reactor.turn();
  EXPECT_THAT(socket.take(), ElementsAre("3probe"));
  socket.send("5");
  EXPECT_THAT(socket.take(), ElementsAre("close:1001"));
  EXPECT_EQ(server.upgraded, 0);
  EXPECT_THAT(server.closed, ElementsAre("server shutting down"));
}

TEST_F(UpgradeTest, WhoSaysSomethingElseThenIsClosedAtOnce) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  server.session->close(CloseReason::kServerShutdown, websocket::kGoingAway);
  socket.send("4x");
  EXPECT_THAT(socket.take(), ElementsAre("3probe", "close:1000"));
}

TEST_F(UpgradeTest, NobodyIsWaitedForLongAtTheEnd) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  server.session->close(CloseReason::kServerShutdown, websocket::kGoingAway);
  engine.reactor.advance(1'400);
  EXPECT_THAT(socket.take(), ElementsAre("3probe"));
  engine.reactor.advance(200);
  EXPECT_THAT(socket.take(), ElementsAre("close:1000"));
}

TEST_F(UpgradeTest, AWebSocketThatBreaksWhileItIsWaitedForIsForgotten) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  server.session->close();
  socket.peer.reset();
  engine.reactor.advance(2'000);
}

TEST_F(UpgradeTest, TheServerMayGoBeforeTheWebSocketThatItWaitsFor) {
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  engine.server.reset();
  engine.reactor.turn();
  socket.send("5");
  EXPECT_THAT(socket.take(), ElementsAre("3probe", "close:1001"));
}

TEST_F(UpgradeTest, ACloseInTheRestOfALongPostEndsTheUpgrade) {
  server.on_message = [](Session& session, const std::string& text) {
    if (text == "400") session.close();
  };
  Socket socket = engine.begin_upgrade(client);
  socket.send("2probe");
  std::string body = "40";
  for (int i = 1; i < 500; ++i) body += "\x1e" "4" + std::to_string(i);
  net::TestReactor::Peer post = client.request("POST", body);
  socket.send("5");
  EXPECT_THAT(server.closed, ElementsAre("forced close"));
  EXPECT_EQ(server.upgraded, 0);
  EXPECT_EQ(socket.take().back(), "close:1000");
}

}  // namespace
}  // namespace tidewire::engineio
