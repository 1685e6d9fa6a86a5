// The connection over HTTP on a stream without sockets: everything a peer can see, row by row of reliability.md.
#include "websocket/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "http/test_exchange.h"
#include "websocket/deflate.h"
#include "websocket/test_frames.h"

namespace tidewire::websocket {
namespace {

using test::binary;
using test::client_frame;
using test::close_frame;
using test::ping;
using test::text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Writes down what it hears, and does what the test says in the middle of it.
class RecordingListener final : public Listener {
 public:
  void on_text(Connection& connection, std::span<char> message) override { hear(connection, "text:", message); }
  void on_binary(Connection& connection, std::span<char> message) override { hear(connection, "binary:", message); }
  void on_drained(Connection&) override { heard.push_back("drained"); }
  void on_closed(Connection& connection, std::uint16_t code, std::string_view reason, bool by_us) override {
    heard.push_back("closed:" + std::to_string(code) + ":" + std::string(reason) + (by_us ? ":us" : ":peer"));
    if (at_close) at_close(connection);
  }

  std::vector<std::string> heard;
  std::function<void(Connection&, std::string_view)> at_message;
  std::function<void(Connection&)> at_close;

 private:
  void hear(Connection& connection, const char* kind, std::span<char> message) {
    const std::string copy(message.data(), message.size());
    heard.push_back(kind + copy);
    if (at_message) at_message(connection, copy);
  }
};

constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

class WebSocketConnection : public ::testing::Test {
 protected:
  WebSocketConnection() {
    server_.handler.at_head = [this](http::Exchange& exchange) { connection_ = accept(exchange, options_, &listener_); };
  }
  // A connection whose 101 was taken already.
  net::TestReactor::Peer open(std::string_view more_headers = {}) {
    net::TestReactor::Peer peer = server_.connect();
    peer.send(std::string(kUpgrade).append(more_headers) + "\r\n");
    EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 101 "));
    return peer;
  }
  net::TestReactor::Peer open_deflated() { return open("Sec-WebSocket-Extensions: permessage-deflate\r\n"); }
  // Echoes every message as text.
  void echo() {
    listener_.at_message = [](Connection& connection, std::string_view message) { connection.send_text(message); };
  }
  void at_message(std::function<void(Connection&)> act) {
    listener_.at_message = [act = std::move(act)](Connection& connection, std::string_view) { act(connection); };
  }

  Options options_;
  RecordingListener listener_;
  RecordingListener other_;
  Connection* connection_ = nullptr;
  http::OneHandlerServer server_;
};

// What our side writes: "text:hello", "pong:x", "close:1002:reason"; a star behind the kind means compressed.
std::vector<std::string> server_frames(std::string_view wire) {
  std::vector<std::string> frames;
  while (!wire.empty()) {
    const ServerFrame frame = take_server_frame(wire);
    std::string payload(frame.payload);
    if (frame.compressed) {
      std::span<char> message;
      EXPECT_EQ(Inflater::shared().inflate(frame.payload, 10'000'000, message), Inflater::Result::kOk);
      payload.assign(message.data(), message.size());
    }
    CloseStatus status;
    switch (frame.opcode) {
      case Opcode::kText: frames.push_back((frame.compressed ? "text*:" : "text:") + payload); break;
      case Opcode::kBinary: frames.push_back((frame.compressed ? "binary*:" : "binary:") + payload); break;
      case Opcode::kPing: frames.push_back("ping:" + payload); break;
      case Opcode::kPong: frames.push_back("pong:" + payload); break;
      case Opcode::kClose:
        EXPECT_EQ(parse_close(payload, status), FrameError::kNone);
        frames.push_back("close:" + std::to_string(status.code) + ":" + std::string(status.reason));
        break;
      case Opcode::kContinuation: frames.push_back("continuation"); break;
    }
  }
  return frames;
}

TEST_F(WebSocketConnection, EchoesWholeAndSplitMessages) {
  echo();
  auto peer = open();
  peer.send(text("one") + binary("two"));
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("text:one", "text:two"));
  peer.send_byte_by_byte(client_frame(0x01, "thr") + client_frame(0x80, "ee"));
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("text:three"));
  EXPECT_THAT(listener_.heard, ElementsAre("text:one", "binary:two", "text:three"));
}

TEST_F(WebSocketConnection, SendsInEveryLengthForm) {
  auto peer = open();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{125}, std::size_t{126}, std::size_t{65'535}, std::size_t{65'536}}) {
    connection_->send_binary(std::string(size, 'b'));
    server_.reactor.turn();
    EXPECT_THAT(server_frames(peer.take()), ElementsAre("binary:" + std::string(size, 'b')));
  }
}

TEST_F(WebSocketConnection, W36RefusesWithTheRightStatus) {
  auto old = server_.connect();
  old.send("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n");
  EXPECT_THAT(old.received(), StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(old.received(), HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
  EXPECT_TRUE(old.closed());
  auto keyless = server_.connect();
  keyless.send(
      "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_THAT(keyless.received(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(keyless.closed());
  EXPECT_EQ(connection_, nullptr);
}

TEST_F(WebSocketConnection, C01RefusesAnUpgradeWithABody) {
  auto peer = server_.connect();
  peer.send(std::string(kUpgrade) + "Content-Length: 6\r\n\r\n\x81\x80" "abcd");
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(peer.closed());
}

TEST_F(WebSocketConnection, W37ReadsWhatCameBehindTheRequest) {
  echo();
  auto peer = server_.connect();
  peer.send(std::string(kUpgrade) + "\r\n" + text("early"));
  const std::string received = peer.take();
  const std::size_t head_bytes = received.find("\r\n\r\n") + 4;
  EXPECT_THAT(server_frames(std::string_view(received).substr(head_bytes)), ElementsAre("text:early"));
}

TEST_F(WebSocketConnection, A06AnInvalidFrameBehindTheRequestIs1002) {
  auto peer = server_.connect();
  peer.send(std::string(kUpgrade) + "\r\n" + client_frame(0xf1, "x"));
  const std::string received = peer.take();
  EXPECT_THAT(server_frames(std::string_view(received).substr(received.find("\r\n\r\n") + 4)),
              ElementsAre("close:1002:reserved bit set"));
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1002:reserved bit set:us"));
  EXPECT_TRUE(peer.closed());
}

TEST_F(WebSocketConnection, AnErrorIsAnsweredBehindWhatWasEchoed) {
  echo();
  auto peer = open();
  peer.send(text("fine") + text("\xc0\xaf") + text("never"));
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("text:fine", "close:1007:text is not UTF-8"));
  EXPECT_TRUE(peer.closed());
  EXPECT_THAT(listener_.heard, ElementsAre("text:fine", "closed:1007:text is not UTF-8:us"));
}

TEST_F(WebSocketConnection, W23EchoesTheCodeOfAClose) {
  for (const int code : {-1, 1000, 1001, 1014, 3000, 4999}) {
    auto peer = open();
    peer.send(close_frame(code, code < 0 ? "" : "why") + text("ignored"));
    const std::string number = std::to_string(code < 0 ? 1005 : code);
    EXPECT_THAT(server_frames(peer.take()), ElementsAre("close:" + number + ":"));
    EXPECT_TRUE(peer.closed());
    EXPECT_EQ(listener_.heard.back(), "closed:" + number + (code < 0 ? "::peer" : ":why:peer"));
  }
  EXPECT_EQ(listener_.heard.size(), 6u);
}

TEST_F(WebSocketConnection, OurCloseLeavesBehindEverythingQueued) {
  auto peer = open();
  connection_->send_text("low", base::Lane::kLow);
  connection_->send_text("normal");
  connection_->close(kServiceRestart, "soon back");
  connection_->send_text("too late");
  connection_->close(kNormal);
  EXPECT_TRUE(connection_->closing());
  EXPECT_THAT(listener_.heard, IsEmpty());
  server_.reactor.turn();
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("text:normal", "text:low", "close:1012:soon back"));
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1012::us"));
}

TEST_F(WebSocketConnection, OurCloseSaysNothingThatThePeerMustRefuse) {
  const std::string long_reason = "x" + std::string(200, 'y');
  const std::string cut_in_the_middle = std::string(122, 'z') + "\xc3\xa9";
  struct Case {
    std::uint16_t code;
    std::string reason;
    std::string expected;
  };
  for (const Case& each : {Case{0, "zero", "close:1000:zero"}, Case{1006, "", "close:1000:"}, Case{2999, "", "close:1000:"},
                           Case{5000, "", "close:1000:"}, Case{4999, "mine", "close:4999:mine"}, Case{4000, "\xc0\xaf", "close:4000:"},
                           Case{4000, long_reason, "close:4000:" + long_reason.substr(0, 123)},
                           Case{4000, cut_in_the_middle, "close:4000:" + std::string(122, 'z')}}) {
    auto peer = open();
    connection_->close(each.code, each.reason);
    server_.reactor.turn();
    EXPECT_THAT(server_frames(peer.take()), ElementsAre(each.expected));
  }
}

TEST_F(WebSocketConnection, NothingIsDeliveredAfterOurClose) {
  at_message([](Connection& connection) { connection.close(kNoStatus); });
  auto peer = open();
  peer.send(text("a") + text("b"));
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("close:1005:"));
  EXPECT_THAT(listener_.heard, ElementsAre("text:a", "closed:1005::us"));
}

TEST_F(WebSocketConnection, W38FinWithoutCloseAndResetAre1006) {
  auto finished = open();
  finished.send(text("half").substr(0, 3));
  finished.finish();
  EXPECT_TRUE(finished.closed());
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1006::peer"));
  auto reset = open();
  reset.reset();
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1006::peer", "closed:1006::peer"));
}

// B23: close, abort, replace in every callback.
TEST_F(WebSocketConnection, B23TheListenerMayEndItAnywhere) {
  at_message([](Connection& connection) { connection.abort(); });
  open().send(text("a") + text("b"));
  EXPECT_THAT(listener_.heard, ElementsAre("text:a", "closed:1006::us"));

  listener_.heard.clear();
  at_message([](Connection& connection) { connection.close(4000, "enough"), connection.abort(); });
  open().send_byte_by_byte(client_frame(0x01, "a") + client_frame(0x80, "b") + text("c"));
  EXPECT_THAT(listener_.heard, ElementsAre("text:ab", "closed:4000::us"));

  listener_.heard.clear();
  listener_.at_close = [](Connection& connection) {
    connection.close(kNormal), connection.abort(), connection.send_text("x");
  };
  open().send(client_frame(0xf1, ""));
  open().reset();
  open().send(close_frame(1000));
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1002:reserved bit set:us", "closed:1006::peer", "closed:1000::peer"));
}

TEST_F(WebSocketConnection, B23CloseInTheUpgradeItself) {
  server_.handler.at_head = [this](http::Exchange& exchange) {
    accept(exchange, options_, &listener_)->close(kTryAgainLater, "full");
  };
  auto peer = server_.connect();
  peer.send(std::string(kUpgrade) + "\r\n" + text("early"));
  const std::string received = peer.take();
  EXPECT_THAT(server_frames(std::string_view(received).substr(received.find("\r\n\r\n") + 4)),
              ElementsAre("close:1013:full"));
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1013::us"));

  server_.handler.at_head = [this](http::Exchange& exchange) { accept(exchange, options_, &listener_)->abort(); };
  auto aborted = server_.connect();
  aborted.send(std::string(kUpgrade) + "\r\n" + text("early"));
  EXPECT_TRUE(aborted.closed());
  EXPECT_EQ(listener_.heard.back(), "closed:1006::us");
}

TEST_F(WebSocketConnection, AnotherListenerHearsTheNextMessage) {
  at_message([this](Connection& connection) { connection.set_listener(&other_); });
  auto peer = open();
  peer.send(text("a") + text("b"));
  peer.send(close_frame(1000));
  EXPECT_THAT(listener_.heard, ElementsAre("text:a"));
  EXPECT_THAT(other_.heard, ElementsAre("text:b", "closed:1000::peer"));
}

TEST_F(WebSocketConnection, B01APongRepeatsThePingAndStandsInOrder) {
  echo();
  auto peer = open();
  peer.send(ping("a") + text("1") + ping("") + ping(std::string(125, 'p')) + client_frame(0x8a, "nobody asked"));
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("pong:a", "text:1", "pong:", "pong:" + std::string(125, 'p')));
}

TEST_F(WebSocketConnection, W28ABurstIsAnsweredOneByOne) {
  auto peer = open();
  std::string burst;
  std::vector<std::string> pongs;
  for (int i = 0; i < 5'000; ++i) {
    burst += ping(std::to_string(i));
    pongs.push_back("pong:" + std::to_string(i));
  }
  peer.send(burst);
  EXPECT_EQ(server_frames(peer.take()), pongs);
}

TEST_F(WebSocketConnection, W28AFloodIs1008) {
  auto peer = open();
  std::string burst;
  for (int i = 0; i < 1'000; ++i) burst += ping();
  for (int i = 0; i < 21 && !peer.closed(); ++i) peer.send(burst);
  EXPECT_TRUE(peer.closed());
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1008:too many pings:us"));

  auto calm = open();
  for (int i = 0; i < 40; ++i) {
    server_.reactor.advance(1'000);
    calm.send(burst);
  }
  EXPECT_FALSE(calm.closed());
}

TEST_F(WebSocketConnection, B09OnlyTheLatestPongWaitsForAPeerThatDoesNotRead) {
  auto peer = open();
  peer.stall();
  peer.send(ping("first"));
  for (int i = 0; i < 1'000; ++i) peer.send(ping(std::to_string(i)));
  EXPECT_LT(peer.connection().out().bytes(), 100u);
  peer.drain();
  server_.reactor.turn();
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("pong:first", "pong:999"));
}

TEST_F(WebSocketConnection, B09ReadingRestsWhileTooMuchWaits) {
  echo();
  auto peer = open();
  peer.stall();
  peer.send(binary(std::string(300'000, 'x')));
  EXPECT_FALSE(peer.reading_paused());  // the flush had not been tried yet
  peer.send(text("one more"));
  EXPECT_TRUE(peer.reading_paused());
  peer.send(text("held back"));
  EXPECT_EQ(listener_.heard.size(), 2u);
  peer.drain();
  server_.reactor.turn();
  EXPECT_FALSE(peer.reading_paused());
  EXPECT_EQ(listener_.heard.size(), 4u);
  EXPECT_EQ(listener_.heard[2], "drained");
  EXPECT_EQ(server_frames(peer.take()).back(), "text:held back");
}

TEST_F(WebSocketConnection, W30AMessageHasThirtySeconds) {
  auto header = open();
  header.send(text("x").substr(0, 1));
  auto fragments = open();
  fragments.send(client_frame(0x01, ""));
  auto healthy = open();
  server_.reactor.advance(20'000);
  fragments.send(client_frame(0x00, "") + ping());
  healthy.send(client_frame(0x01, ""));
  EXPECT_FALSE(header.closed());
  server_.reactor.advance(10'100);
  EXPECT_THAT(server_frames(header.take()), ElementsAre("close:1008:message not completed in time"));
  EXPECT_THAT(server_frames(fragments.take()), ElementsAre("pong:", "close:1008:message not completed in time"));
  EXPECT_FALSE(healthy.closed());
  healthy.send(client_frame(0x80, "") + client_frame(0x01, "next"));
  server_.reactor.advance(29'000);
  EXPECT_FALSE(healthy.closed());
  healthy.send(client_frame(0x80, ""));
  server_.reactor.advance(60'000);
  EXPECT_FALSE(healthy.closed());
}

TEST_F(WebSocketConnection, OurPingTravels) {
  auto peer = open();
  connection_->ping("are you there");
  connection_->ping(std::string(200, 'p'));
  server_.reactor.turn();
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("ping:are you there", "ping:" + std::string(125, 'p')));
}

TEST_F(WebSocketConnection, DeflatesWhatIsLongEnoughAndCompressible) {
  options_.deflate.enabled = true;
  auto peer = open_deflated();
  const std::string large(2'000, 'a');
  base::Frame stubborn = encode_text(large);
  stubborn.set_compressible(false);
  connection_->send_text(large);
  connection_->send_text("small");
  connection_->send(stubborn);
  server_.reactor.turn();
  EXPECT_THAT(server_frames(peer.take()), ElementsAre("text*:" + large, "text:small", "text:" + large));
  peer.send(client_frame(0xc1, test::deflate("Hello")));
  EXPECT_THAT(listener_.heard, ElementsAre("text:Hello"));
}

TEST_F(WebSocketConnection, ABroadcastIsDeflatedOnce) {
  options_.deflate.enabled = true;
  const std::string large(2'000, 'a');
  const base::Frame frame = encode_text(large);
  auto plain = open();
  connection_->send(frame);
  auto first = open_deflated();
  Connection* const first_connection = connection_;
  auto second = open_deflated();
  first_connection->send(frame);
  connection_->send(frame);
  EXPECT_EQ(first.connection().out().only_frame().data(), second.connection().out().only_frame().data());
  server_.reactor.turn();
  EXPECT_THAT(server_frames(plain.take()), ElementsAre("text:" + large));
  EXPECT_THAT(server_frames(first.take()), ElementsAre("text*:" + large));
}

TEST_F(WebSocketConnection, ASmallerWindowGetsAFrameOfItsOwn) {
  options_.deflate.enabled = true;
  std::string large;
  for (int i = 0; i < 400; ++i) large += std::to_string(i * 7919) + (i % 3 == 0 ? "abc" : "");
  const base::Frame frame = encode_text(large + large);
  auto wide = open_deflated();
  connection_->send(frame);
  auto narrow = open("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n");
  connection_->send(frame);
  server_.reactor.turn();
  std::string_view wire = narrow.received();
  Inflater peer(8, true);
  std::span<char> message;
  ASSERT_EQ(peer.inflate(take_server_frame(wire).payload, 1'000'000, message), Inflater::Result::kOk);
  EXPECT_EQ(std::string(message.data(), message.size()), large + large);
  EXPECT_LT(wide.received().size(), narrow.received().size());
}

TEST_F(WebSocketConnection, WithContextTakeoverOrderIsKeptOverLanes) {
  options_.deflate = {.enabled = true, .context_takeover = true};
  auto peer = open_deflated();
  std::string noise;
  for (std::uint32_t i = 0, state = 1; i < 2'000; ++i)
    noise += static_cast<char>('0' + ((state = state * 1664525 + 1013904223) >> 24) % 64);
  connection_->send_text(noise, base::Lane::kLow);
  connection_->send_text(noise, base::Lane::kHigh);
  server_.reactor.turn();
  const std::string received = peer.take();
  EXPECT_LT(received.size(), 2'000u);
  std::string_view wire = received;
  Inflater client(15, true);
  for (int i = 0; i < 2; ++i) {
    std::span<char> message;
    ASSERT_EQ(client.inflate(take_server_frame(wire).payload, 1'000'000, message), Inflater::Result::kOk);
    EXPECT_EQ(std::string(message.data(), message.size()), noise);
  }
}

TEST_F(WebSocketConnection, TheReactorStoppingIs1001) {
  {
    http::OneHandlerServer stopping;
    stopping.handler.at_head = [this](http::Exchange& exchange) { accept(exchange, options_, &listener_); };
    stopping.connect().send(std::string(kUpgrade) + "\r\n");
  }
  EXPECT_THAT(listener_.heard, ElementsAre("closed:1001:the server is stopping:us"));
}

}  // namespace
}  // namespace tidewire::websocket
