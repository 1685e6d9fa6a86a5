// Peers over HTTP on a stream without sockets: what a plain client sees of its namespace, its rooms and its limits.
#include "plain/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/connection.h"
#include "http/router.h"
#include "hub/broadcast.h"
#include "net/test_reactor.h"
#include "plain/acceptor.h"
#include "websocket/test_frames.h"

namespace tidewire::plain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using websocket::test::binary;
using websocket::test::text;

class CountingLog final : public base::LogSink {
 public:
  bool enabled(base::LogLevel) const noexcept override { return true; }
  void write_line(base::LogLevel, std::string_view message, std::span<const base::LogField>) override {
    lines.emplace_back(message);
  }
  std::vector<std::string> lines;
};

class NoSiblings final : public hub::Relay {
 public:
  std::uint32_t shard() const noexcept override { return 0; }
  std::uint32_t shard_count() const noexcept override { return 1; }
  void post(std::uint32_t, hub::HubTask) override {}
  bool post_message(std::uint32_t, hub::HubTask, bool) override { return false; }
};

class PlainPeer : public ::testing::Test {
 protected:
  // A client that has sent its upgrade request.
  class Client {
   public:
    explicit Client(net::TestReactor::Peer peer) : stream(std::move(peer)) {}
    void say(std::string_view message) { stream.send(text(message)); }
    // The messages that have come; "CLOSE 1008 words" for the closing one, "PING" for a ping.
    std::vector<std::string> take() {
      std::string bytes = stream.take();
      if (!upgraded) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string::npos || !bytes.starts_with("HTTP/1.1 101")) return {bytes};
        upgraded = true;
        bytes.erase(0, end + 4);
      }
      std::vector<std::string> messages;
      for (std::string_view wire = bytes; !wire.empty();) {
        const websocket::ServerFrame frame = websocket::take_server_frame(wire);
        std::string message(frame.payload);
        if (frame.opcode == websocket::Opcode::kPing) message = "PING";
        if (frame.opcode == websocket::Opcode::kClose) {
          websocket::CloseStatus status;
          EXPECT_EQ(websocket::parse_close(frame.payload, status), websocket::FrameError::kNone);
          message = "CLOSE " + std::to_string(status.code) + " " + std::string(status.reason);
        }
        messages.push_back(message);
      }
      return messages;
    }
    std::vector<std::string> ask(std::string_view message) {
      say(message);
      return take();
    }
    net::TestReactor::Peer stream;
    bool upgraded = false;
  };

  PlainPeer() {
    registry.of("/")->handlers.listeners("echo").add(
        [](hub::InboundEvent& event) {
          event.acknowledge(event.arguments());
          if (!event.wants_ack()) heard.emplace_back(event.arguments().text());
        },
        1);
    heard.clear();
  }
  void start(Options options = {}, http::AllowRequest allow = {}) {
    endpoint.emplace(hub, flat, data, reactor, std::move(options));
    flat_acceptor = std::make_unique<Acceptor>(*endpoint, flat, allow);
    data_acceptor = std::make_unique<Acceptor>(*endpoint, data, allow);
    router.add_upgrade("/", http::Router::Match::kExact, *flat_acceptor);
    router.add_upgrade("/ws", http::Router::Match::kExact, *data_acceptor);
  }
  Client connect(std::string_view target = "/", std::string_view more = {}) {
    if (!endpoint) start();
    Client client(
        reactor.connect([this](net::Connection& stream) { return make_connection(stream, router, http_options); }));
    client.stream.send(
        "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + std::string(more) + "\r\n");
    return client;
  }
  hub::Namespace& root() { return *hub.find({{}, "/"}); }
  hub::Member& only_member() { return *root().members().front(); }
  void emit(hub::Member& member, std::string_view name, const ArgumentsView& arguments) {
    hub.emit(member, {.namespace_name = "/", .event = name, .arguments = arguments});
  }

  static inline std::vector<std::string> heard;
  const Dialect flat{1, Form::kFlat};
  const Dialect data{2, Form::kData};
  CountingLog log;
  NoSiblings relay;
  hub::NamespaceRegistry registry;
  hub::RoomQuota rooms{300};
  http::Router router;
  http::ConnectionOptions http_options;
  std::unique_ptr<Acceptor> flat_acceptor, data_acceptor;
  net::TestReactor reactor;
  hub::Hub hub{{},
               {reactor.timers(), reactor.random(), log, relay, registry, [this] { return reactor.now(); },
                [this](UniqueFunction<void()> task) { reactor.defer(std::move(task)); }, {}, [] { return std::int64_t{0}; }, &rooms}};
  std::optional<Endpoint> endpoint;

  void TearDown() override {
    if (endpoint) endpoint->close_all(DisconnectReason::kServerShutdown, websocket::kGoingAway, "the server is stopping");
    reactor.advance(5'000);
    EXPECT_TRUE(!endpoint || endpoint->statistics.peers == 0);
    EXPECT_EQ(hub.statistics().members, 0u);
  }
};

TEST_F(PlainPeer, AListenerForJoinDecidesInsteadOfTheBuiltInOne) {
  registry.of("/")->handlers.listeners("join").add(
      [](hub::InboundEvent& event) {
        heard.emplace_back(event.arguments().text());
        event.acknowledge(ArgumentsView(R"({"ok":false})", 1));
      },
      7);
  Client client = connect();
  EXPECT_THAT(client.ask(R"({"type":"join","room":"secret","id":1})"), ElementsAre(R"({"type":"ack","id":1,"data":{"ok":false}})"));
  EXPECT_THAT(heard, ElementsAre(R"({"room":"secret"})"));
  // The grammar stays ours, and leave is still built in.
  EXPECT_THAT(client.ask(R"({"type":"join","room":7,"id":2})"), ElementsAre(HasSubstr(R"("type":"error","code":"invalid_room")")));
  EXPECT_THAT(client.ask(R"({"type":"leave","room":"secret","id":3})"), ElementsAre(R"({"type":"ack","id":3,"data":{"ok":true}})"));
}

TEST_F(PlainPeer, AnswersWithTheIdThatWasAsked) {
  Client client = connect();
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_THAT(client.ask(R"({"type":"echo","id":7,"data":[1e400]})"),
              ElementsAre(R"({"type":"ack","id":7,"data":[1e400]})"));
  EXPECT_THAT(client.ask(R"({"type":"echo","id":"a","x":1})"),
              ElementsAre(R"({"type":"ack","id":"a","data":{"x":1}})"));
  EXPECT_THAT(client.ask(R"({"type":"echo","data":1})"), IsEmpty());
  EXPECT_THAT(heard, ElementsAre("[1e400]", R"({"x":1})", "1"));
}

TEST_F(PlainPeer, SendsFlatOrDataByItsPath) {
  Client at_root = connect("/");
  Client at_ws = connect("/ws");
  for (Client* client : {&at_root, &at_ws}) EXPECT_THAT(client->ask(R"({"type":"join","id":1,"room":"r"})").size(), 1u);
  hub::broadcast(root(), {.rooms = {"r"}}, {.namespace_name = "/", .event = "said", .arguments = {R"({"a":1})", 1}});
  reactor.turn();
  EXPECT_THAT(at_root.take(), ElementsAre(R"({"type":"said","a":1})"));
  EXPECT_THAT(at_ws.take(), ElementsAre(R"({"type":"said","data":{"a":1}})"));
}

TEST_F(PlainPeer, JoinsAndLeavesRooms) {
  Client client = connect();
  client.take();
  EXPECT_THAT(client.ask(R"({"type":"join","id":1,"room":"r"})"),
              ElementsAre(R"({"type":"ack","id":1,"data":{"ok":true}})"));
  EXPECT_TRUE(root().is_in(only_member(), "r"));
  EXPECT_THAT(client.ask(R"({"type":"leave","room":"r"})"), IsEmpty());
  EXPECT_EQ(root().room_count(), 0u);
  EXPECT_THAT(client.ask(R"({"type":"join","id":2,"room":""})"), ElementsAre(HasSubstr(R"("code":"invalid_room")")));
}

TEST_F(PlainPeer, IsInABoundedNumberOfRooms) {
  Client client = connect();
  client.take();
  for (std::size_t i = 0; i < base::limits::kRoomsPerMemberMax; ++i)
    client.say(R"({"type":"join","room":"r)" + std::to_string(i) + "\"}");
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_THAT(
      client.ask(R"({"type":"join","id":1,"room":"more"})"),
      ElementsAre(
          R"({"type":"error","code":"too_many_rooms","message":"this connection is in too many rooms","details":{"id":1}})"));
  EXPECT_THAT(client.ask(R"({"type":"join","id":2,"room":"r0"})"), ElementsAre(HasSubstr("ok")));
}

TEST_F(PlainPeer, HearsThatTheServerHasTooManyRooms) {
  Client one = connect();
  Client other = connect();
  const auto fill = [](Client& client, char letter, int count) {
    for (int i = 0; i < count; ++i) client.say(R"({"type":"join","room":")" + std::string(1, letter) + std::to_string(i) + "\"}");
  };
  fill(one, 'a', 200);
  fill(other, 'b', 100);
  other.take();
  EXPECT_THAT(other.ask(R"({"type":"join","id":1,"room":"more"})"),
              ElementsAre(R"({"type":"error","code":"room_limit","message":"the server has as many rooms as it may","details":{"id":1}})"));
  EXPECT_THAT(other.ask(R"({"type":"join","id":2,"room":"a0"})"), ElementsAre(HasSubstr("ok"))) << "it exists";
  one.say(R"({"type":"leave","room":"a1"})");
  EXPECT_THAT(other.ask(R"({"type":"join","id":3,"room":"more"})"), ElementsAre(HasSubstr("ok")));
}

TEST_F(PlainPeer, AnswersPingByPong) {
  Client client = connect();
  client.take();
  EXPECT_THAT(client.ask(R"({"type":"ping","id":7})"), ElementsAre(R"({"type":"pong","id":7})"));
}

TEST_F(PlainPeer, AnswersWhatIsNoEnvelopeAndStays) {
  Client client = connect();
  client.take();
  EXPECT_THAT(client.ask("{"), ElementsAre(AllOf(StartsWith(R"({"type":"error","code":"invalid_json","message":)"),
                                                 HasSubstr("reason"))));
  EXPECT_THAT(client.ask("[]"), ElementsAre(HasSubstr("not_an_object")));
  EXPECT_THAT(client.ask(R"({"type":5})"), ElementsAre(HasSubstr("no_type")));
  EXPECT_THAT(client.ask(R"({"type":"connect"})"), ElementsAre(HasSubstr("reserved_event")));
  EXPECT_THAT(client.ask(R"({"type":"error"})"), IsEmpty());
  EXPECT_THAT(client.ask(R"({"type":"echo","id":1,"data":1})"), ElementsAre(HasSubstr("ack")));
  EXPECT_EQ(endpoint->statistics.invalid_messages, 5u);
  EXPECT_EQ(log.lines.size(), 1u) << "one line a second";
}

TEST_F(PlainPeer, TakesABinaryFrameAsMessageWithBytes) {
  std::string octets;
  registry.of("/")->handlers.listeners("message").add(
      [&](hub::InboundEvent& event) { octets = std::string(event.arguments()[0].as_bytes()->view()); }, 1);
  Client client = connect();
  client.stream.send(binary("\x01\x02"));
  EXPECT_EQ(octets, "\x01\x02");
}

TEST_F(PlainPeer, AcknowledgesWhatTheServerAsks) {
  Client client = connect();
  client.take();
  std::vector<std::string> answers;
  const auto ask = [&] {
    hub.emit(only_member(), {.namespace_name = "/", .event = "q", .arguments = {}}, [&](Result<ArgumentsView> answer) {
      answers.emplace_back(answer.ok() ? std::string(answer->text()) : answer.status().message());
    });
    reactor.turn();
  };
  ask();
  EXPECT_THAT(client.take(), ElementsAre(R"({"type":"q","id":0})"));
  client.say(R"({"type":"ack","id":0,"args":[1,2]})");
  client.say(R"({"type":"ack","id":0,"data":3})");
  EXPECT_THAT(answers, ElementsAre("1,2"));
  EXPECT_EQ(hub.statistics().acks_unknown, 1u);
  EXPECT_THAT(client.ask(R"({"type":"ack","data":3})"), ElementsAre(HasSubstr("invalid_ack")));
  ask();
  client.stream.reset();
  EXPECT_THAT(answers, ElementsAre("1,2", "socket has been disconnected"));
}

TEST_F(PlainPeer, IsRefusedForAnUnknownNamespace) {
  Client client = connect("/?namespace=/nowhere");
  EXPECT_THAT(client.take(), ElementsAre(R"({"type":"error","code":"invalid_namespace","message":"Invalid namespace"})",
                                         "CLOSE 1008 refused"));
  Client endless = connect("/?namespace=/" + std::string(300, 'x'));
  EXPECT_THAT(endless.take(), ElementsAre(HasSubstr("invalid_namespace"), "CLOSE 1008 refused"));
}

TEST_F(PlainPeer, IsRefusedByMiddlewareWithItsWords) {
  registry.of("/chat")->middlewares.add(
      [](hub::Member&, hub::Next next) {
        const hub::Refusal refusal{"not you", R"({"a":1})"};
        next(&refusal);
      },
      1);
  Client client = connect("/?namespace=%2Fchat");
  EXPECT_THAT(client.take(), ElementsAre(R"({"type":"error","code":"refused","message":"not you","details":{"a":1}})",
                                         "CLOSE 1008 refused"));
}

TEST_F(PlainPeer, WaitsForItsAdmission) {
  hub::Next go;
  registry.of("/")->middlewares.add([&](hub::Member&, hub::Next next) { go = std::move(next); }, 1);
  Client client = connect();
  client.say(R"({"type":"echo","id":1,"data":1})");
  client.stream.send(binary("x"));
  client.take();
  EXPECT_THAT(heard, IsEmpty());
  go(nullptr);
  reactor.turn();
  EXPECT_THAT(client.take(), ElementsAre(R"({"type":"ack","id":1,"data":1})"));
}

TEST_F(PlainPeer, IsClosedWhenNobodyDecidesAboutItsAdmission) {
  start({.admission_timeout_ms = 1'000});
  std::vector<hub::Next> kept;
  registry.of("/")->middlewares.add([&](hub::Member&, hub::Next next) { kept.push_back(std::move(next)); }, 1);
  Client waiting = connect(), admitted = connect();
  kept.back()(nullptr);
  reactor.advance(900);
  EXPECT_THAT(waiting.take(), IsEmpty());
  reactor.advance(200);
  EXPECT_THAT(waiting.take(), ElementsAre("CLOSE 1008 not admitted in time"));
  EXPECT_THAT(admitted.take(), IsEmpty());
  EXPECT_EQ(endpoint->statistics.not_admitted, 1u);
  kept.front()(nullptr);
  EXPECT_EQ(root().members().size(), 1u);
}

TEST_F(PlainPeer, MayNotSayTooMuchBeforeItsAdmission) {
  hub::Next go;
  registry.of("/")->middlewares.add(
      [&](hub::Member& member, hub::Next next) {
        EXPECT_TRUE(member.home().join(member, "early").ok());
        go = std::move(next);
      },
      1);
  Client client = connect();
  client.take();
  for (std::size_t i = 0; i < base::limits::kPacketsBeforeConnectMax; ++i) client.say(R"({"type":"echo"})");
  EXPECT_THAT(client.take(), IsEmpty());
  EXPECT_THAT(client.ask(R"({"type":"echo"})"), ElementsAre(StartsWith("CLOSE 1008")));
  EXPECT_EQ(root().room_count(), 0u) << "rooms that middleware gave it are gone with it";
  go(nullptr);
  EXPECT_TRUE(root().empty());
}

TEST_F(PlainPeer, MayBeDisconnectedInTheMiddleOfAMessage) {
  registry.of("/")->handlers.listeners("bye").add(
      [](hub::InboundEvent& event) { event.member().sink()->disconnect(event.member(), {}); }, 1);
  Client client = connect();
  client.take();
  client.stream.send(text(R"({"type":"bye"})") + text(R"({"type":"echo","data":1})"));
  EXPECT_THAT(client.take(), ElementsAre("CLOSE 1000 disconnected by the server"));
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(PlainPeer, TellsWhyItLeft) {
  std::vector<std::string> reasons;
  registry.of("/")->handlers.disconnecting.add(
      [&](hub::Member& member, DisconnectReason reason) {
        reasons.push_back(std::string(tidewire::text(reason)) + " " + member.sink()->facts().address);
        member.sink()->disconnect(member, {.connection = true});  // once is enough
      },
      1);
  Client one = connect();
  one.stream.send(websocket::test::close_frame(1000));
  Client two = connect();
  two.stream.reset();
  Client three = connect();
  endpoint->close_all(DisconnectReason::kServerShutdown, websocket::kGoingAway, "the server is stopping");
  reactor.turn();
  three.take();
  EXPECT_THAT(reasons,
              ElementsAre("transport close 127.0.0.1", "transport close 127.0.0.1", "server shutting down 127.0.0.1"));
}

TEST_F(PlainPeer, IsClosedWhenNothingComesAfterAPing) {
  start({.ping_interval_ms = 1'000, .ping_timeout_ms = 400});
  Client silent = connect(), alive = connect();
  silent.take();
  alive.take();
  reactor.advance(1'010);
  EXPECT_THAT(silent.take(), ElementsAre("PING"));
  EXPECT_THAT(alive.take(), ElementsAre("PING"));
  alive.stream.send(websocket::test::client_frame(0x8a, ""));
  reactor.advance(450);
  EXPECT_THAT(silent.take(), ElementsAre("CLOSE 4012 no pong"));
  EXPECT_THAT(alive.take(), IsEmpty());
  reactor.advance(650);
  EXPECT_THAT(alive.take(), ElementsAre("PING"));
}

TEST_F(PlainPeer, IsNotReadWhileItReadsNothing) {
  start({.queue_soft_bytes = 1'000, .queue_hard_bytes = 5'000});
  Client client = connect();
  client.take();
  client.stream.stall();
  const std::string argument = '"' + std::string(600, 'x') + '"';
  for (int i = 0; i < 3; ++i) {
    emit(only_member(), "e", {argument, 1});
    reactor.turn();
  }
  EXPECT_TRUE(client.stream.reading_paused());
  EXPECT_FALSE(only_member().sink()->writable());
  client.stream.drain();
  EXPECT_FALSE(client.stream.reading_paused());
  EXPECT_TRUE(only_member().sink()->writable());
}

TEST_F(PlainPeer, IsClosedOverTheHardLimitAfterTheFanOut) {
  start({.queue_soft_bytes = 1'000, .queue_hard_bytes = 5'000});
  Client slow = connect(), healthy = connect();
  slow.take();
  healthy.take();
  slow.stream.stall();
  const std::string argument = '"' + std::string(600, 'x') + '"';
  for (int i = 0; i < 12; ++i) {
    hub::broadcast(root(), {}, {.namespace_name = "/", .event = "e", .arguments = {argument, 1}});
    reactor.turn();
  }
  EXPECT_EQ(healthy.take().size(), 12u);
  EXPECT_EQ(root().members().size(), 1u);
  slow.stream.drain();
  EXPECT_EQ(slow.take().back(), "CLOSE 4008 slow consumer");
}

TEST_F(PlainPeer, OwesNothingMoreWhenItIsClosedAsSlow) {
  start({.queue_soft_bytes = 1'000, .queue_hard_bytes = 5'000});
  Client slow = connect();
  slow.take();
  slow.stream.stall();
  const std::string argument = '"' + std::string(600, 'x') + '"';
  for (int i = 0; i < 12; ++i) {
    hub::broadcast(root(), {}, {.namespace_name = "/", .event = "e", .arguments = {argument, 1}});
    reactor.turn();
  }
  EXPECT_LT(slow.stream.connection().out().bytes(), 100u);
}

// A budget of one megabyte of which `percent` are in use.
struct ShortMemory {
  explicit ShortMemory(std::size_t percent) {
    base::forget_counted_bytes();
    charge.set(percent * 10'000);
    budget.settle_now();
  }
  base::Budget budget{1'000'000};
  base::Charge charge;
};

TEST_F(PlainPeer, IsClosedOverTheSoftLimitWhenMemoryIsShort) {
  const ShortMemory memory(80);
  start({.queue_soft_bytes = 1'000, .queue_hard_bytes = 5'000, .budget = &memory.budget});
  Client slow = connect();
  slow.take();
  slow.stream.stall();
  const std::string argument = '"' + std::string(600, 'x') + '"';
  for (int i = 0; i < 2; ++i) {
    hub::broadcast(root(), {}, {.namespace_name = "/", .event = "e", .arguments = {argument, 1}});
    reactor.turn();
  }
  slow.stream.drain();
  EXPECT_EQ(slow.take().back(), "CLOSE 4008 slow consumer");
}

TEST_F(PlainPeer, IsToldToComeBackLaterWhenMemoryIsGone) {
  const ShortMemory memory(95);
  start({.budget = &memory.budget});
  Client refused = connect();
  const std::vector<std::string> answers = refused.take();
  EXPECT_THAT(answers, ElementsAre(StartsWith("HTTP/1.1 503")));
  EXPECT_THAT(answers, ElementsAre(HasSubstr("Retry-After: ")));
  EXPECT_EQ(endpoint->statistics.refused_overload, 1u);
}

TEST_F(PlainPeer, IsAmongTheQueuesThatCanBeGivenUp) {
  Client slow = connect(), healthy = connect();
  slow.take();
  slow.stream.stall();
  const std::string argument = '"' + std::string(600, 'x') + '"';
  hub::broadcast(root(), {}, {.namespace_name = "/", .event = "e", .arguments = {argument, 1}});
  reactor.turn();
  std::vector<base::ShedCandidate> queues;
  endpoint->gather_queues(1, queues);
  ASSERT_EQ(queues.size(), 1u);
  queues[0].give_up(queues[0].owner);
  EXPECT_EQ(root().members().size(), 2u);  // not inside the call
  reactor.turn();
  EXPECT_EQ(root().members().size(), 1u);
}

TEST_F(PlainPeer, MaySayMuchOnceItIsAdmitted) {  // B11
  Client client = connect();
  client.take();
  client.say(R"({"type":"echo","id":1,"data":")" + std::string(100'000, 'x') + "\"}");
  EXPECT_THAT(client.take(), ElementsAre(HasSubstr(std::string(100'000, 'x'))));
}

TEST_F(PlainPeer, IsClosedWhenTheOldestByteIsTooOld) {
  start({.queue_soft_bytes = 1'000, .queue_age_ms = 200});
  Client client = connect();
  client.take();
  client.stream.stall();
  const std::string argument = '"' + std::string(2'000, 'x') + '"';
  emit(only_member(), "e", {argument, 1});
  reactor.turn();
  client.stream.connection().out().set_blocked_since(reactor.now());
  emit(only_member(), "e", {argument, 1});
  reactor.advance(150);
  EXPECT_EQ(root().members().size(), 1u);
  reactor.advance(100);
  EXPECT_TRUE(root().members().empty());
}

TEST_F(PlainPeer, DropsVolatileMessagesOnlyWhenNobodyTakesThem) {
  Client client = connect();
  client.take();
  hub::Message message{.namespace_name = "/", .event = "v", .arguments = {}};
  message.is_volatile = true;
  hub::broadcast(root(), {}, message);
  hub::broadcast(root(), {}, message);
  reactor.turn();
  EXPECT_EQ(client.take().size(), 2u) << "two in one turn";
  client.stream.stall();
  for (int i = 0; i < 3; ++i) {
    hub::broadcast(root(), {}, message);
    reactor.turn();
  }
  client.stream.drain();
  EXPECT_EQ(client.take().size(), 1u);
  EXPECT_EQ(root().hub().statistics().volatile_dropped, 2u);
}

TEST_F(PlainPeer, ComesFromAnAllowedOrigin) {
  Options options;
  options.cors.enabled = true;
  options.cors.origins = {"https://a.example"};
  start(options);
  EXPECT_THAT(connect("/", "Origin: https://b.example\r\n").take(), ElementsAre(StartsWith("HTTP/1.1 403")));
  EXPECT_THAT(connect("/", "Origin: https://a.example\r\n").take(), IsEmpty());
}

TEST_F(PlainPeer, IsAskedForPermissionNowOrLater) {
  std::function<void(http::Permission)> answer;
  start({}, [&](const http::Request&, const net::Connection&, std::function<void(http::Permission)> reply) {
    answer = std::move(reply);
  });
  Client denied = connect();
  answer({.allowed = false, .message = "go away"});
  reactor.turn();
  EXPECT_THAT(denied.take(), ElementsAre(AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("go away"))));
  Client dropped = connect();
  answer = nullptr;
  reactor.turn();
  EXPECT_THAT(dropped.take(), ElementsAre(StartsWith("HTTP/1.1 403")));
  Client gone = connect();
  gone.stream.reset();
  answer({});
  Client allowed = connect();
  answer({});
  reactor.turn();
  EXPECT_THAT(allowed.take(), IsEmpty());
  EXPECT_EQ(endpoint->statistics.peers, 1u);
  answer = nullptr;
}

}  // namespace
}  // namespace tidewire::plain
