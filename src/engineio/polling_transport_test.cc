#include "engineio/polling_transport.h"

#include "engineio/test_engine.h"

namespace tidewire::engineio {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PollingTransportTest : public testing::Test {
 protected:
  explicit PollingTransportTest(const Options& options = Engine::quick_options()) : engine(options), client(engine.open_polling()) {}
  Engine engine;
  Polling client;
};

TEST_F(PollingTransportTest, TheEchoesOfOnePostComeBackInOneLaterPoll) {
  EXPECT_EQ(client.post("4a\x1e" "bAQID\x1e" "4c"), "ok");
  EXPECT_EQ(client.poll(), "4a\x1e" "bAQID\x1e" "4c");
}

TEST_F(PollingTransportTest, AParkedPollIsAnsweredWithAllEchoesAtOnce) {
  net::TestReactor::Peer waiting = client.request("GET");
  const Answer taken = parse_answer(client.request("POST", "4a\x1e" "4b\x1e" "4c").take());
  EXPECT_EQ(taken.status, 200);
  EXPECT_THAT(taken.head, HasSubstr("Content-Type: text/html\r\n"));
  EXPECT_EQ(parse_answer(waiting.take()).body, "4a\x1e" "4b\x1e" "4c");
}

struct BadPost {
  const char* name;
  std::string body;
};

TEST(PollingTransport, AMalformedPostIsRefusedWholeAndEndsTheSession) {
  const BadPost rows[] = {{"E20 empty", ""},          {"E21 unknown type", "9abc"},  {"E22 ping", "2"},
                          {"E23 separators", "\x1e\x1e"}, {"E24 base64", "b###"},    {"E25 open", "0{}"},
                          {"E27 UTF-8", "4\xff"},      {"E28 upgrade", "5"},          {"good ones before", "4a\x1e" "4b\x1e" "x"}};
  for (const BadPost& row : rows) {
    Engine engine;
    Polling client = engine.open_polling();
    net::TestReactor::Peer waiting = client.request("GET");
    EXPECT_EQ(client.post_status(row.body), 400) << row.name;
    EXPECT_EQ(parse_answer(waiting.take()).body, "1") << row.name;
    EXPECT_THAT(client.server.closed, ElementsAre("parse error")) << row.name;
    EXPECT_THAT(client.server.heard, IsEmpty()) << row.name;
  }
}

TEST_F(PollingTransportTest, NoopAndCloseAreTaken) {
  net::TestReactor::Peer waiting = client.request("GET");
  EXPECT_EQ(client.post("6"), "ok");
  EXPECT_EQ(waiting.take(), "");
  EXPECT_EQ(client.post("4last\x1e" "1\x1e" "4never"), "ok");
  EXPECT_THAT(client.server.heard, ElementsAre("last"));
  EXPECT_EQ(parse_answer(waiting.take()).body, "6");
  EXPECT_THAT(client.server.closed, ElementsAre("transport close"));
}

TEST_F(PollingTransportTest, MorePacketsThanTheBoundEndTheSession) {  // A05, E29
  std::string noops = "6";
  for (int i = 1; i < 10'000; ++i) noops += "\x1e" "6";
  net::TestReactor::Peer peer = client.request("POST", noops);
  for (int turns = 0; turns < 200; ++turns) engine.reactor.turn();
  EXPECT_EQ(parse_answer(peer.take()).body, "ok");
  EXPECT_EQ(client.post_status(noops + "\x1e" "6"), 400);
  EXPECT_THAT(client.server.closed, ElementsAre("parse error"));
}

TEST_F(PollingTransportTest, ALongPostIsHandedUpInTurns) {
  std::string body = "40";
  for (int i = 1; i < 500; ++i) body += "\x1e" "4" + std::to_string(i);
  net::TestReactor::Peer waiting = client.request("GET");
  net::TestReactor::Peer post = client.request("POST", body);
  EXPECT_LE(client.server.heard.size(), 128u);
  EXPECT_EQ(post.take(), "");
  for (int turns = 0; turns < 8; ++turns) engine.reactor.turn();
  EXPECT_EQ(client.server.heard.size(), 500u);
  EXPECT_EQ(parse_answer(post.take()).body, "ok");
  EXPECT_EQ(parse_answer(waiting.take()).body, body);
}

TEST_F(PollingTransportTest, ASessionMayEndInTheMiddleOfALongPost) {
  client.server.on_message = [](Session& session, const std::string& text) {
    if (text == "70") session.close();
  };
  std::string body = "40";
  for (int i = 1; i < 500; ++i) body += "\x1e" "4" + std::to_string(i);
  net::TestReactor::Peer post = client.request("POST", body);
  for (int turns = 0; turns < 8; ++turns) engine.reactor.turn();
  EXPECT_EQ(client.server.heard.size(), 71u);
  EXPECT_EQ(parse_answer(post.take()).body, "ok");
  EXPECT_THAT(client.server.closed, ElementsAre("forced close"));
  EXPECT_THAT(client.poll(), testing::EndsWith("470\x1e" "1"));
}

TEST_F(PollingTransportTest, AClientMayVanishInTheMiddleOfALongPost) {
  std::string body = "4x";
  for (int i = 1; i < 500; ++i) body += "\x1e" "4x";
  client.request("POST", body).reset();
  for (int turns = 0; turns < 8; ++turns) engine.reactor.turn();
  EXPECT_THAT(client.server.closed, ElementsAre("transport error"));
  EXPECT_LT(client.server.heard.size(), 500u);
}

TEST_F(PollingTransportTest, ASecondPollEndsTheSession) {  // E31
  net::TestReactor::Peer first = client.request("GET");
  net::TestReactor::Peer second = client.request("GET");
  EXPECT_EQ(parse_answer(first.take()).body, "1");
  EXPECT_EQ(parse_answer(second.take()).status, 400);
  EXPECT_THAT(client.server.closed, ElementsAre("transport error"));
  EXPECT_EQ(parse_answer(client.request("GET").take()).status, 400);
}

TEST_F(PollingTransportTest, ASecondPostEndsTheSession) {  // E32
  net::TestReactor::Peer first = engine.connect();
  first.send("POST /engine.io/?EIO=4&transport=polling&sid=" + client.sid + " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n4ab");
  EXPECT_EQ(client.post_status("4second"), 400);
  EXPECT_THAT(client.server.closed, ElementsAre("transport error"));
  first.send("cde");
  EXPECT_EQ(parse_answer(first.take()).status, 400);
  EXPECT_THAT(client.server.heard, IsEmpty());
}

TEST_F(PollingTransportTest, AnOctetStreamEndsTheSession) {  // A09, E19
  net::TestReactor::Peer peer = client.request("POST", "4a", "Content-Type: application/octet-stream\r\n");
  EXPECT_EQ(parse_answer(peer.take()).status, 400);
  EXPECT_THAT(client.server.closed, ElementsAre("transport error"));
}

struct SmallPayloads : PollingTransportTest {
  static Options small_options() {
    Options options = Engine::quick_options();
    options.payload_bytes_max = 100;
    return options;
  }
  SmallPayloads() : PollingTransportTest(small_options()) {}
};

TEST_F(SmallPayloads, ABodyOverTheLimitIsRefusedAndTheSessionStays) {  // A11, E30
  EXPECT_EQ(client.post("4" + std::string(99, 'x')), "ok");
  const Answer refused = parse_answer(client.request("POST", "4" + std::string(100, 'x')).take());
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, "");
  EXPECT_EQ(client.poll(), "4" + std::string(99, 'x'));
  EXPECT_EQ(client.post("4again"), "ok");
}

TEST_F(SmallPayloads, ABodyThatGrowsOverTheLimitIsRefusedAndTheSessionStays) {  // A11
  const std::string head = "POST /engine.io/?EIO=4&transport=polling&sid=" + client.sid + " HTTP/1.1\r\nHost: x\r\n";
  net::TestReactor::Peer chunked = engine.connect();
  chunked.send(head + "Transfer-Encoding: chunked\r\n\r\n40\r\n4" + std::string(63, 'x') + "\r\n");
  // Another request in between, so that the thread's memory of this one is gone.
  engine.ask("GET", "/engine.io/?EIO=4&transport=polling");
  chunked.send("40\r\n" + std::string(64, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(parse_answer(chunked.take()).status, 413);
  EXPECT_TRUE(chunked.closed());
  EXPECT_EQ(client.post("4again"), "ok");
  EXPECT_EQ(client.poll(), "4again");
  EXPECT_THAT(client.server.heard, ElementsAre("again"));
}

TEST_F(SmallPayloads, OnePollTakesAsMuchAsThePayloadMayHold) {
  Session& session = *client.server.session;
  session.send_text(std::string(48, 'a'));
  session.send_text(std::string(49, 'b'));
  session.send_text("c");
  session.send_text(std::string(500, 'd'));
  session.send_text("e");
  EXPECT_EQ(client.poll(), "4" + std::string(48, 'a') + "\x1e" "4" + std::string(49, 'b'));
  EXPECT_EQ(client.poll(), "4c");
  EXPECT_EQ(client.poll(), "4" + std::string(500, 'd'));
  EXPECT_EQ(client.poll(), "4e");
}

TEST_F(SmallPayloads, ClosingLeavesNothingBehindHoweverManyPollsItTakes) {
  Session& session = *client.server.session;
  for (const char letter : {'a', 'b', 'c'}) session.send_text(std::string(60, letter));
  net::TestReactor::Peer waiting = client.request("GET");
  session.send_text(std::string(60, 'd'));
  session.close();
  EXPECT_EQ(parse_answer(waiting.take()).body, "4" + std::string(60, 'a'));
  EXPECT_EQ(client.post("4ignored"), "ok");
  EXPECT_EQ(client.poll(), "4" + std::string(60, 'b'));
  EXPECT_EQ(client.poll(), "4" + std::string(60, 'c'));
  EXPECT_EQ(client.poll(), "4" + std::string(60, 'd') + "\x1e" "1");
  EXPECT_EQ(parse_answer(client.request("GET").take()).status, 400);
  EXPECT_THAT(client.server.heard, IsEmpty());
}

TEST_F(PollingTransportTest, AClosedSessionIsForgottenAfterThirtySeconds) {
  client.server.session->close();
  engine.reactor.advance(30'010);
  EXPECT_THAT(client.poll(), HasSubstr("Session ID unknown"));
}

TEST_F(PollingTransportTest, APollThatIsAbortedEndsTheSession) {  // E45
  net::TestReactor::Peer waiting = client.request("GET");
  waiting.reset();
  EXPECT_THAT(client.server.closed, ElementsAre("transport error"));
}

TEST_F(PollingTransportTest, AnAnswerThatIsLostEndsTheSession) {  // E45, A12
  net::TestReactor::Peer waiting = client.request("GET");
  waiting.stall();
  client.server.session->send_text("lost");
  engine.reactor.turn();
  EXPECT_THAT(client.server.closed, IsEmpty());
  waiting.reset();
  EXPECT_THAT(client.server.closed, ElementsAre("transport error"));
  EXPECT_THAT(client.poll(), HasSubstr("Session ID unknown"));
}

TEST_F(PollingTransportTest, AnAnswerThatHasLeftIsNotLost) {
  net::TestReactor::Peer waiting = client.request("GET");
  client.server.session->send_text("there");
  engine.reactor.turn();
  EXPECT_THAT(waiting.take(), HasSubstr("4there"));
  waiting.reset();
  EXPECT_THAT(client.server.closed, IsEmpty());
  client.server.session->send_text("next");
  EXPECT_EQ(client.poll(), "4next");
}

TEST_F(PollingTransportTest, ASessionMayEndBeforeItsLastAnswerHasLeft) {
  net::TestReactor::Peer waiting = client.request("GET");
  waiting.stall();
  client.server.session->send_text("x");
  engine.reactor.turn();
  client.server.session->close();
  engine.reactor.advance(31'000);  // the session is freed
  waiting.reset();
  EXPECT_THAT(client.server.closed, ElementsAre("forced close"));
}

TEST_F(PollingTransportTest, AThousandAnswersLostEndAThousandSessions) {  // A12
  for (int i = 0; i < 1'000; ++i) {
    Polling doomed = engine.open_polling();
    net::TestReactor::Peer waiting = doomed.request("GET");
    if (i % 2 == 0) waiting.stall();
    doomed.server.session->send_text(std::string(3'000, 'x'));
    if (i % 3 != 0) engine.reactor.turn();
    waiting.reset();
    if (doomed.server.session != nullptr) doomed.server.session->close();
  }
  engine.reactor.advance(31'000);
  EXPECT_EQ(engine.server->statistics().sessions, 0u);  // the fixture's own did not poll for 10 s either
}

TEST_F(PollingTransportTest, TheHeadOfThePostIsKnownWhileItsMessagesAreHandedUp) {
  std::string head;
  client.server.on_message = [&](Session& session, const std::string&) { head = session.current_request_head(); };
  client.request("POST", "4x", "X-Custom: yes\r\n");
  EXPECT_THAT(head, HasSubstr("X-Custom: yes\r\n"));
  EXPECT_THAT(std::string(client.server.session->current_request_head()), Not(HasSubstr("X-Custom")));
}

TEST_F(PollingTransportTest, LongAnswersAreCompressedForThoseWhoTakeIt) {
  const std::string text(5'000, 'z');
  client.server.session->send_text(text);
  const Answer coded = parse_answer(client.request("GET", {}, "Accept-Encoding: gzip\r\n").take());
  EXPECT_THAT(coded.head, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_LT(coded.body.size(), 200u);
  client.server.session->send_text("short");
  EXPECT_THAT(parse_answer(client.request("GET", {}, "Accept-Encoding: gzip\r\n").take()).head, Not(HasSubstr("Content-Encoding")));
  client.server.session->send_text(text);
  EXPECT_EQ(client.poll(), "4" + text);
}

TEST_F(PollingTransportTest, AParkedPollKeepsWhatItAccepts) {
  net::TestReactor::Peer waiting = client.request("GET", {}, "Accept-Encoding: gzip\r\n");
  client.server.session->send_text(std::string(5'000, 'z'));
  engine.reactor.turn();
  EXPECT_THAT(waiting.take(), HasSubstr("Content-Encoding: gzip\r\n"));
}

}  // namespace
}  // namespace tidewire::engineio
