#include "engineio/server.h"

#include "engineio/sid.h"
#include "engineio/test_engine.h"

namespace tidewire::engineio {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kPollingHandshake = "/engine.io/?EIO=4&transport=polling";

// Handshakes.

TEST(EngineServer, APollingHandshakeIsAnsweredByTheOpenPacketAlone) {
  Engine engine;
  engine.greet = [](Session& session) { session.send_text("hi"); };
  const Answer answer = engine.ask("GET", kPollingHandshake);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, MatchesRegex(R"(0\{"sid":"[-_A-Za-z0-9]{20}","upgrades":\["websocket"\],"pingInterval":25000,)"
                                        R"("pingTimeout":20000,"maxPayload":1000000\})"));
  EXPECT_THAT(answer.head, HasSubstr("text/plain; charset=UTF-8"));
  EXPECT_THAT(answer.head, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(answer.head, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control")));
}

TEST(EngineServer, AWebSocketHandshakeAnnouncesNoUpgrades) {
  Engine engine;
  engine.greet = [](Session& session) { session.send_text("hi"); };
  Socket socket(engine.upgrade("EIO=4&transport=websocket"), nullptr);
  EXPECT_THAT(socket.take(), ElementsAre(HasSubstr("\"upgrades\":[]"), "4hi"));
}

TEST(EngineServer, TheSessionKnowsWhatWasSaidAtItsHandshake) {
  Engine engine;
  const Polling client = engine.open_polling();
  EXPECT_THAT(client.server.session->handshake().head, StartsWith("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\n"));
  EXPECT_EQ(client.server.session->handshake().address.ip_text(), "127.0.0.1");
  EXPECT_EQ(client.server.session->transport_name(), "polling");
  EXPECT_EQ(client.server.session->sid_text(), client.sid);
}

struct Refused {
  const char* name;
  const char* method;
  const char* query;
  int status;
  const char* body;
};

constexpr char kUnknownTransport[] = R"({"code":0,"message":"Transport unknown"})";
constexpr char kUnknownSid[] = R"({"code":1,"message":"Session ID unknown"})";
constexpr char kBadMethod[] = R"({"code":2,"message":"Bad handshake method"})";
constexpr char kBadRequest[] = R"({"code":3,"message":"Bad request"})";
constexpr char kBadVersion[] = R"({"code":5,"message":"Unsupported protocol version"})";

TEST(EngineServer, RefusesInTheOrderAndTheWordsOfTheReference) {
  const std::string long_sid(4000, 'A');
  const std::string long_query = "EIO=4&transport=polling&sid=" + long_sid;
  const Refused rows[] = {
      {"E01 no version", "GET", "transport=polling", 400, kBadVersion},
      {"E02 version 3", "GET", "EIO=3&transport=polling", 400, kBadVersion},
      {"E03 version 5", "GET", "EIO=5&transport=polling", 400, kBadVersion},
      {"E03 version abc", "GET", "EIO=abc&transport=polling", 400, kBadVersion},
      {"E04 no transport", "GET", "EIO=4", 400, kUnknownTransport},
      {"E05 unknown transport", "GET", "EIO=4&transport=foo", 400, kUnknownTransport},
      {"E06 __proto__", "GET", "EIO=4&transport=__proto__", 400, kUnknownTransport},
      {"E06 constructor", "GET", "EIO=4&transport=constructor", 400, kUnknownTransport},
      {"webtransport", "GET", "EIO=4&transport=webtransport", 400, kUnknownTransport},
      {"E07 sid __proto__", "GET", "EIO=4&transport=polling&sid=__proto__", 400, kUnknownSid},
      {"E08 unknown sid", "GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", 400, kUnknownSid},
      {"sid of a shard that is not", "GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA____", 400, kUnknownSid},
      {"E09 long sid", "GET", long_query.c_str(), 400, kUnknownSid},
      {"E10 websocket without upgrade", "GET", "EIO=4&transport=websocket", 400, kBadRequest},
      {"E11 the last value counts", "GET", "EIO=4&transport=polling&transport=websocket", 400, kBadRequest},
      {"E11 the last version counts", "GET", "EIO=4&transport=polling&EIO=3", 400, kBadVersion},
      {"E15 POST without sid", "POST", "EIO=4&transport=polling", 400, kBadMethod},
      {"E15 PUT without sid", "PUT", "EIO=4&transport=polling", 400, kBadMethod},
      {"OPTIONS without CORS", "OPTIONS", "EIO=4&transport=polling", 400, kBadMethod},
  };
  Engine engine;
  for (const Refused& row : rows) {
    const Answer answer = engine.ask(row.method, "/engine.io/?" + std::string(row.query));
    EXPECT_EQ(answer.status, row.status) << row.name;
    EXPECT_EQ(answer.body, row.body) << row.name;
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json\r\n")) << row.name;
  }
  EXPECT_EQ(engine.server->statistics().refused[5], 5u);
  EXPECT_EQ(engine.server->statistics().handshakes, 0u);
}

TEST(EngineServer, RefusesUpgradesBeforeThe101) {
  const auto refused = [](std::string_view message) {
    return "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: " +
           std::to_string(message.size()) + "\r\n\r\n" + std::string(message);
  };
  Engine engine;
  const std::string sid = engine.open_polling().sid;
  const std::pair<std::string, const char*> rows[] = {
      {"EIO=4&transport=tobi", "Transport unknown"},  // A08
      {"EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", "Session ID unknown"},
      {"EIO=3&transport=websocket", "Unsupported protocol version"},
      {"EIO=4&transport=polling", "Bad request"},
      {"EIO=3&transport=websocket&sid=" + sid, "Bad request"},  // A10, E38
      {"EIO=4&transport=polling&sid=" + sid, "Bad request"},
  };
  for (const auto& [query, message] : rows) {
    net::TestReactor::Peer peer = engine.upgrade(query);
    EXPECT_EQ(peer.take(), refused(message)) << query;
    EXPECT_TRUE(peer.closed()) << query;
  }
  EXPECT_EQ(engine.ask("GET", "/engine.io/?EIO=3&transport=polling&sid=" + sid).body, kBadRequest);  // A10
}

TEST(EngineServer, OtherMethodsOnASessionAreNotAllowedAndHarmless) {
  Engine engine;
  Polling client = engine.open_polling();
  for (const char* method : {"PUT", "DELETE"}) EXPECT_EQ(parse_answer(client.request(method).take()).status, 405);
  EXPECT_EQ(client.post("4a"), "ok");
}

TEST(EngineServer, AClosedSessionIsUnknown) {  // E41
  Engine engine;
  Polling client = engine.open_polling();
  EXPECT_EQ(client.post("1"), "ok");
  EXPECT_EQ(client.poll(), kUnknownSid);
}

TEST(EngineServer, PollingWithASidOfAWebSocketSessionIsRefused) {  // E40
  Engine engine;
  const Socket socket = engine.open_websocket();
  const std::string target = std::string(kPollingHandshake) + "&sid=" + socket.server->session->sid_text();
  EXPECT_EQ(engine.ask("GET", target).body, kBadRequest);
  EXPECT_EQ(engine.ask("POST", target, "4x").body, kBadRequest);
  EXPECT_THAT(socket.server->heard, IsEmpty());
  EXPECT_THAT(socket.server->closed, IsEmpty());
}

TEST(EngineServer, DisabledTransportsAreUnknown) {
  Options options = Engine::quick_options();
  options.polling = false;
  Engine engine(options);
  EXPECT_EQ(engine.ask("GET", kPollingHandshake).body, kUnknownTransport);
  engine.open_websocket();
}

TEST(EngineServer, WithoutUpgradesNoneIsAnnouncedOrAccepted) {
  Options options = Engine::quick_options();
  options.allow_upgrades = false;
  Engine engine(options);
  EXPECT_THAT(engine.ask("GET", kPollingHandshake).body, HasSubstr("\"upgrades\":[]"));
  const Polling client = engine.open_polling();
  EXPECT_THAT(engine.begin_upgrade(client).peer.take(), StartsWith("HTTP/1.1 400"));
}

// Cross-origin, cookies, headers.

TEST(EngineServer, PreflightsAndErrorsCarryCorsHeaders) {
  Options options = Engine::quick_options();
  options.cors.enabled = true;
  options.cors.origins = {"https://good.example"};
  Engine engine(options);
  const Answer preflight = engine.ask("OPTIONS", kPollingHandshake, {}, "Origin: https://good.example\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_THAT(preflight.head, HasSubstr("Access-Control-Allow-Origin: https://good.example"));
  const Answer error = engine.ask("GET", "/engine.io/?EIO=4&transport=x", {}, "Origin: https://good.example\r\n");
  EXPECT_EQ(error.body, kUnknownTransport);
  EXPECT_THAT(error.head, HasSubstr("Access-Control-Allow-Origin: https://good.example"));
}

TEST(EngineServer, AnUpgradeFromAPageThatIsNotListedIsForbidden) {  // A20
  Options options = Engine::quick_options();
  options.cors.enabled = true;
  options.cors.origins = {"https://good.example"};
  Engine engine(options);
  const std::string refused = engine.upgrade("EIO=4&transport=websocket", "Origin: http://evil.example\r\n").take();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"));
  EXPECT_THAT(refused, HasSubstr("\r\n\r\nForbidden"));
  EXPECT_THAT(engine.upgrade("EIO=4&transport=websocket", "Origin: https://good.example\r\n").take(), StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(engine.upgrade("EIO=4&transport=websocket").take(), StartsWith("HTTP/1.1 101"));
  EXPECT_EQ(engine.server->statistics().refused[4], 1u);
}

TEST(EngineServer, OnlyThePollingHandshakeSetsTheCookie) {
  Options options = Engine::quick_options();
  options.cookie_name = "io";
  Engine engine(options);
  const Answer answer = engine.ask("GET", kPollingHandshake);
  EXPECT_THAT(answer.head, HasSubstr("Set-Cookie: io=" + answer.body.substr(9, 20) + "; Path=/; HttpOnly; SameSite=Lax\r\n"));
  EXPECT_THAT(engine.upgrade("EIO=4&transport=websocket").take(), Not(HasSubstr("Set-Cookie")));
}

TEST(EngineServer, InitialHeadersGoOntoTheHandshakeAnswer) {
  Server::Hooks hooks;
  hooks.initial_headers = [](const http::Request& request, std::vector<std::pair<std::string, std::string>>& headers) {
    headers.emplace_back("Set-Cookie", "1=1");
    headers.emplace_back("X-Method", std::string(request.method));
  };
  Engine engine(Engine::quick_options(), std::move(hooks));
  const Answer answer = engine.ask("GET", kPollingHandshake);
  EXPECT_THAT(answer.head, HasSubstr("Set-Cookie: 1=1\r\n"));
  EXPECT_THAT(answer.head, HasSubstr("X-Method: GET\r\n"));
}

// allow_request.

TEST(EngineServer, AllowRequestRefusesWithItsOwnWords) {
  Server::Hooks hooks;
  hooks.allow_request = [](const http::Request& request, const net::Connection&, const std::function<void(http::Permission)>& answer) {
    answer({.allowed = request.query.find("deny") == std::string_view::npos, .message = request.header("why").empty() ? "" : "no \"you\""});
  };
  Engine engine(Engine::quick_options(), std::move(hooks));
  const Answer plain = engine.ask("GET", std::string(kPollingHandshake) + "&deny=1");
  EXPECT_EQ(plain.status, 403);
  EXPECT_EQ(plain.body, R"({"code":4,"message":"Forbidden"})");
  EXPECT_EQ(engine.ask("GET", std::string(kPollingHandshake) + "&deny=1", {}, "Why: x\r\n").body, R"({"code":4,"message":"no \"you\""})");
  EXPECT_THAT(engine.upgrade("EIO=4&transport=websocket&deny=1").take(),
              testing::AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"), testing::EndsWith("\r\n\r\nForbidden")));
  engine.open_polling();
  engine.open_websocket();
}

class LateAdmission : public testing::Test {
 protected:
  static Server::Hooks hooks_of(std::vector<std::function<void(http::Permission)>>& answers) {
    Server::Hooks hooks;
    hooks.allow_request = [&answers](const http::Request&, const net::Connection&, std::function<void(http::Permission)> answer) {
      answers.push_back(std::move(answer));
    };
    return hooks;
  }
  std::vector<std::function<void(http::Permission)>> answers;
  Engine engine{Engine::quick_options(), hooks_of(answers)};
};

TEST_F(LateAdmission, APollingHandshakeWaitsForIt) {
  net::TestReactor::Peer peer = engine.request("GET", kPollingHandshake);
  EXPECT_EQ(peer.take(), "");
  answers.at(0)({});
  engine.reactor.turn();
  EXPECT_THAT(parse_answer(peer.take()).body, StartsWith("0{\"sid\""));
  EXPECT_THAT(engine.recorders.at(0)->session->handshake().head, StartsWith("GET /engine.io/"));
}

TEST_F(LateAdmission, AnUpgradeWaitsForIt) {
  Socket socket(engine.upgrade("EIO=4&transport=websocket"), nullptr);
  EXPECT_THAT(socket.take(), IsEmpty());
  answers.at(0)({});
  engine.reactor.turn();
  EXPECT_THAT(socket.take(), ElementsAre(StartsWith("0{\"sid\"")));
  socket.send("4hello");
  EXPECT_THAT(socket.take(), ElementsAre("4hello"));
}

TEST_F(LateAdmission, ARefusalMayComeLate) {
  net::TestReactor::Peer polling = engine.request("GET", kPollingHandshake);
  net::TestReactor::Peer upgrade = engine.upgrade("EIO=4&transport=websocket");
  answers.at(0)({.allowed = false, .message = "later"});
  answers.at(1)({.allowed = false, .message = "later"});
  engine.reactor.turn();
  EXPECT_EQ(parse_answer(polling.take()).body, R"({"code":4,"message":"later"})");
  EXPECT_THAT(upgrade.take(), testing::EndsWith("\r\n\r\nlater"));
}

TEST_F(LateAdmission, ADroppedQuestionIsARefusal) {
  net::TestReactor::Peer peer = engine.request("GET", kPollingHandshake);
  answers.clear();
  engine.reactor.turn();
  EXPECT_EQ(parse_answer(peer.take()).status, 403);
}

TEST_F(LateAdmission, APeerThatLeftMeanwhileIsForgotten) {
  for (const bool by_upgrade : {false, true}) {
    net::TestReactor::Peer peer = by_upgrade ? engine.upgrade("EIO=4&transport=websocket") : engine.request("GET", kPollingHandshake);
    peer.reset();
    answers.back()({});
    engine.reactor.turn();
  }
  EXPECT_THAT(engine.recorders, IsEmpty());
}

TEST_F(LateAdmission, TheAnswerMayOutliveTheServer) {
  net::TestReactor::Peer peer = engine.request("GET", kPollingHandshake);
  engine.server.reset();
  answers.at(0)({});
  EXPECT_EQ(peer.take(), "");
}

// Shards, shutdown, memory.

TEST(EngineServer, ARequestForAnotherShardsSessionIsHandedOver) {
  std::vector<std::pair<std::uint32_t, std::string>> handed_over;
  Server::Hooks hooks;
  hooks.hand_over = [&](std::uint32_t shard, net::DetachedConnection connection) { handed_over.emplace_back(shard, connection.unread); };
  Engine engine(Engine::quick_options(), std::move(hooks), 4);
  base::SeededRandom random(1);
  const std::string sid = sid_text(SidSource(random, 3).next());
  const std::string target = std::string(kPollingHandshake) + "&sid=" + sid;
  EXPECT_TRUE(engine.request("GET", target).detached());
  EXPECT_TRUE(engine.request("POST", target, "4hello").detached());
  EXPECT_TRUE(engine.upgrade("EIO=4&transport=websocket&sid=" + sid).detached());
  ASSERT_EQ(handed_over.size(), 3u);
  EXPECT_EQ(handed_over[1].first, 3u);
  EXPECT_THAT(handed_over[1].second, testing::AllOf(StartsWith("POST "), testing::EndsWith("\r\n\r\n4hello")));
}

TEST(EngineServer, ClosingAllTellsEveryPeer) {
  Engine engine;
  Polling parked = engine.open_polling();
  net::TestReactor::Peer waiting = parked.request("GET");
  Polling away = engine.open_polling();
  Socket socket = engine.open_websocket();
  EXPECT_EQ(engine.server->statistics().sessions, 3u);
  EXPECT_EQ(engine.server->statistics().polling_sessions, 2u);
  engine.server->close_all(CloseReason::kServerShutdown, websocket::kGoingAway, {});
  engine.reactor.turn();
  EXPECT_EQ(parse_answer(waiting.take()).body, "1");
  EXPECT_EQ(away.poll(), "1");
  EXPECT_THAT(socket.take(), ElementsAre("close:1001"));
  for (const auto& recorder : engine.recorders) EXPECT_THAT(recorder->closed, ElementsAre("server shutting down"));
  EXPECT_EQ(engine.server->statistics().sessions, 0u);
  EXPECT_EQ(engine.server->statistics().polling_sessions, 0u);
}

TEST(EngineServer, OfManySessionsThatNeverCameBackTheOldestGo) {  // E46
  Options options = Engine::quick_options();
  options.unreturned_max = 10;
  Engine engine(options);
  Polling back = engine.open_polling();
  EXPECT_EQ(back.post("4x"), "ok");
  std::vector<Polling> gone;
  for (int i = 0; i < 25; ++i) gone.push_back(engine.open_polling());
  for (std::size_t i = 0; i < gone.size(); ++i) EXPECT_EQ(gone[i].server.closed.size(), i < 15 ? 1u : 0u) << i;
  EXPECT_THAT(back.server.closed, IsEmpty());
  EXPECT_EQ(engine.server->statistics().unreturned, 10u);
  EXPECT_EQ(engine.server->statistics().unreturned_dropped, 15u);
  for (std::size_t i = 15; i < gone.size(); ++i) EXPECT_EQ(gone[i].post("4x"), "ok");
  EXPECT_EQ(engine.server->statistics().unreturned, 0u);
  engine.server->close_all(CloseReason::kServerShutdown, websocket::kGoingAway, {});
  EXPECT_EQ(engine.server->statistics().unreturned, 0u);
}

TEST(EngineServer, SessionsWithLongHandshakesAreFewer) {  // E46
  Options options = Engine::quick_options();
  options.unreturned_max = 10;
  Engine engine(options);
  std::string headers;
  for (int i = 0; i < 2; ++i) headers += "X-Long-" + std::to_string(i) + ": " + std::string(5'000, 'x') + "\r\n";
  for (int i = 0; i < 10; ++i) engine.ask("GET", "/engine.io/?EIO=4&transport=polling", {}, headers);
  EXPECT_EQ(engine.server->statistics().unreturned, 1u);  // 10 KB of 20 each
}

TEST(EngineServer, ASessionThatNeverComesBackIsDropped) {  // E46
  Engine engine;
  const Polling gone = engine.open_polling();
  Polling back = engine.open_polling();
  net::TestReactor::Peer waiting = back.request("GET");
  engine.reactor.advance(9'990);
  EXPECT_THAT(gone.server.closed, IsEmpty());
  engine.reactor.advance(20);
  EXPECT_THAT(gone.server.closed, ElementsAre("ping timeout"));
  EXPECT_THAT(back.server.closed, IsEmpty());
}

}  // namespace
}  // namespace tidewire::engineio
