#include "outbound/webhook.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/json_writer.h"
#include "outbound/hex.h"
#include "outbound/outcome.h"
#include "outbound/signature.h"

namespace tidewire::outbound {
namespace {

constexpr std::size_t kBatchIdBytes = 16;

Status bad(std::string sentence) { return {StatusCode::kInvalidArgument, std::move(sentence)}; }

// Retry-After: seconds, or a date. 0 without one, and for one that is none or over.
base::Milliseconds retry_after_ms(const Response& response, std::int64_t unix_ms, base::Milliseconds most) {
  const std::string text(response.header("Retry-After"));
  if (text.empty()) return 0;
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    std::int64_t seconds = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return error == std::errc() && seconds < most / 1'000 ? seconds * 1'000 : most;
  }
  const std::int64_t date_s = curl_getdate(text.c_str(), nullptr);
  if (date_s < 0) return 0;
  return std::clamp<base::Milliseconds>(date_s * 1'000 - unix_ms, 0, most);
}

}  // namespace

Status check_webhook(const WebhookOptions& options, const UrlRules& rules) {
  if (Status url = check_url(options.url, rules); !url.ok()) return url;
  if (Status secret = check_secret(options.secret); !secret.ok()) return secret;
  if (options.batch_events_max == 0 || options.batch_bytes_max == 0) return bad("a batch must hold at least one event and one byte");
  if (options.queue_events_max < options.batch_events_max) return bad("the queue must hold at least one batch of events");
  if (options.queue_bytes_max < options.batch_bytes_max) return bad("the queue must hold at least one batch of bytes");
  if (options.attempts_max == 0) return bad("a batch needs at least one attempt");
  if (options.timeout_ms <= 0) return bad("the timeout must be positive");
  if (options.batch_ms < 0) return bad("the wait for a batch must not be negative");
  if (options.backoff_ms <= 0 || options.backoff_max_ms < options.backoff_ms) return bad("the back-off must be positive, its maximum no less");
  if (options.retry_after_ms_max < 0) return bad("the longest Retry-After must not be negative");
  return {};
}

class WebhookQueue::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(WebhookOptions options, Fetcher& fetcher, base::Random& random, base::LogSink& log)
      : options_(std::move(options)), fetcher_(fetcher), random_(random), log_(log), breaker_(options_.breaker) {}

  bool push(std::string event);
  void drain() {
    fetcher_.post([core = shared_from_this()] { core->begin_batch(); });
  }
  WebhookStatistics statistics() const;
  void close();

 private:
  struct Batch {
    std::string id;
    std::string body;
    std::size_t events = 0;
    std::size_t bytes = 0;      // of events
    std::uint64_t dropped = 0;  // as its body says
    std::uint32_t attempts = 0;
  };

  // With mutex_ held.
  bool full() const { return queue_.size() >= options_.batch_events_max || queue_bytes_ >= options_.batch_bytes_max; }
  void take_events();

  // On the Fetcher's thread, mutex_ not held.
  void batch_due();
  void begin_batch();
  void attempt();
  void attempt_done(Breaker::Ticket ticket, const Response& response);
  void retry_later(const Response& response);
  void end_batch(bool delivered, const Response& response);
  void again_after(base::Milliseconds delay_ms) {
    fetcher_.after(delay_ms, [core = shared_from_this()] { core->attempt(); });
  }
  base::Milliseconds backoff_with_jitter_ms();

  // Immutable after construction
  const WebhookOptions options_;
  Fetcher& fetcher_;
  base::Random& random_;
  base::LogSink& log_;

  // Guarded by mutex_
  mutable std::mutex mutex_;
  std::deque<std::string> queue_;
  std::size_t queue_bytes_ = 0;
  std::optional<Batch> batch_;         // under way; changed on the Fetcher's thread only, which may read it without mutex_
  std::uint64_t dropped_unreported_ = 0;
  bool timer_armed_ = false;           // batch_due() will come
  bool begin_posted_ = false;          // begin_batch() will come, since a batch is full
  bool closed_ = false;
  WebhookStatistics counts_;
  Breaker breaker_;
};

bool WebhookQueue::Core::push(std::string event) {
  std::unique_lock lock(mutex_);
  const std::size_t queued = queue_.size() + (batch_ ? batch_->events : 0);
  const std::size_t bytes = queue_bytes_ + (batch_ ? batch_->bytes : 0);
  if (queued >= options_.queue_events_max || bytes > options_.queue_bytes_max || event.size() > options_.queue_bytes_max - bytes) {
    ++counts_.dropped;
    ++dropped_unreported_;
    return false;
  }
  queue_bytes_ += event.size();
  queue_.push_back(std::move(event));
  if (batch_) return true;  // its end begins the next
  const bool begin_now = full() && !std::exchange(begin_posted_, true);
  const bool begin_later = !full() && !std::exchange(timer_armed_, true);
  lock.unlock();
  if (begin_now) fetcher_.post([core = shared_from_this()] { core->begin_batch(); });
  if (begin_later) fetcher_.after(options_.batch_ms, [core = shared_from_this()] { core->batch_due(); });
  return true;
}

void WebhookQueue::Core::batch_due() {
  {
    std::lock_guard lock(mutex_);
    timer_armed_ = false;
  }
  begin_batch();
}

void WebhookQueue::Core::begin_batch() {
  {
    std::lock_guard lock(mutex_);
    begin_posted_ = false;
    if (batch_ || queue_.empty() || closed_) return;
    take_events();
  }
  if (batch_->dropped > 0 && log_.enabled(base::LogLevel::kWarn)) {
    log_.write(base::LogLevel::kWarn, "webhook events lost, the back end is told",
               {{"name", options_.name}, {"events", std::to_string(batch_->dropped)}});
  }
  attempt();
}

void WebhookQueue::Core::take_events() {
  std::array<unsigned char, kBatchIdBytes> id{};
  random_.fill(id);
  Batch& batch = batch_.emplace(Batch{});
  batch.id = hex(id);
  batch.dropped = std::exchange(dropped_unreported_, 0);
  batch.body = "{\"id\":\"" + batch.id + "\",\"time_ms\":" + std::to_string(fetcher_.unix_ms()) +
               ",\"dropped\":" + std::to_string(batch.dropped) + ",\"events\":[";
  while (!queue_.empty() && batch.events < options_.batch_events_max) {
    const std::string& event = queue_.front();
    if (batch.events > 0 && batch.bytes + event.size() > options_.batch_bytes_max) break;
    if (batch.events > 0) batch.body += ',';
    base::append_json_raw(batch.body, event);
    batch.bytes += event.size();
    ++batch.events;
    queue_.pop_front();
  }
  batch.body += "]}";
  queue_bytes_ -= batch.bytes;
}

void WebhookQueue::Core::attempt() {
  std::optional<Breaker::Ticket> ticket;
  base::Milliseconds wait_ms = 0;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    const base::Milliseconds now = fetcher_.now_ms();
    ticket = breaker_.try_acquire(now);
    if (ticket) {
      if (batch_->attempts++ > 0) ++counts_.batches_retried;
    } else {
      wait_ms = std::max<base::Milliseconds>(1, breaker_.wait_ms(now));
    }
  }
  if (!ticket) return again_after(wait_ms);
  Request request;
  request.method = Method::kPost;
  request.url = options_.url;
  request.headers = signed_headers(options_.secret, fetcher_.unix_ms(), batch_->body);
  request.headers.push_back({"Idempotency-Key", batch_->id});
  request.body = batch_->body;
  request.timeout_ms = options_.timeout_ms;
  fetcher_.fetch(std::move(request), [core = shared_from_this(), ticket = *ticket](const Response& response) {
    core->attempt_done(ticket, response);
  });
}

void WebhookQueue::Core::attempt_done(Breaker::Ticket ticket, const Response& response) {
  const Outcome outcome = outcome_of(response);
  Breaker::State before{};
  Breaker::State after{};
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    before = breaker_.state();
    report(breaker_, ticket, outcome, fetcher_.now_ms());
    after = breaker_.state();
    // No try was made: our own crowd must not cost the batch its attempts.
    if (outcome == Outcome::kOurs) --batch_->attempts;
  }
  log_breaker_change(log_, "webhook", options_.name, before, after);
  if (outcome == Outcome::kSucceeded) return end_batch(true, response);
  if (outcome == Outcome::kFinal || batch_->attempts >= options_.attempts_max) return end_batch(false, response);
  retry_later(response);
}

// After kCancelled the Fetcher ends and runs this no more; what is queued is counted by close().
void WebhookQueue::Core::retry_later(const Response& response) {
  const base::Milliseconds asked_ms = retry_after_ms(response, fetcher_.unix_ms(), options_.retry_after_ms_max);
  again_after(std::max(asked_ms, backoff_with_jitter_ms()));
}

base::Milliseconds WebhookQueue::Core::backoff_with_jitter_ms() {
  base::Milliseconds whole = options_.backoff_ms;
  for (std::uint32_t i = 1; i < batch_->attempts && whole < options_.backoff_max_ms; ++i) whole *= 2;
  whole = std::min(whole, options_.backoff_max_ms);
  std::array<unsigned char, 4> bytes{};
  random_.fill(bytes);
  std::uint64_t chance = 0;
  for (const unsigned char byte : bytes) chance = chance << 8 | byte;
  const base::Milliseconds half = whole / 2;
  return half + static_cast<base::Milliseconds>(chance % static_cast<std::uint64_t>(whole - half + 1));
}

void WebhookQueue::Core::end_batch(bool delivered, const Response& response) {
  if (!delivered && log_.enabled(base::LogLevel::kWarn)) {
    const bool answered = response.error == FetchError::kNone;
    log_.write(base::LogLevel::kWarn, "webhook batch given up",
               {{"name", options_.name},
                {"events", std::to_string(batch_->events)},
                {"attempts", std::to_string(batch_->attempts)},
                {"cause", answered ? "status " + std::to_string(response.status) : response.error_text}});
  }
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    (delivered ? counts_.delivered : counts_.failed) += batch_->events;
    if (!delivered) dropped_unreported_ += batch_->dropped + batch_->events;
    batch_.reset();
    more = !queue_.empty();
    begin_posted_ = more;
  }
  // Posted, not called: an endpoint that refuses at once would make this a recursion as deep as the queue is long.
  if (more) drain();
}

WebhookStatistics WebhookQueue::Core::statistics() const {
  std::lock_guard lock(mutex_);
  WebhookStatistics now = counts_;
  now.queued = queue_.size() + (batch_ ? batch_->events : 0);
  now.queued_bytes = queue_bytes_ + (batch_ ? batch_->bytes : 0);
  now.breaker = breaker_.state();
  return now;
}

void WebhookQueue::Core::close() {
  std::size_t left = 0;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    left = queue_.size() + (batch_ ? batch_->events : 0);
    queue_.clear();
  }
  if (left > 0 && log_.enabled(base::LogLevel::kWarn)) {
    log_.write(base::LogLevel::kWarn, "webhook events undelivered at the end", {{"name", options_.name}, {"events", std::to_string(left)}});
  }
}

WebhookQueue::WebhookQueue(WebhookOptions options, Fetcher& fetcher, base::Random& random, base::LogSink& log)
    : core_(std::make_shared<Core>(std::move(options), fetcher, random, log)) {}

WebhookQueue::~WebhookQueue() { core_->close(); }

bool WebhookQueue::push(std::string event_json) { return core_->push(std::move(event_json)); }

void WebhookQueue::drain() { core_->drain(); }

WebhookStatistics WebhookQueue::statistics() const { return core_->statistics(); }

}  // namespace tidewire::outbound
