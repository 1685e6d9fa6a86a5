// Clients on a session without a wire: the rows S of reliability.md 2d by number, and what happens around namespaces.
#include "socketio/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/payload_codec.h"
#include "engineio/frame_writer.h"
#include "hub/test_hub.h"
#include "websocket/frame_codec.h"

namespace tidewire::socketio {
namespace {

using hub::test::TestNode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Writes down what is sent, as Socket.IO packets, and how it was closed.
class FakeSession final : public engineio::Session {
 public:
  const Sid& sid() const noexcept override { return sid_; }
  std::string sid_text() const override { return {}; }
  net::Reactor& reactor() noexcept override { std::abort(); }  // nobody asks
  const engineio::Handshake& handshake() const noexcept override { return handshake_; }
  std::string_view transport_name() const noexcept override { return "websocket"; }
  std::string_view current_request_head() const noexcept override { return {}; }
  void send(const base::Frame& frame, base::Lane) override {
    for (std::string_view wire = frame.wire(); !wire.empty();) {
      const websocket::ServerFrame message = websocket::take_server_frame(wire);
      const bool is_text = message.opcode == websocket::Opcode::kText;
      sent.push_back(is_text ? std::string(message.payload.substr(1)) : "bytes:" + std::string(message.payload));
    }
  }
  void send_text(std::string_view) override {}
  void send_binary(std::string_view) override {}
  std::size_t queued_bytes() const noexcept override { return 0; }
  bool writable() const noexcept override { return true; }
  void set_admitted() override { admitted = true; }
  void close(engineio::CloseReason reason, std::uint16_t code, std::string_view text) override {
    if (listener_ == nullptr) return;
    closed = std::to_string(code) + " " + std::string(text);
    listener_->on_closed(*this, reason);
  }
  void say(std::string text) {
    if (listener_ != nullptr) listener_->on_text(*this, text);
  }
  void say_bytes(std::string bytes) {
    if (listener_ != nullptr) listener_->on_binary(*this, bytes);
  }
  std::vector<std::string> take() { return std::exchange(sent, {}); }

  std::vector<std::string> sent;
  std::string closed;
  bool admitted = false;

 private:
  const Sid sid_{};
  const engineio::Handshake handshake_{};
};

class SocketIoClient : public ::testing::Test {
 protected:
  SocketIoClient() {
    for (const char* name : {"/", "/chat"}) {
      node.of(name)->handlers.any.add(
          [this](hub::InboundEvent& event) {
            heard.push_back(std::string(event.name()) + "[" + std::string(event.arguments().text()) + "]");
            event.acknowledge(event.arguments());
          },
          1);
    }
  }
  ~SocketIoClient() override {
    for (auto& session : sessions) session->close(engineio::CloseReason::kServerShutdown, 1001, {});
    node.run();
    EXPECT_EQ(endpoint.statistics.clients, 0u);
  }
  FakeSession& open() {
    sessions.push_back(std::make_unique<FakeSession>());
    Client::attach(endpoint, *sessions.back());
    return *sessions.back();
  }
  FakeSession& connected(std::string_view connect = "0") {
    FakeSession& session = open();
    session.say(std::string(connect));
    EXPECT_THAT(session.take(), ElementsAre(StartsWith("0")));
    return session;
  }
  // How a connected client is closed for saying this; empty if it is not.
  std::string closed_for(const std::vector<std::string>& packets) {
    heard.clear();
    FakeSession& session = connected();
    for (const std::string& packet : packets) {
      if (packet.starts_with("bytes:")) {
        session.say_bytes(packet.substr(6));
      } else {
        session.say(packet);
      }
    }
    return session.closed.substr(0, 4);
  }
  std::string closed_unconnected_for(const std::string& packet) {
    FakeSession& session = open();
    session.say(packet);
    return session.closed.substr(0, 4);
  }

  std::vector<std::string> heard;
  TestNode node;
  const Dialect dialect{1};
  Endpoint endpoint{.hub = node.hub(), .dialect = dialect, .options = {}};
  std::vector<std::unique_ptr<FakeSession>> sessions;
};

TEST_F(SocketIoClient, S02_S08_ClosesForUnknownPacketsAndASecondConnect) {
  for (const char* packet : {"", "x", "9", "7"}) EXPECT_EQ(closed_for({packet}), "1002") << packet;
  EXPECT_EQ(closed_for({"0"}), "1002");
}

TEST_F(SocketIoClient, S09_ClosesForWhatComesBeforeConnect) {
  for (const char* packet : {R"(2["e"])", "31[]", R"(51-["e",{"_placeholder":true,"num":0}])"}) {
    EXPECT_EQ(closed_unconnected_for(packet), "1002") << packet;
  }
}

TEST_F(SocketIoClient, S09_IgnoresWhatWasInFlightWhenANamespaceWasLeft) {
  FakeSession& session = connected();
  session.say("0/chat,");
  session.say("1/chat,");
  session.say(R"(2/chat,["e"])");
  EXPECT_EQ(session.closed, "");
  EXPECT_THAT(heard, IsEmpty());
  node.advance(base::limits::kLateNamespacePacketMs + 10);
  session.say(R"(2/chat,["e"])");
  EXPECT_THAT(session.closed, StartsWith("1002"));
}

TEST_F(SocketIoClient, S10_RefusesAnUnknownNamespaceAndTooMany) {
  FakeSession& session = connected();
  session.say("0/x,");
  EXPECT_THAT(session.take(), ElementsAre(R"(4/x,{"message":"Invalid namespace"})"));
  EXPECT_EQ(session.closed, "");
  for (int i = 0; i < 20; ++i) node.of("/n" + std::to_string(i));
  for (int i = 0; i < 15; ++i) session.say("0/n" + std::to_string(i) + ",");
  EXPECT_EQ(session.closed, "");
  session.say("0/n15,");
  EXPECT_THAT(session.closed, StartsWith("1002"));
}

TEST_F(SocketIoClient, S11_S13_ClosesForAPayloadThatIsNoObject) {
  for (const char* packet : {"0{", "0[]", "0\"x\"", "0null"})
    EXPECT_EQ(closed_unconnected_for(packet), "1002") << packet;
}

TEST_F(SocketIoClient, S14_S21_ClosesForMalformedEvents) {
  for (const char* packet :
       {R"(4{"message":"x"})", "1{}", R"(2{"a":1})", "2[]", R"(2["connect"])", R"(2["disconnecting"])",
        R"(2["newListener"])", "2[{}]", "2[null]", R"(2["e"]x)", R"(2["e",NaN])", "2[\"e\x01\"]"}) {
    EXPECT_EQ(closed_for({packet}), "1002") << packet;
  }
}

TEST_F(SocketIoClient, S19b_DeliversOddNamesAsTheyAre) {
  for (const char* name : {"__proto__", "constructor", "error", ""}) {
    EXPECT_EQ(closed_for({R"(2[")" + std::string(name) + "\"]"}), "");
    EXPECT_THAT(heard, ElementsAre(std::string(name) + "[]"));
  }
  EXPECT_EQ(closed_for({"2[5,1]"}), "");
  EXPECT_THAT(heard, ElementsAre("5[1]"));
}

TEST_F(SocketIoClient, S23_S33_ClosesForBadAttachments) {
  for (const char* packet :
       {R"(511-["e"])", R"(51000000000-["e"])", R"(5-1-["e"])", R"(50-["e"])", R"(5-["e"])", R"(51e0-["e"])",
        R"(501-["e"])", R"(51-["e",{"_placeholder":true,"num":5}])", R"(51-["e",{"_placeholder":true,"num":-1}])",
        R"(51-["e",{"_placeholder":true,"num":0.5}])", R"(51-["e",{"_placeholder":true,"num":"splice"}])",
        R"(51-["e",{"_placeholder":true,"num":)", R"(51-["e)"}) {
    EXPECT_EQ(closed_for({packet}), "1002") << packet;
  }
}

TEST_F(SocketIoClient, S34_S35_DeliversUnusedAndRepeatedAttachmentsWithinABound) {
  const std::string used = R"({"_placeholder":true,"num":0})";
  EXPECT_EQ(closed_for({R"(51-["e"])", "bytes:x"}), "");
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_EQ(closed_for({R"(51-["e",)" + used + "," + used + "]", "bytes:x"}), "");
  EXPECT_EQ(heard.size(), 1u);
  std::string many = R"(51-["e")";
  for (int i = 0; i < 50; ++i) many += "," + used;
  EXPECT_EQ(closed_for({many + "]", "bytes:" + std::string(1'000'000, 'x')}), "1002");
}

TEST_F(SocketIoClient, S36_S38_ClosesForTextOrBytesOutOfPlace) {
  EXPECT_EQ(closed_for({R"(51-["e"])", R"(2["e"])"}), "1002");
  EXPECT_EQ(closed_for({"bytes:x"}), "1002");
  FakeSession& session = connected();
  session.say(R"(51-["e"])");
  node.advance(base::limits::kAttachmentsCompletionMs + 10);
  EXPECT_THAT(session.closed, StartsWith("1002"));
}

TEST_F(SocketIoClient, S39_S45_TakesAcknowledgementsForWhatWasAsked) {
  EXPECT_EQ(closed_for({"377[1]"}), "");
  EXPECT_EQ(closed_for({"31"}), "");
  for (const char* packet : {"3-1[]", "31{}", R"(29007199254740992["e"])"})
    EXPECT_EQ(closed_for({packet}), "1002") << packet;
  EXPECT_EQ(closed_for({R"(29007199254740991["e"])"}), "");
  EXPECT_THAT(sessions.back()->take(), ElementsAre("39007199254740991[]"));
}

TEST_F(SocketIoClient, S46_S53_BoundsDepthAndKeepsValuesVerbatim) {
  EXPECT_EQ(closed_for({R"(2["e",)" + std::string(200'000, '[')}), "1002");
  EXPECT_EQ(closed_for({R"(2["e",)" + std::string(64, '[') + std::string(64, ']') + "]"}), "1002");
  EXPECT_EQ(closed_for({R"(2["e",1e400,{"a":1,"a":2},"\ud800",{"__proto__":1},9007199254740993])"}), "");
  EXPECT_THAT(heard, ElementsAre(R"(e[1e400,{"a":1,"a":2},"\ud800",{"__proto__":1},9007199254740993])"));
}

TEST_F(SocketIoClient, S54_S57_BoundsNamesAndTime) {
  EXPECT_EQ(closed_unconnected_for("0/" + std::string(300, 'x') + ","), "1002");
  FakeSession& idle = open();
  FakeSession& busy = connected("0/chat?token=1,");
  node.advance(endpoint.options.connect_timeout_ms + 10);
  EXPECT_NE(idle.closed, "");
  EXPECT_EQ(busy.closed, "");
}

TEST_F(SocketIoClient, KeepsEventsUntilTheMiddlewareHasAnswered) {
  hub::Next go;
  node.of("/slow")->middlewares.add([&](hub::Member&, hub::Next next) { go = std::move(next); }, 1);
  node.of("/slow")->handlers.listeners("e").add([this](hub::InboundEvent&) { heard.emplace_back("e"); }, 1);
  FakeSession& session = connected();
  session.say("0/slow,");
  session.say(R"(2/slow,["e"])");
  EXPECT_THAT(heard, IsEmpty());
  go(nullptr);
  EXPECT_THAT(heard, ElementsAre("e"));
  EXPECT_THAT(session.take(), ElementsAre(StartsWith("0/slow,")));
}

TEST_F(SocketIoClient, B11_MaySendMuchOnlyWhenItIsAdmitted) {
  hub::Next go;
  node.of("/slow")->middlewares.add([&](hub::Member&, hub::Next next) { go = std::move(next); }, 1);
  FakeSession& session = open();
  EXPECT_FALSE(session.admitted);
  session.say("0/slow,");
  EXPECT_FALSE(session.admitted);
  const std::string half(base::limits::kMessageBytesBeforeAdmission / 2, 'x');
  session.say("2/slow,[\"e\",\"" + half + "\"]");
  EXPECT_EQ(session.closed, "");
  session.say("2/slow,[\"e\",\"" + half + "\"]");
  EXPECT_THAT(session.closed, StartsWith("1002"));
  go(nullptr);
  EXPECT_FALSE(session.admitted);
  EXPECT_TRUE(connected().admitted);
}

TEST_F(SocketIoClient, MayConnectAgainAfterItWasDisconnectedOnArrival) {
  int arrivals = 0;
  node.of("/door")->connection.add(
      [&](hub::Member& member) {
        if (++arrivals == 1) member.sink()->disconnect(member, {});
      },
      1);
  FakeSession& session = connected();
  session.say("0/door,");
  EXPECT_THAT(session.take(), ElementsAre(StartsWith("0/door,"), "1/door,"));
  session.say("0/door,");
  EXPECT_THAT(session.take(), ElementsAre(StartsWith("0/door,")));
  EXPECT_EQ(session.closed, "");
  EXPECT_EQ(arrivals, 2);
}

TEST_F(SocketIoClient, MayGoWhileTheMiddlewareThinks) {
  hub::Next go;
  node.of("/slow")->middlewares.add([&](hub::Member&, hub::Next next) { go = std::move(next); }, 1);
  FakeSession& session = connected();
  session.say("0/slow,");
  session.close(engineio::CloseReason::kTransportClose, 1005, {});
  node.run();
  go(nullptr);
  EXPECT_TRUE(node.space(0, "/slow").empty());
}

TEST_F(SocketIoClient, SendsBytesBesideTheirPacket) {
  FakeSession& session = connected();
  session.say(R"(51-7["e",{"_placeholder":true,"num":0}])");
  session.say_bytes("octets");
  EXPECT_THAT(session.take(), ElementsAre(R"(61-7[{"_placeholder":true,"num":0}])", "bytes:octets"));
}

}  // namespace
}  // namespace tidewire::socketio
