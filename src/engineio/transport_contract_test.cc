// What every transport owes its session, whatever carries it. To add one: a client with the verbs below, and a line in
// Transports.
#include "engineio/transport.h"

#include <optional>

#include "base/base64.h"
#include "engineio/test_engine.h"

namespace tidewire::engineio {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;

// Splits a payload, and names binary packets as Socket does.
std::vector<std::string> packets_of(std::string payload) {
  std::vector<std::string> packets;
  if (payload.empty()) return packets;
  for (PayloadReader reader(payload); reader.more();) {
    const std::span<char> packet = reader.next();
    const std::string_view text(packet.data(), packet.size());
    std::string bytes;
    if (packet_type(text) != PacketType::kBase64) {
      packets.emplace_back(text);
    } else if (decode_base64_packet(text, bytes)) {
      packets.push_back("bytes:" + bytes);
    }
  }
  return packets;
}

struct PollingClient {
  explicit PollingClient(Engine& engine) : polling(engine.open_polling()), server(polling.server), reactor(engine.reactor) { park(); }
  void park() { waiting.emplace(polling.request("GET")); }
  void send(std::string_view packet) { polling.request("POST", packet); }
  void send_bytes(std::string_view message) {
    std::string packet(1 + base::base64_size(message.size()), 'b');
    base::base64_encode(message, packet.data() + 1);
    send(packet);
  }
  std::vector<std::string> take() {
    const Answer answer = parse_answer(waiting->take());
    if (answer.status == 0) return {};
    park();
    return packets_of(answer.body);
  }
  void vanish() { waiting->reset(); }
  static constexpr std::string_view kName = "polling";

  Polling polling;
  std::optional<net::TestReactor::Peer> waiting;
  Recorder& server;
  net::TestReactor& reactor;
};

struct WebSocketClient {
  explicit WebSocketClient(Engine& engine) : socket(engine.open_websocket()), server(*socket.server), reactor(engine.reactor) {}
  void send(std::string_view packet) { socket.send(packet); }
  void send_bytes(std::string_view message) { socket.send_bytes(message); }
  std::vector<std::string> take() { return socket.take(); }
  void vanish() { socket.peer.reset(); }
  static constexpr std::string_view kName = "websocket";

  Socket socket;
  Recorder& server;
  net::TestReactor& reactor;
};

template <typename Client>
class TransportContract : public testing::Test {
 protected:
  void turn() { engine.reactor.turn(); }
  Engine engine;
  Client client{engine};
  Recorder& server = client.server;
};

using Transports = testing::Types<PollingClient, WebSocketClient>;
TYPED_TEST_SUITE(TransportContract, Transports);

TYPED_TEST(TransportContract, HasItsName) { EXPECT_EQ(this->server.session->transport_name(), TypeParam::kName); }

TYPED_TEST(TransportContract, EchoesTextAndBytes) {
  this->client.send("4hello");
  EXPECT_THAT(this->client.take(), ElementsAre("4hello"));
  this->client.send("4");
  EXPECT_THAT(this->client.take(), ElementsAre("4"));
  this->client.send("4\xd0\xbf\xd0\xbe\xd0\xb9\xd0\xb4\xd1\x83");
  EXPECT_THAT(this->client.take(), ElementsAre("4\xd0\xbf\xd0\xbe\xd0\xb9\xd0\xb4\xd1\x83"));
  this->client.send_bytes(std::string("\0\1\2\3\4", 5));
  EXPECT_THAT(this->client.take(), ElementsAre(std::string("bytes:\0\1\2\3\4", 11)));
}

TYPED_TEST(TransportContract, KeepsTheOrderOfWhatIsSentInOneTurn) {
  this->server.session->send_text("a");
  this->server.session->send_binary("b");
  this->server.session->send_text("c");
  this->turn();
  EXPECT_THAT(this->client.take(), ElementsAre("4a", "bytes:b", "4c"));
}

TYPED_TEST(TransportContract, TextWithAttachmentsStaysTogether) {
  FrameWriter writer(16);
  writer.begin_text();
  writer.append("51-[]");
  writer.end_text();
  writer.binary("x");
  this->server.session->send(writer.finish());
  this->turn();
  EXPECT_THAT(this->client.take(), ElementsAre("451-[]", "bytes:x"));
}

TYPED_TEST(TransportContract, TakesBase64AsBytes) {
  this->client.send("bAQID");
  EXPECT_THAT(this->server.heard, ElementsAre("bytes:\1\2\3"));
}

TYPED_TEST(TransportContract, IsWritableUntilSomethingWaits) {
  Session& session = *this->server.session;
  EXPECT_TRUE(session.writable());
  session.send_text("first");
  EXPECT_FALSE(session.writable());
  EXPECT_GT(session.queued_bytes(), 0u);
  this->turn();
  EXPECT_EQ(session.queued_bytes(), 0u);
  this->client.take();
  EXPECT_TRUE(session.writable());
}

TYPED_TEST(TransportContract, WhatWasSentBeforeACloseStillLeaves) {
  Session& session = *this->server.session;
  session.send_text("bye");
  session.close();
  EXPECT_THAT(this->server.closed, ElementsAre("forced close"));
  session.send_text("too late");
  this->turn();
  EXPECT_THAT(this->client.take(), ElementsAre("4bye", AnyOf("1", "close:1005")));
}

TYPED_TEST(TransportContract, AClosePacketFromTheClientEndsTheSession) {
  this->client.send("1");
  EXPECT_THAT(this->server.closed, ElementsAre("transport close"));
  EXPECT_THAT(this->client.take(), ElementsAre(AnyOf("6", "close:1000")));
  EXPECT_EQ(this->engine.server->statistics().sessions, 0u);
}

TYPED_TEST(TransportContract, AVanishedClientEndsTheSession) {
  this->client.vanish();
  EXPECT_THAT(this->server.closed, ElementsAre(AnyOf("transport close", "transport error")));
}

TYPED_TEST(TransportContract, AnUnknownPacketEndsTheSession) {
  this->client.send("abc");
  EXPECT_THAT(this->server.closed, ElementsAre("parse error"));
  EXPECT_THAT(this->client.take(), ElementsAre(AnyOf("1", "close:1002")));
}

TYPED_TEST(TransportContract, APingFromTheClientEndsTheSession) {
  this->client.send("2");
  EXPECT_THAT(this->server.closed, ElementsAre(AnyOf("transport error", "parse error")));
}

TYPED_TEST(TransportContract, ClosingInsideAMessageIsSafe) {
  this->server.on_message = [](Session& session, const std::string&) { session.close(CloseReason::kParseError, 1002, "why"); };
  this->client.send("4x");
  EXPECT_THAT(this->server.closed, ElementsAre("parse error"));
  EXPECT_THAT(this->client.take(), ElementsAre("4x", AnyOf("1", "close:1002")));
}

TYPED_TEST(TransportContract, PingsAndClosesWithoutPong) {
  this->engine.reactor.advance(25'010);
  EXPECT_THAT(this->client.take(), ElementsAre("2"));
  this->engine.reactor.advance(19'900);
  EXPECT_THAT(this->server.closed, IsEmpty());
  this->engine.reactor.advance(110);
  EXPECT_THAT(this->server.closed, ElementsAre("ping timeout"));
  EXPECT_THAT(this->client.take(), ElementsAre(AnyOf("1", "close:4012")));
}

TYPED_TEST(TransportContract, APongKeepsItAlive) {
  for (int i = 0; i < 5; ++i) {
    this->engine.reactor.advance(25'010);
    EXPECT_THAT(this->client.take(), ElementsAre("2")) << i;
    this->client.send("3");
  }
  EXPECT_THAT(this->server.closed, IsEmpty());
}

TYPED_TEST(TransportContract, APeerThatTalksIsNotClosedForItsMissingPong) {
  this->engine.reactor.advance(25'010);
  EXPECT_THAT(this->client.take(), ElementsAre("2"));
  for (int i = 0; i < 3; ++i) {
    this->engine.reactor.advance(15'000);
    this->client.send("4busy");
    this->client.take();
  }
  EXPECT_THAT(this->server.closed, IsEmpty());
  this->engine.reactor.advance(40'100);
  EXPECT_THAT(this->server.closed, ElementsAre("ping timeout"));
}

TYPED_TEST(TransportContract, AHugeMessageAloneIsSent) {
  const std::string huge(3'000'000, 'x');
  this->server.session->send_text(huge);
  this->turn();
  EXPECT_THAT(this->client.take(), ElementsAre("4" + huge));
  EXPECT_THAT(this->server.closed, IsEmpty());
}

}  // namespace
}  // namespace tidewire::engineio
