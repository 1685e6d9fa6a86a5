#include "http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_exchange.h"

namespace tidewire::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string get(std::string_view path, std::string_view lines = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}
std::string post(std::string_view body, std::string_view lines = {}) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(lines) +
         "\r\n" + std::string(body);
}
std::string answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
constexpr std::string_view kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
constexpr std::string_view kChunkedPost = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

struct HttpConnection : OneHandlerServer, testing::Test {};

TEST_F(HttpConnection, AnswersOneRequestAfterTheOther) {
  auto peer = connect();
  peer.send(get("/a"));
  EXPECT_EQ(peer.take(), answer("GET /a "));
  peer.send(get("/b?c"));
  EXPECT_EQ(peer.take(), answer("GET /b "));
  EXPECT_FALSE(peer.closed());
}

TEST_F(HttpConnection, AnswersTheSameHoweverTheBytesArrive) {
  const std::string conversation =
      get("/a") + post("hello") + std::string(kChunkedPost) + "3\r\nabc\r\n0\r\n\r\n" + get("/b");
  const std::string expected = answer("GET /a ") + answer("POST /p hello") + answer("POST /p abc") + answer("GET /b ");
  for (std::size_t split = 0; split <= conversation.size(); ++split) {
    auto peer = connect();
    if (split != 0) peer.send(std::string_view(conversation).substr(0, split));
    if (split != conversation.size()) peer.send(std::string_view(conversation).substr(split));
    ASSERT_EQ(peer.take(), expected) << split;
  }
  auto peer = connect();
  peer.send_byte_by_byte(conversation);
  EXPECT_EQ(peer.take(), expected);
}

TEST_F(HttpConnection, EndsTruncatedConversationsWithoutAnAnswerToTheRest) {
  const std::string conversation = post("hello", "A: b\r\n");
  for (std::size_t size = 0; size < conversation.size(); ++size) {
    auto peer = connect();
    if (size != 0) peer.send(std::string_view(conversation).substr(0, size));
    peer.finish();
    EXPECT_TRUE(peer.closed());
    EXPECT_THAT(peer.take(),
                size == 0 ? std::string() : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        << size;
  }
  EXPECT_THAT(handler.requests, IsEmpty());
}

TEST_F(HttpConnection, ClosesWhenThePeerWantsIt) {
  auto peer = connect();
  peer.send(get("/a", "Connection: close\r\n"));
  EXPECT_THAT(peer.take(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(peer.closed());
  auto old = connect();
  old.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(old.take(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(old.closed());
}

TEST_F(HttpConnection, AnswersHeadWithoutBody) {
  auto peer = connect();
  peer.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"));
  EXPECT_EQ(peer.take(), "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + answer("GET /b "));
}

TEST_F(HttpConnection, AnswersOptionsOfTheServer) {
  auto peer = connect();
  peer.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(peer.take(), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(HttpConnection, RefusesWhatIsNoRequestAndCloses) {
  for (const char* bytes : {"get / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "SSH-2.0-x\r\n", "GET / HTTP/1.1\nHost: a\n\n"}) {
    auto peer = connect();
    peer.send(bytes);
    EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << bytes;
    EXPECT_TRUE(peer.closed());
  }
  auto peer = connect();
  peer.send("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(peer.take(), HasSubstr("405 Method Not Allowed\r\nContent-Length: 0\r\nAllow: GET,"));
}

// A23: an upgrade is for upgrade routes only, whatever the method.
TEST_F(HttpConnection, UpgradeElsewhereIsNotFound) {
  auto peer = connect();
  peer.send(get("/not-ws", kUpgrade));
  EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(handler.requests, IsEmpty());
}

// ---- bodies

TEST_F(HttpConnection, TakesBodiesUpToTheHandlersLimit) {
  auto peer = connect();
  peer.send(post(std::string(100, 'x')));
  EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 200 OK\r\n"));
  peer.send(post(std::string(101, 'x')));
  EXPECT_EQ(peer.take(), "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(handler.bodies_refused, 1);
  EXPECT_FALSE(peer.closed()) << "the body was read to its end";
}

TEST_F(HttpConnection, ClosesRatherThanReadingABodyThatIsTooLong) {
  auto peer = connect();
  peer.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n");
  EXPECT_EQ(peer.take(), "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(peer.closed());
  auto chunked = connect();
  chunked.send(std::string(kChunkedPost) + "32\r\n" + std::string(50, 'x') + "\r\n33\r\nyy");
  chunked.send(std::string(49, 'y'));
  EXPECT_EQ(chunked.take(), "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(handler.bodies_refused, 2);
  EXPECT_THAT(handler.requests, IsEmpty());
}

TEST_F(HttpConnection, RefusesMalformedChunks) {
  auto peer = connect();
  peer.send(std::string(kChunkedPost) + "5\r\nhelloX");
  EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(handler.aborted, 1) << "the handler had seen the head";
}

TEST_F(HttpConnection, AHandlerMayAnswerBeforeTheBody) {
  handler.at_head = [](Exchange& exchange) { exchange.respond({.status = 400, .headers = {}, .body = "no"}); };
  auto whole = connect();
  whole.send(post("hello") + post("again"));
  EXPECT_EQ(
      whole.take(),
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno");
  auto half = connect();
  half.send(post("hello").substr(0, post("hello").size() - 1));
  EXPECT_EQ(half.take(), "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  EXPECT_TRUE(half.closed());
  EXPECT_THAT(handler.requests, IsEmpty());
}

// H37.
TEST_F(HttpConnection, SaysContinueOnlyToABodyItWants) {
  const std::string request = post("hello", "Expect: 100-continue\r\n");
  const std::string head = request.substr(0, request.size() - 5);
  auto waiting = connect();
  waiting.send(head);
  EXPECT_EQ(waiting.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  waiting.send("hello");
  EXPECT_EQ(waiting.take(), answer("POST /p hello"));
  auto impatient = connect();
  impatient.send(head + "he");
  impatient.send("llo");
  EXPECT_EQ(impatient.take(), answer("POST /p hello"));
  handler.at_head = [](Exchange& exchange) { exchange.respond({.status = 400, .headers = {}, .body = {}}); };
  auto refused = connect();
  refused.send(head);
  EXPECT_THAT(refused.take(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(refused.closed());
}

TEST_F(HttpConnection, RequestAndBodyOutliveTheAnswerInsideTheCall) {
  handler.at_request = [](Exchange& exchange) {
    const Request& request = exchange.request();
    exchange.respond({.status = 200, .headers = {}, .body = "ok"});
    EXPECT_EQ(request.path, "/p");
    EXPECT_EQ(request.header("a"), "b");
  };
  auto peer = connect();
  peer.send_byte_by_byte(post("hello", "A: b\r\n"));
  EXPECT_EQ(peer.take(), answer("ok"));
}

// ---- answers later

TEST_F(HttpConnection, AnswersLaterAndThenServesWhatWaited) {
  handler.keep = true;
  auto peer = connect();
  peer.send(get("/a") + get("/b"));
  peer.send(get("/c"));
  EXPECT_EQ(peer.take(), "");
  ASSERT_NE(handler.kept, nullptr);
  Exchange* first = std::exchange(handler.kept, nullptr);
  handler.keep = false;
  first->respond({.status = 200, .headers = {}, .body = "first"});
  EXPECT_THAT(handler.requests, ElementsAre("GET /a ")) << "never from inside respond()";
  reactor.advance(10);
  EXPECT_EQ(peer.take(), answer("first") + answer("GET /b ") + answer("GET /c "));
}

TEST_F(HttpConnection, StopsReadingBehindAnUnansweredRequest) {
  handler.keep = true;
  auto peer = connect();
  peer.send(get("/a"));
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/b");
  peer.send(requests);
  EXPECT_TRUE(peer.reading_paused());
  peer.send(requests);
  handler.keep = false;
  handler.kept->respond({.status = 200, .headers = {}, .body = {}});
  reactor.advance(100);
  EXPECT_EQ(handler.requests.size(), 2001u);
  EXPECT_FALSE(peer.reading_paused());
}

// H33.
TEST_F(HttpConnection, ServesTenThousandPipelinedRequestsInOrder) {
  handler.at_request = [this](Exchange& exchange) {
    exchange.respond({.status = 200, .headers = {}, .body = std::to_string(handler.requests.size())});
  };
  std::string requests;
  std::string expected;
  for (int i = 1; i <= 10'000; ++i) {
    requests += get("/a");
    expected += answer(std::to_string(i));
  }
  auto peer = connect();
  peer.send(requests);
  reactor.advance(1000);
  EXPECT_EQ(peer.take(), expected);
}

TEST_F(HttpConnection, APeerThatTakesNoAnswersGetsNoMoreOfThem) {
  handler.at_request = [](Exchange& exchange) {
    exchange.respond({.status = 200, .headers = {}, .body = std::string(10'000, 'x')});
  };
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/a");
  auto peer = connect();
  peer.stall();
  peer.send(requests);
  reactor.advance(100);
  EXPECT_LT(handler.requests.size(), 10u);
  EXPECT_LT(peer.connection().out().bytes(), 100'000u);
  peer.drain();
  reactor.advance(5000);
  EXPECT_EQ(handler.requests.size(), 1000u);
}

TEST_F(HttpConnection, TellsTheWatcherWhenThePeerIsGone) {
  handler.keep = true;
  auto reset = connect();
  reset.send(get("/a"));
  reset.reset();
  EXPECT_EQ(handler.aborted, 1);
  auto finished = connect();
  finished.send(get("/a"));
  finished.finish();
  EXPECT_EQ(handler.aborted, 2);
  EXPECT_TRUE(finished.closed());
  auto answered = connect();
  answered.send(get("/a"));
  handler.kept->respond({.status = 200, .headers = {}, .body = {}});
  answered.reset();
  EXPECT_EQ(handler.aborted, 2) << "nothing was owed any more";
}

TEST_F(HttpConnection, TellsWhoWatchesAnAnswerThatItHasLeft) {
  handler.watch_answers = true;
  auto peer = connect();
  peer.send(get("/a"));
  EXPECT_EQ(handler.left, 0);  // heard with the next request
  peer.send(get("/b"));
  EXPECT_EQ(handler.left, 1);
  peer.reset();
  EXPECT_EQ(handler.left, 2);
  EXPECT_EQ(handler.lost, 0);
}

TEST_F(HttpConnection, TellsWhoWatchesAnAnswerThatItIsLost) {
  handler.watch_answers = true;
  auto reset = connect();
  reset.stall();
  reset.send(get("/a"));
  reset.reset();
  EXPECT_EQ(handler.lost, 1);
  auto finished = connect();
  finished.stall();
  finished.send(get("/a"));
  finished.finish();
  EXPECT_EQ(handler.lost, 1);  // half a connection may still take it
  finished.reset();
  EXPECT_EQ(handler.lost, 2);
  auto slow = connect();
  slow.send(get("/a", "Connection: close\r\n"));
  EXPECT_EQ(handler.left, 1);
  EXPECT_EQ(handler.lost, 2);
}

TEST_F(HttpConnection, RequestsWaitForTheAnswerThatIsWatched) {
  handler.watch_answers = true;
  auto peer = connect();
  peer.stall();
  peer.send(get("/a") + get("/b"));
  reactor.advance(100);
  EXPECT_EQ(handler.requests.size(), 1u);
  peer.drain();
  reactor.advance(100);
  EXPECT_EQ(peer.take(), answer("GET /a ") + answer("GET /b "));
  EXPECT_EQ(handler.left, 1);
  peer.send(get("/c") + get("/d"));
  reactor.advance(100);
  EXPECT_EQ(peer.take(), answer("GET /c ") + answer("GET /d "));
}

TEST_F(HttpConnection, WhoDoesNotWatchAnyMoreHearsNothing) {
  handler.at_request = [&](Exchange& exchange) {
    exchange.respond({.status = 200, .headers = {}, .body = "a"});
    exchange.watch_answer(&handler);
    exchange.watch_answer(nullptr);
  };
  auto peer = connect();
  peer.stall();
  peer.send(get("/a"));
  peer.reset();
  EXPECT_EQ(handler.lost, 0);
}

TEST_F(HttpConnection, WritesAddedHeadersOnEveryAnswerOfTheExchangeOnly) {
  handler.at_head = [this](Exchange& exchange) {
    if (handler.heads == 1) exchange.add_response_header("A", "b");
  };
  auto peer = connect();
  peer.send(post(std::string(101, 'x')) + get("/a") + "bad\r\n");
  EXPECT_EQ(peer.take(), "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nA: b\r\n\r\n" + answer("GET /a ") +
                             "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

// ---- other protocols, other shards

class Echo final : public net::StreamHandler {
 public:
  explicit Echo(int& closed) : closed_(closed) {}
  void on_bytes(net::Connection& stream, std::span<char> bytes) override {
    stream.send(base::Frame::copy({bytes.data(), bytes.size()}));
  }
  void on_closed(net::Connection&, net::CloseCause) override { ++closed_; }

 private:
  int& closed_;
};

TEST_F(HttpConnection, SwitchesTheProtocolWithWhatCameBehindTheRequest) {
  int closed = 0;
  handler.at_head = [&](Exchange& exchange) {
    exchange.switch_protocol(base::Frame::copy("101!"), std::make_unique<Echo>(closed));
  };
  auto peer = connect();
  peer.send(get("/a") + "early");
  peer.send(" late");
  EXPECT_EQ(peer.take(), "101!early late");
  reactor.advance(60'000);
  EXPECT_FALSE(peer.closed()) << "no timer of HTTP is left";
  peer.reset();
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(handler.aborted, 0);
}

TEST_F(HttpConnection, KeepsAnUpgradeUntilItIsAnsweredLater) {
  int closed = 0;
  handler.keep = true;
  auto peer = connect();
  peer.send(get("/ws", std::string(kUpgrade) + "Sec-WebSocket-Key: k\r\n"));
  Exchange& upgrade = *handler.kept;
  auto other = connect();
  other.send(get("/other"));
  peer.send("early");
  EXPECT_EQ(upgrade.request().header("sec-websocket-key"), "k");
  EXPECT_EQ(upgrade.request().path, "/ws");
  upgrade.switch_protocol(base::Frame::copy("101!"), std::make_unique<Echo>(closed));
  reactor.advance(10);
  peer.send(" late");
  EXPECT_EQ(peer.take(), "101!early late");
  peer.reset();
  EXPECT_EQ(closed, 1);
}

TEST_F(HttpConnection, TheNewHandlerHearsOfAnEndBeforeItHasTheStream) {
  int closed = 0;
  handler.keep = true;
  auto peer = connect();
  peer.send(get("/ws", kUpgrade));
  peer.send("early");
  handler.kept->switch_protocol(base::Frame::copy("101!"), std::make_unique<Echo>(closed));
  peer.reset();
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(handler.aborted, 0);
}

TEST_F(HttpConnection, HandsOverTheRequestFromItsFirstByte) {
  std::string unread;
  handler.at_head = [&](Exchange& exchange) {
    if (exchange.request().path == "/there") unread = exchange.detach().unread;
  };
  auto peer = connect();
  peer.send(get("/there") + "and more");
  EXPECT_TRUE(peer.detached());
  EXPECT_EQ(unread, get("/there") + "and more");
  EXPECT_THAT(handler.requests, IsEmpty());
}

TEST_F(HttpConnection, HandsOverOnlyWhenEarlierAnswersHaveLeft) {
  std::vector<std::string> unread;
  handler.at_head = [&](Exchange& exchange) {
    if (exchange.request().path == "/there") unread.push_back(exchange.detach().unread);
  };
  auto peer = connect();
  peer.send(get("/here") + get("/there"));
  reactor.advance(10);
  EXPECT_THAT(unread, ElementsAre("", get("/there")));
  EXPECT_EQ(peer.take(), answer("GET /here "));
  EXPECT_TRUE(peer.detached());
}

// ---- time

// H50, H51, H54.
TEST_F(HttpConnection, GivesAHeadTenSecondsHoweverItDrips) {
  auto peer = connect();
  for (const char c : std::string("GET / HTT")) {
    peer.send({&c, 1});
    reactor.advance(1'000);
    EXPECT_FALSE(peer.closed());
  }
  reactor.advance(1'100);
  EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_TRUE(peer.closed());
}

TEST_F(HttpConnection, ClosesSilentlyWhatSaysNothing) {
  auto peer = connect();
  reactor.advance(9'900);
  EXPECT_FALSE(peer.closed());
  reactor.advance(200);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(peer.take(), "");
}

TEST_F(HttpConnection, KeepsAnIdleConnectionThirtySeconds) {
  auto peer = connect();
  peer.send(get("/a"));
  peer.take();
  reactor.advance(29'900);
  EXPECT_FALSE(peer.closed());
  peer.send("G");
  reactor.advance(9'900);
  EXPECT_FALSE(peer.closed()) << "a head has begun, with its own ten seconds";
  reactor.advance(200);
  EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 408 "));

  auto idle = connect();
  idle.send(get("/a"));
  idle.take();
  reactor.advance(30'100);
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(idle.take(), "");
}

TEST_F(HttpConnection, AnExchangeTakesAsLongAsItsHandlerWants) {
  handler.keep = true;
  auto peer = connect();
  peer.send(get("/a"));
  reactor.advance(120'000);
  EXPECT_FALSE(peer.closed());
  handler.kept->respond({.status = 200, .headers = {}, .body = "late"});
  reactor.turn();
  EXPECT_EQ(peer.take(), answer("late"));
}

// H52.
TEST_F(HttpConnection, WantsABodyAtOneKilobytePerSecondAfterItsGrace) {
  handler.body_limit = 1'000'000;
  const auto start = [](net::TestReactor::Peer& peer) {
    peer.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  };
  auto fast = connect();
  start(fast);
  auto slow = connect();
  start(slow);
  for (int second = 0; second < 20; ++second) {
    reactor.advance(1'000);
    fast.send(std::string(1030, 'x'));
    slow.send("x");
  }
  EXPECT_THAT(slow.take(), StartsWith("HTTP/1.1 408 "));
  EXPECT_FALSE(fast.closed());
  EXPECT_EQ(handler.aborted, 1);
}

// ---- proxies

TEST_F(HttpConnection, BelievesTrustedProxiesOnly) {
  options.trusted_proxies = {net::Network::parse("10.0.0.0/8").value()};
  std::vector<std::string> seen;
  handler.at_request = [&](Exchange& exchange) {
    seen.push_back(exchange.stream().peer().ip_text() + (exchange.stream().secure() ? " secure" : ""));
    exchange.respond({.status = 200, .headers = {}, .body = {}});
  };
  auto proxy = connect("10.1.2.3");
  proxy.send(get("/", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.9.9.9\r\nX-Forwarded-Proto: https\r\n"));
  proxy.send(get("/", "X-Forwarded-For: 5.6.7.8\r\n"));
  proxy.send(get("/"));
  auto liar = connect("11.1.2.3");
  liar.send(get("/", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_THAT(seen, ElementsAre("1.2.3.4 secure", "5.6.7.8", "10.1.2.3", "11.1.2.3"));
}

}  // namespace
}  // namespace tidewire::http
