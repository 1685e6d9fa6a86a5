#include "outbound/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>

#include "net/test_certificate.h"
#include "outbound/question.h"
#include "outbound/test_http_server.h"
#include "outbound/test_log.h"
#include "outbound/webhook.h"

namespace tidewire::outbound {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool answer_hello(TestWire& wire, const TestCall&) { return wire.answer(200, "hello", "X-Mark: 7\r\n"); }
bool answer_nothing(TestWire& wire, const TestCall&) {
  wire.hang();
  return false;
}

Request get(std::string url) {
  Request request;
  request.url = std::move(url);
  request.timeout_ms = 10'000;
  return request;
}

std::future<Response> begin(Fetcher& fetcher, Request request) {
  auto promise = std::make_shared<std::promise<Response>>();
  std::future<Response> future = promise->get_future();
  fetcher.fetch(std::move(request), [promise](Response response) { promise->set_value(std::move(response)); });
  return future;
}

Response fetch(Fetcher& fetcher, Request request) { return begin(fetcher, std::move(request)).get(); }

void wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 2'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(condition());
}

// What a client of its own makes of what the server wrote, which then closes.
Response fetch_raw(std::string bytes, std::size_t response_bytes_max = kResponseBytesDefault) {
  TestHttpServer server([&](TestWire& wire, const TestCall&) {
    wire.send(bytes);
    return false;
  });
  Client client({});
  Request request = get(server.url());
  request.response_bytes_max = response_bytes_max;
  return fetch(client, std::move(request));
}

// Answers.

TEST(Client, GetsStatusHeadersAndBody) {
  TestHttpServer server(answer_hello);
  Client client({});
  const Response response = fetch(client, get(server.url("/a?b=c")));
  EXPECT_EQ(response.error, FetchError::kNone);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.header("x-mark"), "7");
  EXPECT_EQ(response.header("x-none"), "");
  EXPECT_THAT(server.calls().at(0).head, HasSubstr("GET /a?b=c HTTP/1.1\r\n"));
}

TEST(Client, PostsBodyAndHeadersAndNothingElse) {
  TestHttpServer server(answer_hello);
  Client client({});
  Request request = get(server.url());
  request.method = Method::kPost;
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = std::string("{\"zero\":\"\0\"}", 12);
  EXPECT_EQ(fetch(client, request).status, 200);
  const TestCall call = server.calls().at(0);
  EXPECT_EQ(call.body, request.body);
  EXPECT_THAT(call.head, ::testing::MatchesRegex("POST / HTTP/1.1\r\nHost: localhost:[0-9]+\r\nAccept: \\*/\\*\r\n"
                                                 "Content-Type: application/json\r\nX-Empty:\r\nContent-Length: 12"));
}

TEST(Client, PostsALargeBodyWithoutAskingFirst) {
  TestHttpServer server(answer_hello);
  Client client({});
  Request request = get(server.url());
  request.method = Method::kPost;
  request.body = std::string(3'000'000, 'x');
  EXPECT_EQ(fetch(client, request).status, 200);
  EXPECT_THAT(server.calls().at(0).head, Not(HasSubstr("Expect")));
  EXPECT_EQ(server.calls().at(0).body.size(), 3'000'000u);
}

TEST(Client, KeepsTheConnection) {
  TestHttpServer server(answer_hello);
  Client client({});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fetch(client, get(server.url())).body, "hello");
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Client, AnErrorStatusIsAnAnswer) {
  for (const int status : {204, 404, 503}) EXPECT_EQ(fetch_raw("HTTP/1.1 " + std::to_string(status) + " x\r\n\r\n").status, status);
}

TEST(Client, TheFinalAnswerCounts) {
  const Response response = fetch_raw("HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late: 2\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("X-Early"), "");
  EXPECT_EQ(response.header("X-Late"), "2");
}

TEST(Client, FollowsNoRedirect) {
  TestHttpServer server([](TestWire& wire, const TestCall&) { return wire.answer(302, "", "Location: /elsewhere\r\n"); });
  Client client({});
  const Response response = fetch(client, get(server.url()));
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.header("Location"), "/elsewhere");
  EXPECT_EQ(server.calls().size(), 1u);
}

TEST(Client, KeepsNoCookies) {
  TestHttpServer server([](TestWire& wire, const TestCall&) { return wire.answer(200, "", "Set-Cookie: a=b\r\n"); });
  Client client({});
  fetch(client, get(server.url()));
  fetch(client, get(server.url()));
  EXPECT_THAT(server.calls().at(1).head, Not(HasSubstr("Cookie")));
}

TEST(Client, InflatesNothing) {
  TestHttpServer server([](TestWire& wire, const TestCall&) { return wire.answer(200, "raw", "Content-Encoding: gzip\r\n"); });
  Client client({});
  EXPECT_EQ(fetch(client, get(server.url())).body, "raw");
  EXPECT_THAT(server.calls().at(0).head, Not(HasSubstr("Accept-Encoding")));
}

TEST(Client, AsksNoProxyOfTheEnvironment) {
  TestHttpServer server(answer_hello);
  TestHttpServer proxy([](TestWire& wire, const TestCall&) { return wire.answer(200, "proxy"); });
  setenv("http_proxy", proxy.url().c_str(), 1);
  setenv("no_proxy", "", 1);
  {
    Client client({});
    EXPECT_EQ(fetch(client, get(server.url())).body, "hello");
  }
  {
    Client client({.proxy_from_environment = true});
    EXPECT_EQ(fetch(client, get(server.url())).body, "proxy") << "unless told to";
  }
  unsetenv("http_proxy");
  unsetenv("no_proxy");
}

// What goes wrong.

TEST(Client, RefusesUrlsThatItMustNotCall) {
  Client client({});
  for (const char* url : {"file:///etc/passwd", "data:text/plain,hi", "ftp://localhost/", "http://example.com/", "localhost", ""}) {
    bool answered = false;
    client.fetch(get(url), [&](const Response& response) {
      EXPECT_EQ(response.error, FetchError::kBadRequest) << url;
      answered = true;
    });
    EXPECT_TRUE(answered) << "on the calling thread";
  }
}

TEST(Client, RefusesHeadersThatWouldBeTwo) {
  TestHttpServer server(answer_hello);
  Client client({});
  for (const Header& header : {Header{"X-A", "1\r\nX-B: 2"}, Header{"X-A\r\nX-B", "1"}, Header{"", "1"}, Header{"X A", "1"}, Header{"X:A", "1"},
                               Header{"X-A", std::string("\0", 1)}}) {
    Request request = get(server.url());
    request.headers = {header};
    EXPECT_EQ(fetch(client, request).error, FetchError::kBadRequest);
  }
  EXPECT_EQ(server.calls().size(), 0u);
}

TEST(Client, RefusesATimeoutThatIsNone) {
  Client client({});
  Request request = get("http://localhost:1/");
  request.timeout_ms = 0;
  EXPECT_EQ(fetch(client, request).error, FetchError::kBadRequest);
}

TEST(Client, ABodyOverItsBoundIsAnError) {
  const std::string body(1'000, 'x');
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + body;
  EXPECT_EQ(fetch_raw(answer, 1'000).body, body);
  const Response response = fetch_raw(answer, 999);
  EXPECT_EQ(response.error, FetchError::kTooLarge);
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.body, "");
}

TEST(Client, AnEndlessBodyIsCutOff) {
  TestHttpServer server([](TestWire& wire, const TestCall&) {
    wire.send("HTTP/1.1 200 OK\r\n\r\n");
    while (wire.send(std::string(16'000, 'x'))) {
    }
    return false;
  });
  Client client({});
  EXPECT_EQ(fetch(client, get(server.url())).error, FetchError::kTooLarge);
}

TEST(Client, AnEndlessHeadIsCutOff) {
  TestHttpServer server([](TestWire& wire, const TestCall&) {
    wire.send("HTTP/1.1 200 OK\r\n");
    while (wire.send("X-More: " + std::string(100, 'x') + "\r\n")) {
    }
    return false;
  });
  Client client({});
  EXPECT_EQ(fetch(client, get(server.url())).error, FetchError::kTooLarge);
}

TEST(Client, EndlessInterimAnswersAreCutOff) {
  TestHttpServer server([](TestWire& wire, const TestCall&) {
    while (wire.send("HTTP/1.1 103 Early\r\nX-More: 1\r\n\r\n")) {
    }
    return false;
  });
  Client client({});
  EXPECT_EQ(fetch(client, get(server.url())).error, FetchError::kTooLarge);
}

TEST(Client, RubbishIsNoAnswer) {
  for (const char* bytes : {"garbage, not HTTP\r\n\r\n", "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_EQ(fetch_raw(bytes).error, FetchError::kProtocol) << bytes;
  }
}

TEST(Client, NobodyListens) {
  std::string url;
  { url = TestHttpServer(answer_hello).url(); }
  Client client({});
  EXPECT_EQ(fetch(client, get(url)).error, FetchError::kConnect);
}

TEST(Client, AHostWithoutAddress) {
  Client client({});
  // No label may be so long: no name server is asked.
  EXPECT_EQ(fetch(client, get("https://" + std::string(64, 'a') + ".invalid/")).error, FetchError::kResolve);
}

TEST(Client, ASilentServerTimesOut) {
  TestHttpServer server(answer_nothing);
  Client client({});
  Request request = get(server.url());
  request.timeout_ms = 50;
  const Response response = fetch(client, request);
  EXPECT_EQ(response.error, FetchError::kTimeout);
  EXPECT_GE(response.elapsed_ms, 50);
}

TEST(Client, ASlowBodyTimesOut) {
  TestHttpServer server([](TestWire& wire, const TestCall&) {
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 100'000 && wire.send("x"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return false;
  });
  Client client({});
  Request request = get(server.url());
  request.timeout_ms = 100;
  EXPECT_EQ(fetch(client, request).error, FetchError::kTimeout);
}

TEST(Client, ErrorTextsHaveNoUrl) {
  TestHttpServer server(answer_nothing);
  Client client({});
  Request request = get(server.url("/path-secret?query-secret"));
  request.timeout_ms = 20;
  const Response response = fetch(client, request);
  EXPECT_NE(response.error_text, "");
  EXPECT_THAT(response.error_text, Not(HasSubstr("secret")));
}

// Bounds.

TEST(Client, SoManyAreInFlightTheOthersWaitInOrder) {
  std::promise<void> open;
  std::shared_future<void> gate = open.get_future().share();
  TestHttpServer server([gate](TestWire& wire, const TestCall&) {
    gate.wait();
    return wire.answer(200, "late");
  });
  Client client({.in_flight_max = 2});
  std::vector<std::future<Response>> all;
  for (int i = 0; i < 6; ++i) all.push_back(begin(client, get(server.url("/" + std::to_string(i)))));
  wait_until([&] { return server.calls().size() == 2; });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(server.calls().size(), 2u);
  open.set_value();
  for (auto& each : all) EXPECT_EQ(each.get().body, "late");
  EXPECT_EQ(server.connections(), 2u);
  // Of two under way one may be slow to arrive: the others pass it, and nothing else is out of order.
  for (std::size_t place = 0; place < 6; ++place) {
    const std::string head = server.calls().at(place).head;
    ASSERT_TRUE(head.starts_with("GET /"));
    EXPECT_LE(static_cast<std::size_t>(head[5] - '0'), place + 1) << head;
  }
}

TEST(Client, WhatWaitsTimesOutInTime) {
  TestHttpServer server(answer_nothing);
  Client client({.in_flight_max = 1});
  Request hang = get(server.url());
  hang.timeout_ms = 600'000;
  std::future<Response> hanging = begin(client, hang);
  wait_until([&] { return server.calls().size() == 1; });
  Request request = get(server.url());
  request.timeout_ms = 600'000;
  std::future<Response> patient = begin(client, request);
  request.timeout_ms = 30;
  EXPECT_EQ(fetch(client, request).error, FetchError::kTimeout);
  EXPECT_EQ(patient.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "which came before it, and still waits";
  EXPECT_EQ(server.calls().size(), 1u);
}

TEST(Client, RefusesMoreThanMayWait) {
  TestHttpServer server(answer_nothing);
  Client client({.in_flight_max = 1, .waiting_max = 10});
  std::future<Response> hanging = begin(client, get(server.url()));
  wait_until([&] { return server.calls().size() == 1; });
  std::vector<std::future<Response>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(begin(client, get(server.url())));
  const std::thread::id here = std::this_thread::get_id();
  for (int i = 0; i < 3; ++i) {
    FetchError error = FetchError::kNone;
    client.fetch(get(server.url()), [&](const Response& response) {
      error = response.error;
      EXPECT_EQ(std::this_thread::get_id(), here);
    });
    EXPECT_EQ(error, FetchError::kOverloaded) << "at once";
  }
  for (auto& each : waiting) EXPECT_EQ(each.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

// Tasks.

TEST(Client, RunsTasksInOrderOnItsThread) {
  Client client({});
  std::promise<std::string> done;
  std::string order;
  std::thread::id first;
  client.after(60, [&] {
    EXPECT_EQ(std::this_thread::get_id(), first);
    done.set_value(order);
  });
  client.after(20, [&] { order += 'c'; });
  client.post([&] {
    first = std::this_thread::get_id();
    order += 'a';
    client.post([&] { order += 'b'; });
  });
  EXPECT_EQ(done.get_future().get(), "abc");
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(Client, NeverRunsATaskEarly) {
  Client client({});
  const base::Milliseconds begun = client.now_ms();
  std::promise<base::Milliseconds> done;
  client.after(30, [&] { done.set_value(client.now_ms()); });
  EXPECT_GE(done.get_future().get(), begun + 30);
}

TEST(Client, TakesCallsFromManyThreads) {
  TestHttpServer server(answer_hello);
  Client client({.in_flight_max = 8});
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) good += fetch(client, get(server.url())).body == "hello";
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(good, 200);
  EXPECT_LE(server.connections(), 8u);
}

// The end.

TEST(Client, ItsEndCancelsWhatIsUnderWayAndWhatWaits) {
  TestHttpServer server(answer_nothing);
  std::vector<std::future<Response>> all;
  bool task_ran = false;
  {
    Client client({.in_flight_max = 2});
    for (int i = 0; i < 5; ++i) all.push_back(begin(client, get(server.url())));
    client.after(60'000, [&] { task_ran = true; });
    wait_until([&] { return server.calls().size() == 2; });
  }
  for (auto& each : all) {
    ASSERT_EQ(each.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_EQ(each.get().error, FetchError::kCancelled);
  }
  EXPECT_FALSE(task_ran);
}

TEST(Client, ItsEndTakesNothingNew) {
  TestHttpServer server(answer_nothing);
  FetchError second = FetchError::kNone;
  {
    Client client({});
    client.fetch(get(server.url()), [&](const Response&) {
      client.fetch(get(server.url()), [&](const Response& response) { second = response.error; });
      client.post([] { FAIL(); });
    });
    wait_until([&] { return server.calls().size() == 1; });
  }
  EXPECT_EQ(second, FetchError::kCancelled);
}

// TLS.

class ClientTls : public ::testing::Test {
 protected:
  ClientTls() : context_(SSL_CTX_new(TLS_server_method())) {
    signal(SIGPIPE, SIG_DFL);  // a parent may have handed down SIG_IGN, which would hide what we look for
    present();
  }
  ~ClientTls() override { SSL_CTX_free(context_); }
  void present() {
    ASSERT_EQ(SSL_CTX_use_certificate_chain_file(context_, files.certificate().c_str()), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context_, files.key().c_str(), SSL_FILETYPE_PEM), 1);
  }

  net::CertificateFiles files;
  SSL_CTX* context_;
};

TEST_F(ClientTls, RefusesACertificateThatNobodySigned) {
  TestHttpServer server(answer_hello, context_);
  Client client({});
  const Response response = fetch(client, get(server.url()));
  EXPECT_EQ(response.error, FetchError::kTls);
  EXPECT_EQ(server.calls().size(), 0u);
}

TEST_F(ClientTls, TakesItWithTheCaFile) {
  TestHttpServer server(answer_hello, context_);
  Client client({.ca_file = files.certificate()});
  EXPECT_EQ(fetch(client, get(server.url())).body, "hello");
}

TEST_F(ClientTls, RefusesAnotherName) {
  files.renew("example.com");
  present();
  TestHttpServer server(answer_hello, context_);
  Client client({.ca_file = files.certificate()});
  EXPECT_EQ(fetch(client, get(server.url())).error, FetchError::kTls);
}

TEST_F(ClientTls, RefusesOldVersions) {
  SSL_CTX_set_security_level(context_, 0);
  SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context_, TLS1_1_VERSION);
  TestHttpServer server(answer_hello, context_);
  Client client({.ca_file = files.certificate()});
  EXPECT_EQ(fetch(client, get(server.url())).error, FetchError::kTls);
}

TEST_F(ClientTls, AMissingCaFileIsAnErrorAndNoWayAround) {
  TestHttpServer server(answer_hello, context_);
  Client client({.ca_file = files.certificate() + ".missing"});
  EXPECT_EQ(fetch(client, get(server.url())).error, FetchError::kTls);
}

TEST_F(ClientTls, SurvivesAResetOfAnIdleConnection) {
  std::promise<void> answered;
  std::shared_future<void> go = answered.get_future().share();
  TestHttpServer server(
      [go](TestWire& wire, const TestCall&) {
        wire.answer(200);
        go.wait();
        wire.reset();
        return false;
      },
      context_);
  Client client({.ca_file = files.certificate()});
  EXPECT_EQ(fetch(client, get(server.url())).status, 200);
  answered.set_value();
  wait_until([&] { return server.open_connections() == 0; });
  fetch(client, get(server.url()));  // says goodbye to the first connection, which is no more
  EXPECT_EQ(server.connections(), 2u);
}

TEST_F(ClientTls, SurvivesAResetWhileItSends) {
  TestHttpServer server(
      [](TestWire& wire, const TestCall&) {
        wire.reset();
        return false;
      },
      context_, false);
  Client client({.ca_file = files.certificate()});
  for (int i = 0; i < 5; ++i) {
    Request request = get(server.url());
    request.method = Method::kPost;
    request.body = std::string(4'000'000, 'x');
    EXPECT_EQ(fetch(client, request).error, FetchError::kProtocol);
  }
}

// Together.

TEST(ClientWith, AWebhookThatFailsOnceIsDeliveredOnceMore) {
  std::atomic<int> calls = 0;
  TestHttpServer server([&](TestWire& wire, const TestCall&) { return wire.answer(calls++ == 0 ? 503 : 200); });
  TestLog log;
  base::SystemRandom random;
  Client client({});
  WebhookOptions options;
  options.url = server.url("/hook");
  options.secret = "a secret of sixteen";
  options.backoff_ms = 10;
  WebhookQueue queue(options, client, random, log);
  for (int i = 0; i < 100; ++i) queue.push(std::to_string(i));
  wait_until([&] { return queue.statistics().delivered == 100; });
  ASSERT_EQ(server.calls().size(), 2u);
  EXPECT_EQ(server.calls()[0].body, server.calls()[1].body);
}

TEST(ClientWith, PushesFromManyThreadsToADeadBackEndStayWithinBounds) {
  TestHttpServer server(answer_nothing);
  TestLog log;
  base::SystemRandom random;
  Client client({});
  WebhookOptions options;
  options.url = server.url();
  options.secret = "a secret of sixteen";
  options.queue_events_max = 500;
  WebhookQueue queue(options, client, random, log);
  std::atomic<int> kept = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 2'500; ++k) kept += queue.push("{}");
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(kept, 500);
  EXPECT_EQ(queue.statistics().queued, 500u);
  EXPECT_EQ(queue.statistics().dropped, 9'500u);
}

TEST(ClientWith, AQuestionIsAnsweredUnderItsTimeout) {
  TestHttpServer server([](TestWire& wire, const TestCall& call) {
    if (call.body == "\"hang\"") wire.hang();
    return wire.answer(200, R"({"allow":true})");
  });
  TestLog log;
  Client client({});
  AskerOptions options;
  options.url = server.url();
  options.secret = "a secret of sixteen";
  Asker asker(options, client, log);
  const auto ask = [&](std::string question, base::Milliseconds timeout_ms) {
    std::promise<Answer> answer;
    asker.ask(std::move(question), timeout_ms, [&](Answer given) { answer.set_value(std::move(given)); });
    return answer.get_future().get();
  };
  EXPECT_EQ(ask("{}", 10'000).value["allow"].as_bool(), true);
  EXPECT_EQ(ask("\"hang\"", 50).error, AskError::kTimeout);
}

}  // namespace
}  // namespace tidewire::outbound
