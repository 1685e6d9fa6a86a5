#include "outbound/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "outbound/signature.h"
#include "outbound/test_fetcher.h"
#include "outbound/test_log.h"

namespace tidewire::outbound {
namespace {

using ::testing::HasSubstr;

class Question : public ::testing::Test {
 protected:
  Question() {
    options.name = "rights";
    options.url = "https://example.com/ask?key=query-secret";
    options.secret = "a secret of sixteen";
    options.in_flight_max = 4;
    options.breaker = {.failures_max = 3, .cool_down_ms = 10'000, .cool_down_max_ms = 60'000};
  }
  Asker& asker() {
    if (!asker_) asker_ = std::make_unique<Asker>(options, fetcher, log);
    return *asker_;
  }
  void ask(std::string question = R"({"question":"join"})", base::Milliseconds timeout_ms = 0) {
    asker().ask(std::move(question), timeout_ms, [this](Answer answer) { answers.push_back(std::move(answer)); });
  }
  // Asks, lets the back end answer so, and returns what came of it.
  AskError asked(int status, std::string body) {
    ask();
    fetcher.answer(status, std::move(body));
    return answers.back().error;
  }
  void destroy_asker() { asker_.reset(); }

  AskerOptions options;
  TestLog log;
  TestFetcher fetcher;
  std::vector<Answer> answers;

 private:
  std::unique_ptr<Asker> asker_;
};

TEST_F(Question, IsASignedPost) {
  ask(R"({"question":"join","room":"r"})");
  const Request& sent = fetcher.sent().at(0);
  EXPECT_EQ(sent.method, Method::kPost);
  EXPECT_EQ(sent.url, options.url);
  EXPECT_EQ(sent.body, R"({"question":"join","room":"r"})");
  EXPECT_EQ(sent.timeout_ms, options.timeout_ms);
  EXPECT_EQ(sent.response_bytes_max, options.answer_bytes_max);
  EXPECT_EQ(sent.headers.at(0).value, "application/json");
  EXPECT_TRUE(verify_signature(options.secret, sent.headers.at(2).value, sent.headers.at(3).value, sent.body, TestFetcher::kUnixMs / 1'000));
}

TEST_F(Question, HasItsOwnTimeoutIfItLikes) {
  ask("{}", 123);
  EXPECT_EQ(fetcher.sent().at(0).timeout_ms, 123);
}

TEST_F(Question, IsAnsweredByAnObject) {
  EXPECT_EQ(asked(200, R"({"allow":false,"code":"full"})"), AskError::kNone);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[0].value["allow"].as_bool(), false);
  EXPECT_EQ(answers[0].value["code"].as_string(), "full");
  EXPECT_EQ(asker().statistics().answered, 1u);
}

TEST_F(Question, AnythingElseIsNoAnswer) {
  for (const char* body : {"", "yes", "true", "[]", "null", "{\"allow\":true", "{\"allow\":true}x", "\xff\xfe"}) {
    EXPECT_EQ(asked(200, body), AskError::kBadAnswer) << body;
    EXPECT_TRUE(answers.back().value.is_null());
  }
  for (const int status : {201, 204, 302, 400, 404}) EXPECT_EQ(asked(status, "{}"), AskError::kFailed) << status;
  EXPECT_EQ(asker().statistics().failed, 13u);
  EXPECT_EQ(asker().statistics().breaker, Breaker::State::kClosed) << "a back end that answers is alive";
}

TEST_F(Question, ErrorsOfTheFetcherHaveTheirOwn) {
  options.breaker.failures_max = 100;
  const std::pair<FetchError, AskError> table[] = {
      {FetchError::kTimeout, AskError::kTimeout},     {FetchError::kConnect, AskError::kFailed},
      {FetchError::kTls, AskError::kFailed},          {FetchError::kTooLarge, AskError::kBadAnswer},
      {FetchError::kCancelled, AskError::kCancelled}, {FetchError::kOverloaded, AskError::kOverloaded},
  };
  for (const auto& [error, expected] : table) {
    ask();
    fetcher.fail(error);
    EXPECT_EQ(answers.back().error, expected) << fetch_error_text(error);
  }
  EXPECT_EQ(asker().statistics().failed, 4u);
  EXPECT_EQ(asker().statistics().overloaded, 1u);
  EXPECT_EQ(asker().statistics().in_flight, 0u);
}

TEST_F(Question, ADeadBackEndIsNotAskedForAWhile) {
  for (int i = 0; i < 3; ++i) {
    ask();
    fetcher.fail(FetchError::kTimeout);
  }
  EXPECT_EQ(asker().statistics().breaker, Breaker::State::kOpen);
  ask();
  EXPECT_EQ(answers.back().error, AskError::kUnavailable) << "at once";
  EXPECT_EQ(fetcher.sent().size(), 3u);
  EXPECT_EQ(asker().statistics().unavailable, 1u);
  fetcher.run_for(10'000);
  ask();
  EXPECT_EQ(fetcher.sent().size(), 4u) << "one probe";
  ask();
  EXPECT_EQ(fetcher.sent().size(), 4u);
  EXPECT_EQ(answers.back().error, AskError::kUnavailable);
  fetcher.answer(200, "{}");
  EXPECT_EQ(asker().statistics().breaker, Breaker::State::kClosed);
  EXPECT_THAT(log.lines(), ::testing::ElementsAre("back end keeps failing, left alone for a while kind=question name=rights",
                                                  "back end answers again kind=question name=rights"));
}

TEST_F(Question, FiveHundredsOpenTheBreakerToo) {
  for (const int status : {500, 503, 429}) asked(status, "{}");
  EXPECT_EQ(asker().statistics().breaker, Breaker::State::kOpen);
}

TEST_F(Question, SoManyAtOnce) {
  for (int i = 0; i < 5; ++i) ask();
  EXPECT_EQ(fetcher.sent().size(), 4u);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].error, AskError::kOverloaded);
  EXPECT_EQ(asker().statistics().in_flight, 4u);
  fetcher.answer(200, "{}");
  ask();
  EXPECT_EQ(fetcher.sent().size(), 5u) << "a place is free again";
}

TEST_F(Question, AProbeThatTheFetcherRefusesIsTriedAgain) {
  for (int i = 0; i < 3; ++i) {
    ask();
    fetcher.fail(FetchError::kConnect);
  }
  fetcher.run_for(10'000);
  fetcher.refuse(FetchError::kOverloaded);
  ask();
  EXPECT_EQ(answers.back().error, AskError::kOverloaded);
  fetcher.refuse(FetchError::kNone);
  EXPECT_EQ(asked(200, "{}"), AskError::kNone);
}

TEST_F(Question, IsAnsweredEvenIfTheAskerIsGone) {
  ask();
  destroy_asker();
  fetcher.answer(200, "{}");
  EXPECT_EQ(answers.size(), 1u);
}

TEST_F(Question, IsCheckedBeforeItIsMade) {
  const auto complaint = [&](auto change) {
    AskerOptions changed = options;
    change(changed);
    return check_asker(changed, {}).message();
  };
  EXPECT_EQ(complaint([](auto&) {}), "");
  EXPECT_THAT(complaint([](auto& o) { o.url = "file:///etc/passwd"; }), HasSubstr("https://"));
  EXPECT_THAT(complaint([](auto& o) { o.secret = "short"; }), HasSubstr("at least 16 bytes"));
  EXPECT_THAT(complaint([](auto& o) { o.timeout_ms = 0; }), HasSubstr("timeout"));
  EXPECT_THAT(complaint([](auto& o) { o.in_flight_max = 0; }), HasSubstr("question"));
  EXPECT_THAT(complaint([](auto& o) { o.answer_bytes_max = 0; }), HasSubstr("byte"));
}

TEST_F(Question, EveryErrorHasItsText) {
  for (int i = 0; i <= static_cast<int>(AskError::kCancelled); ++i) EXPECT_NE(ask_error_text(static_cast<AskError>(i)), "unknown");
  for (int i = 0; i <= static_cast<int>(FetchError::kProtocol); ++i) EXPECT_NE(fetch_error_text(static_cast<FetchError>(i)), "unknown");
}

}  // namespace
}  // namespace tidewire::outbound
