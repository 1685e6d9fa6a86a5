#include "outbound/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "outbound/signature.h"
#include "outbound/test_fetcher.h"
#include "outbound/test_log.h"
#include "tidewire/value.h"

namespace tidewire::outbound {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class Webhook : public ::testing::Test {
 protected:
  Webhook() {
    options.name = "orders";
    options.url = "https://hooks.example.com/t/path-secret?key=query-secret";
    options.secret = "a secret of sixteen";
    options.batch_events_max = 3;
    options.batch_ms = 100;
    options.breaker.failures_max = 1'000;
  }
  WebhookQueue& queue() {
    if (!queue_) queue_ = std::make_unique<WebhookQueue>(options, fetcher, random, log);
    return *queue_;
  }
  void push(int from, int to) {
    for (int i = from; i <= to; ++i) queue().push(std::to_string(i));
  }
  static Value body_of(const Request& request) { return Value::parse(request.body).value(); }
  Value body(std::size_t i) { return body_of(fetcher.sent().at(i)); }
  std::string events(std::size_t i) { return body(i)["events"].to_json(); }
  std::string header(std::size_t i, std::string_view name) {
    for (const Header& each : fetcher.sent().at(i).headers) {
      if (each.name == name) return each.value;
    }
    return "none";
  }
  void destroy_queue() { queue_.reset(); }

  WebhookOptions options;
  TestLog log;
  base::SeededRandom random{7};
  TestFetcher fetcher;

 private:
  std::unique_ptr<WebhookQueue> queue_;
};

// Batches.

TEST_F(Webhook, WaitsForABatch) {
  push(1, 2);
  fetcher.run_for(99);
  EXPECT_EQ(fetcher.sent().size(), 0u);
  fetcher.run_for(1);
  ASSERT_EQ(fetcher.sent().size(), 1u);
  EXPECT_EQ(events(0), "[1,2]");
  EXPECT_EQ(body(0)["dropped"].as_int64(), 0);
  EXPECT_EQ(body(0)["time_ms"].as_int64(), TestFetcher::kUnixMs + 100);
  EXPECT_EQ(body(0)["id"].as_string()->size(), 32u);
}

TEST_F(Webhook, SendsAFullBatchAtOnce) {
  push(1, 3);
  fetcher.run_for(0);
  ASSERT_EQ(fetcher.sent().size(), 1u);
  EXPECT_EQ(events(0), "[1,2,3]");
}

TEST_F(Webhook, ABatchIsFullByBytesToo) {
  options.batch_bytes_max = 10;
  queue().push("\"12345\"");
  queue().push("\"67890\"");
  fetcher.run_for(0);
  EXPECT_EQ(events(0), "[\"12345\"]");
  queue().push("\"an event larger than a batch\"");
  fetcher.answer(200);
  EXPECT_EQ(events(1), "[\"67890\"]");
  fetcher.answer(200);
  EXPECT_EQ(events(2), "[\"an event larger than a batch\"]");
}

TEST_F(Webhook, KeepsTheOrderWithOneBatchInFlight) {
  push(1, 7);
  fetcher.run_for(1'000);
  EXPECT_EQ(fetcher.sent().size(), 1u);
  fetcher.answer(200);
  EXPECT_EQ(fetcher.sent().size(), 2u);
  fetcher.answer(503);
  fetcher.run_for(1'000);
  fetcher.answer(204);
  EXPECT_EQ(events(0), "[1,2,3]");
  EXPECT_EQ(events(1), "[4,5,6]");
  EXPECT_EQ(events(2), "[4,5,6]");
  EXPECT_EQ(events(3), "[7]");
  fetcher.answer(200);
  EXPECT_EQ(queue().statistics().delivered, 7u);
  EXPECT_EQ(queue().statistics().queued, 0u);
  EXPECT_EQ(queue().statistics().queued_bytes, 0u);
}

TEST_F(Webhook, BeginsAnewAfterAPause) {
  push(1, 1);
  fetcher.run_for(100);
  fetcher.answer(200);
  push(2, 2);
  fetcher.run_for(99);
  EXPECT_EQ(fetcher.sent().size(), 1u);
  fetcher.run_for(1);
  EXPECT_EQ(events(1), "[2]");
}

TEST_F(Webhook, DrainDoesNotWait) {
  push(1, 1);
  queue().drain();
  fetcher.run_for(0);
  EXPECT_EQ(fetcher.sent().size(), 1u);
}

// The request.

TEST_F(Webhook, IsSignedAndNamed) {
  push(1, 3);
  fetcher.run_for(0);
  const Request& sent = fetcher.sent()[0];
  EXPECT_EQ(sent.method, Method::kPost);
  EXPECT_EQ(sent.url, options.url);
  EXPECT_EQ(sent.timeout_ms, options.timeout_ms);
  EXPECT_EQ(header(0, "Content-Type"), "application/json");
  EXPECT_THAT(header(0, "User-Agent"), ::testing::MatchesRegex("tidewire/[0-9.]+"));
  EXPECT_EQ(header(0, "Idempotency-Key"), body(0)["id"].as_string());
  EXPECT_TRUE(verify_signature(options.secret, header(0, "Tidewire-Timestamp"), header(0, "Tidewire-Signature"), sent.body,
                               TestFetcher::kUnixMs / 1'000));
}

TEST_F(Webhook, ARetryIsTheSameBatchSignedAnew) {
  push(1, 3);
  fetcher.run_for(0);
  fetcher.answer(500, {}, {{"retry-after", "60"}});
  fetcher.run_for(60'000);
  ASSERT_EQ(fetcher.sent().size(), 2u);
  EXPECT_EQ(fetcher.sent()[1].body, fetcher.sent()[0].body);
  EXPECT_EQ(header(1, "Idempotency-Key"), header(0, "Idempotency-Key"));
  EXPECT_EQ(header(1, "Tidewire-Timestamp"), "1700000060");
  EXPECT_TRUE(verify_signature(options.secret, header(1, "Tidewire-Timestamp"), header(1, "Tidewire-Signature"),
                               fetcher.sent()[1].body, TestFetcher::kUnixMs / 1'000 + 60));
  EXPECT_EQ(queue().statistics().batches_retried, 1u);
}

TEST_F(Webhook, EveryBatchHasItsOwnId) {
  std::set<std::string> ids;
  push(1, 30);
  fetcher.run_for(0);
  for (int i = 0; i < 10; ++i) fetcher.answer(200);
  for (std::size_t i = 0; i < 10; ++i) ids.insert(header(i, "Idempotency-Key"));
  EXPECT_EQ(ids.size(), 10u);
}

// Retries.

TEST_F(Webhook, RetriesWhatMayPass) {
  options.attempts_max = 100;
  push(1, 3);
  fetcher.run_for(0);
  std::size_t tries = 1;
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 599}) {
    fetcher.answer(status);
    fetcher.run_for(options.backoff_max_ms);
    EXPECT_EQ(fetcher.sent().size(), ++tries) << status;
  }
  for (const FetchError error : {FetchError::kTimeout, FetchError::kResolve, FetchError::kConnect, FetchError::kTls, FetchError::kProtocol}) {
    fetcher.fail(error);
    fetcher.run_for(options.backoff_max_ms);
    EXPECT_EQ(fetcher.sent().size(), ++tries) << fetch_error_text(error);
  }
}

TEST_F(Webhook, GivesUpWhatIsFinal) {
  for (const int status : {301, 302, 304, 400, 401, 403, 404, 410, 413, 422}) {
    push(1, 3);
    fetcher.run_for(0);
    const std::size_t sent = fetcher.sent().size();
    fetcher.answer(status);
    fetcher.run_for(60'000);
    EXPECT_EQ(fetcher.sent().size(), sent) << status;
  }
  EXPECT_EQ(queue().statistics().failed, 30u);
  EXPECT_EQ(queue().statistics().batches_retried, 0u);
  EXPECT_THAT(log.lines(), Contains("webhook batch given up name=orders events=3 attempts=1 cause=status 404"));
}

TEST_F(Webhook, BacksOffTwiceAsLongEachTimeWithJitter) {
  options.attempts_max = 12;
  push(1, 3);
  fetcher.run_for(0);
  base::Milliseconds whole = options.backoff_ms;
  std::set<base::Milliseconds> off;  // how far from the middle
  for (std::size_t i = 1; i < 12; ++i) {
    fetcher.answer(503);
    fetcher.run_for(options.backoff_max_ms);
    ASSERT_EQ(fetcher.sent().size(), i + 1);
    const base::Milliseconds pause = fetcher.sent_at(i) - std::max<base::Milliseconds>(0, (fetcher.now_ms() - options.backoff_max_ms));
    EXPECT_GE(pause, whole / 2);
    EXPECT_LE(pause, whole);
    off.insert(pause * 1'000 / whole);
    whole = std::min(whole * 2, options.backoff_max_ms);
  }
  EXPECT_GT(off.size(), 5u);
}

TEST_F(Webhook, GivesUpAfterSoManyAttempts) {
  options.attempts_max = 4;
  push(1, 4);
  fetcher.run_for(0);
  for (int i = 0; i < 4; ++i) {
    fetcher.fail(FetchError::kConnect);
    fetcher.run_for(60'000);
  }
  ASSERT_EQ(fetcher.sent().size(), 5u);
  EXPECT_EQ(events(4), "[4]");
  EXPECT_EQ(body(4)["dropped"].as_int64(), 3) << "the receiver hears of the gap";
  EXPECT_EQ(queue().statistics().failed, 3u);
  EXPECT_EQ(queue().statistics().batches_retried, 3u);
  EXPECT_THAT(log.lines(), Contains("webhook batch given up name=orders events=3 attempts=4 cause=as the test says"));
}

TEST_F(Webhook, HonoursRetryAfter) {
  options.retry_after_ms_max = 100'000;
  options.attempts_max = 100;
  push(1, 3);
  fetcher.run_for(0);
  const auto pause_after = [&](const std::string& wish) {
    const base::Milliseconds answered_at = fetcher.now_ms();
    const std::size_t sent = fetcher.sent().size();
    fetcher.answer(429, {}, {{"Retry-After", wish}});
    while (fetcher.sent().size() == sent) fetcher.run_for(1);
    return fetcher.now_ms() - answered_at;
  };
  EXPECT_EQ(pause_after("90"), 90'000);
  EXPECT_EQ(pause_after("Tue, 14 Nov 2023 22:16:20 GMT"), 90'000) << "1700000180, and it is 1700000090";
}

TEST_F(Webhook, BoundsRetryAfter) {
  options.retry_after_ms_max = 100'000;
  options.backoff_max_ms = options.backoff_ms = 1;
  options.attempts_max = 100;
  push(1, 3);
  fetcher.run_for(0);
  for (const char* wish : {"101", "99999999999999999999999", "Fri, 31 Dec 2100 00:00:00 GMT"}) {
    const std::size_t sent = fetcher.sent().size();
    fetcher.answer(503, {}, {{"Retry-After", wish}});
    fetcher.run_for(99'999);
    EXPECT_EQ(fetcher.sent().size(), sent) << wish;
    fetcher.run_for(1);
    EXPECT_EQ(fetcher.sent().size(), sent + 1) << wish;
  }
  for (const char* wish : {"soon", "-5", "Mon, 01 Jan 1990 00:00:00 GMT", "", "1.5x"}) {
    const std::size_t sent = fetcher.sent().size();
    fetcher.answer(503, {}, {{"Retry-After", wish}});
    fetcher.run_for(1);
    EXPECT_EQ(fetcher.sent().size(), sent + 1) << wish << ": the back-off alone counts";
  }
}

// The breaker.

TEST_F(Webhook, LeavesADeadBackEndAlone) {
  options.breaker = {.failures_max = 2, .cool_down_ms = 40'000, .cool_down_max_ms = 40'000};
  push(1, 3);
  fetcher.run_for(0);
  fetcher.fail(FetchError::kConnect);
  fetcher.run_for(500);
  fetcher.fail(FetchError::kConnect);
  EXPECT_EQ(queue().statistics().breaker, Breaker::State::kOpen);
  fetcher.run_for(39'999);
  EXPECT_EQ(fetcher.sent().size(), 2u);
  fetcher.run_for(1);
  EXPECT_EQ(fetcher.sent().size(), 3u);
  EXPECT_EQ(queue().statistics().breaker, Breaker::State::kHalfOpen);
  fetcher.answer(200);
  EXPECT_EQ(queue().statistics().breaker, Breaker::State::kClosed);
  EXPECT_EQ(queue().statistics().delivered, 3u);
  EXPECT_THAT(log.lines(), ::testing::ElementsAre("back end keeps failing, left alone for a while kind=webhook name=orders",
                                                  "back end answers again kind=webhook name=orders"));
}

TEST_F(Webhook, ARefusalOfOurOwnCostsNoAttempt) {
  options.attempts_max = 1;
  options.breaker.failures_max = 1;
  fetcher.refuse(FetchError::kOverloaded);
  push(1, 3);
  fetcher.run_for(10'000);
  EXPECT_GT(fetcher.sent().size(), 10u);
  EXPECT_EQ(queue().statistics().breaker, Breaker::State::kClosed);
  fetcher.refuse(FetchError::kNone);
  fetcher.run_for(1'000);
  fetcher.answer(200);
  EXPECT_EQ(queue().statistics().delivered, 3u);
}

TEST_F(Webhook, AnEndpointThatRefusesAtOnceIsNoRecursion) {
  options.queue_events_max = 100'000;
  fetcher.refuse(FetchError::kBadRequest);
  push(1, 30'000);
  fetcher.run_for(100);
  EXPECT_EQ(queue().statistics().failed, 30'000u);
}

// Bounds.

TEST_F(Webhook, DropsTheNewestBeyondTheBoundAndSaysSo) {
  options.queue_events_max = 5;
  push(1, 5);
  EXPECT_FALSE(queue().push("6"));
  fetcher.run_for(0);
  EXPECT_EQ(body(0)["dropped"].as_int64(), 1);
  EXPECT_FALSE(queue().push("7")) << "what is in flight still counts";
  EXPECT_FALSE(queue().push("8"));
  fetcher.answer(200);
  EXPECT_EQ(body(1)["dropped"].as_int64(), 2);
  EXPECT_EQ(events(1), "[4,5]");
  EXPECT_TRUE(queue().push("9"));
  fetcher.answer(200);
  EXPECT_EQ(events(2), "[9]");
  EXPECT_EQ(body(2)["dropped"].as_int64(), 0);
  EXPECT_EQ(queue().statistics().dropped, 3u);
  EXPECT_THAT(log.lines(), Contains("webhook events lost, the back end is told name=orders events=2"));
}

TEST_F(Webhook, ReportsADropAgainIfTheReportWasLost) {
  options.queue_events_max = 4;
  push(1, 6);
  fetcher.run_for(0);
  EXPECT_EQ(body(0)["dropped"].as_int64(), 2);
  fetcher.answer(400);
  EXPECT_EQ(body(1)["dropped"].as_int64(), 5) << "the two, and events 1 to 3";
  fetcher.answer(200);
  push(7, 9);
  fetcher.run_for(0);
  EXPECT_EQ(body(2)["dropped"].as_int64(), 0) << "reported once";
}

TEST_F(Webhook, IsBoundedInBytes) {
  options.queue_bytes_max = 20;
  options.batch_bytes_max = 20;
  EXPECT_FALSE(queue().push("\"" + std::string(19, 'x') + "\""));
  EXPECT_TRUE(queue().push("\"" + std::string(18, 'x') + "\""));
  EXPECT_FALSE(queue().push("1"));
  fetcher.run_for(0);
  EXPECT_FALSE(queue().push("1"));
  EXPECT_EQ(queue().statistics().queued_bytes, 20u);
  fetcher.answer(200);
  EXPECT_TRUE(queue().push("1"));
}

TEST_F(Webhook, TenThousandPushesToADeadBackEndStayWithinBounds) {
  options.queue_events_max = 1'000;
  for (int i = 0; i < 10'000; ++i) {
    queue().push("{\"event\":" + std::to_string(i) + "}");
    if (i % 100 == 0) fetcher.run_for(10);
    if (fetcher.unanswered() > 0) fetcher.fail(FetchError::kConnect);
    ASSERT_LE(queue().statistics().queued, 1'000u);
    ASSERT_LE(fetcher.timers(), 3u);
  }
  EXPECT_EQ(queue().statistics().dropped, 9'000u);
  EXPECT_EQ(queue().statistics().queued, 1'000u);
}

// The end.

TEST_F(Webhook, TellsWhatItTakesAlong) {
  push(1, 4);
  fetcher.run_for(0);
  destroy_queue();
  fetcher.answer(200);
  fetcher.run_for(100'000);
  EXPECT_EQ(fetcher.sent().size(), 1u);
  EXPECT_THAT(log.lines(), Contains("webhook events undelivered at the end name=orders events=4"));
}

TEST_F(Webhook, LogsNoSecret) {
  push(1, 4);
  fetcher.run_for(0);
  fetcher.answer(404, "body-secret");
  destroy_queue();
  ASSERT_FALSE(log.lines().empty());
  for (const std::string& line : log.lines()) EXPECT_THAT(line, Not(HasSubstr("secret")));
}

TEST_F(Webhook, IsCheckedBeforeItIsMade) {
  const auto complaint = [&](auto change) {
    WebhookOptions changed = options;
    change(changed);
    return check_webhook(changed, {}).message();
  };
  EXPECT_EQ(complaint([](auto&) {}), "");
  EXPECT_THAT(complaint([](auto& o) { o.url = "http://example.com/"; }), HasSubstr("https://"));
  EXPECT_THAT(complaint([](auto& o) { o.secret = "short"; }), HasSubstr("at least 16 bytes"));
  EXPECT_THAT(complaint([](auto& o) { o.batch_events_max = 0; }), HasSubstr("batch"));
  EXPECT_THAT(complaint([](auto& o) { o.batch_bytes_max = 0; }), HasSubstr("batch"));
  EXPECT_THAT(complaint([](auto& o) { o.queue_events_max = 2; }), HasSubstr("queue"));
  EXPECT_THAT(complaint([](auto& o) { o.queue_bytes_max = 1; }), HasSubstr("queue"));
  EXPECT_THAT(complaint([](auto& o) { o.attempts_max = 0; }), HasSubstr("attempt"));
  EXPECT_THAT(complaint([](auto& o) { o.timeout_ms = 0; }), HasSubstr("timeout"));
  EXPECT_THAT(complaint([](auto& o) { o.batch_ms = -1; }), HasSubstr("negative"));
  EXPECT_THAT(complaint([](auto& o) { o.backoff_ms = 0; }), HasSubstr("back-off"));
  EXPECT_THAT(complaint([](auto& o) { o.backoff_max_ms = 1; }), HasSubstr("back-off"));
  EXPECT_THAT(complaint([](auto& o) { o.retry_after_ms_max = -1; }), HasSubstr("Retry-After"));
}

}  // namespace
}  // namespace tidewire::outbound
