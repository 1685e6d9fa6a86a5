// outbound/test_fetcher.h - a Fetcher for tests: virtual time, requests that wait for the test's answer.
#pragma once

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "outbound/fetcher.h"

namespace tidewire::outbound {

class TestFetcher final : public Fetcher {
 public:
  static constexpr std::int64_t kUnixMs = 1'700'000'000'000;

  void fetch(Request request, Done done) override {
    sent_.push_back(std::move(request));
    sent_at_.push_back(now_ms_);
    if (refusal_ != FetchError::kNone) return done(refused(refusal_, "refused"));
    unanswered_.push_back(std::move(done));
  }
  void after(base::Milliseconds delay_ms, Task task) override { timers_.emplace(now_ms_ + delay_ms, std::move(task)); }
  base::Milliseconds now_ms() const noexcept override { return now_ms_; }
  std::int64_t unix_ms() const noexcept override { return kUnixMs + now_ms_; }

  // From now on every request is answered so, before fetch() returns; kNone: no more.
  void refuse(FetchError error) { refusal_ = error; }

  void run_for(base::Milliseconds duration_ms) {
    const base::Milliseconds end = now_ms_ + duration_ms;
    while (!timers_.empty() && timers_.begin()->first <= end) {
      now_ms_ = std::max(now_ms_, timers_.begin()->first);
      const Task task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
    }
    now_ms_ = end;
  }

  // Answers the oldest unanswered request. REQUIRES: there is one
  void answer(Response response) {
    TW_ASSERT(!unanswered_.empty());
    const Done done = std::move(unanswered_.front());
    unanswered_.pop_front();
    done(std::move(response));
    run_for(0);
  }
  void answer(int status, std::string body = {}, std::vector<Header> headers = {}) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    response.headers = std::move(headers);
    answer(std::move(response));
  }
  void fail(FetchError error) { answer(refused(error, "as the test says")); }

  const std::vector<Request>& sent() const { return sent_; }
  // When the i-th was sent.
  base::Milliseconds sent_at(std::size_t i) const { return sent_at_.at(i); }
  std::size_t unanswered() const { return unanswered_.size(); }
  std::size_t timers() const { return timers_.size(); }

 private:
  base::Milliseconds now_ms_ = 0;
  FetchError refusal_ = FetchError::kNone;
  std::multimap<base::Milliseconds, Task> timers_;
  std::deque<Done> unanswered_;
  std::vector<Request> sent_;
  std::vector<base::Milliseconds> sent_at_;
};

}  // namespace tidewire::outbound
