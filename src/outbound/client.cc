#include "outbound/client.h"

#include <signal.h>

#include <algorithm>
#include <chrono>

#include "base/assert.h"

namespace tidewire::outbound {
namespace {

// libcurl keeps its own timers; this bounds only how long nothing at all may happen.
constexpr base::Milliseconds kPollMsMax = 1'000;

CURLM* make_multi() {
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);  // once per process, on the first Client
  TW_ASSERT(kInitialised == CURLE_OK);
  CURLM* const multi = curl_multi_init();
  TW_ASSERT(multi != nullptr);
  return multi;
}

// OpenSSL writes without MSG_NOSIGNAL, and libcurl, told to leave signals alone (CURLOPT_NOSIGNAL), leaves this one alone too.
void block_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

Client::Client(ClientOptions options)
    : options_(std::move(options)),
      rules_{.ca_file = options_.ca_file, .proxy_from_environment = options_.proxy_from_environment},
      multi_(make_multi()) {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.in_flight_max));
  thread_ = std::thread([this] { run(); });
}

Client::~Client() {
  TW_ASSERT(std::this_thread::get_id() != thread_.get_id());
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    curl_multi_wakeup(multi_);  // with the lock: once the thread has seen stopping_, it frees multi_
  }
  thread_.join();
}

void Client::fetch(Request request, Done done) {
  Response verdict = admit(request);
  if (verdict.error == FetchError::kNone) {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      verdict = refused(FetchError::kCancelled, "the client has ended");
    } else if (waiting_count_ >= options_.waiting_max) {
      verdict = refused(FetchError::kOverloaded, std::string(fetch_error_text(FetchError::kOverloaded)));
    } else {
      ++waiting_count_;
      const bool wake = inbox_.empty() && inbox_tasks_.empty();
      inbox_.push_back({std::move(request), std::move(done), now_ms()});
      lock.unlock();
      if (wake) curl_multi_wakeup(multi_);
      return;
    }
  }
  done(std::move(verdict));
}

Response Client::admit(const Request& request) {
  if (const Status status = check_url(request.url, {.allow_http = options_.allow_http}); !status.ok()) {
    return refused(FetchError::kBadRequest, status.message());
  }
  if (!std::all_of(request.headers.begin(), request.headers.end(), header_is_clean)) {
    return refused(FetchError::kBadRequest, "a header is malformed");
  }
  if (request.timeout_ms <= 0) return refused(FetchError::kBadRequest, "the timeout must be positive");
  return {};
}

void Client::after(base::Milliseconds delay_ms, Task task) {
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  TW_ASSERT(task_count_ < kTasksMax);
  ++task_count_;
  const bool wake = inbox_.empty() && inbox_tasks_.empty();
  inbox_tasks_.push_back({now_ms() + delay_ms, std::move(task)});
  lock.unlock();
  if (wake) curl_multi_wakeup(multi_);
}

base::Milliseconds Client::now_ms() const noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t Client::unix_ms() const noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void Client::run() {
  block_sigpipe();
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    take_inbox();
    run_due_tasks();
    expire_waiting();
    start_waiting();
    int running = 0;
    curl_multi_perform(multi_, &running);
    finish_transfers();
    curl_multi_poll(multi_, nullptr, 0, poll_timeout_ms(), nullptr);
  }
  cancel_all();
  curl_multi_cleanup(multi_);  // here, since it writes farewells and this thread has no SIGPIPE
}

void Client::take_inbox() {
  std::vector<Waiting> requests;
  std::vector<DueTask> tasks;
  {
    std::lock_guard lock(mutex_);
    requests.swap(inbox_);
    tasks.swap(inbox_tasks_);
  }
  for (Waiting& each : requests) {
    deadlines_.emplace(each.start_ms + each.request.timeout_ms, next_waiting_);
    waiting_.emplace(next_waiting_++, std::move(each));
  }
  for (DueTask& each : tasks) timers_.emplace(each.due_ms, std::move(each.task));
}

void Client::run_due_tasks() {
  const base::Milliseconds now = now_ms();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    {
      std::lock_guard lock(mutex_);
      --task_count_;
    }
    task();
  }
}

void Client::expire_waiting() {
  const base::Milliseconds now = now_ms();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    auto node = waiting_.extract(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    {
      std::lock_guard lock(mutex_);
      --waiting_count_;
    }
    Response response = refused(FetchError::kTimeout, "timeout before its turn came");
    response.elapsed_ms = now - node.mapped().start_ms;
    node.mapped().done(std::move(response));
  }
}

void Client::start_waiting() {
  while (!waiting_.empty() && transfers_.size() < options_.in_flight_max) {
    auto node = waiting_.extract(waiting_.begin());
    deadlines_.erase({node.mapped().start_ms + node.mapped().request.timeout_ms, node.key()});
    {
      std::lock_guard lock(mutex_);
      --waiting_count_;
    }
    start(std::move(node.mapped()));
  }
}

void Client::start(Waiting waiting) {
  const base::Milliseconds now = now_ms();
  const base::Milliseconds left_ms = std::max<base::Milliseconds>(1, waiting.start_ms + waiting.request.timeout_ms - now);
  auto transfer =
      std::make_unique<Transfer>(std::move(waiting.request), std::move(waiting.done), waiting.start_ms, left_ms, rules_);
  CURL* const handle = transfer->handle();
  if (handle == nullptr || curl_multi_add_handle(multi_, handle) != CURLM_OK) {
    transfer->finish(CURLE_OUT_OF_MEMORY, now);
    return;
  }
  transfers_.emplace(handle, std::move(transfer));
}

void Client::finish_transfers() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
  }
}

void Client::finish(CURL* handle, CURLcode code) {
  curl_multi_remove_handle(multi_, handle);  // frees the message, which is why its fields came by value
  auto node = transfers_.extract(handle);
  TW_ASSERT(!node.empty());
  node.mapped()->finish(code, now_ms());
}

// Nothing is forgotten between this and the poll: whoever puts something into an empty inbox wakes, and a wake-up before the poll
// counts. A place that has just become free is taken at once, without a poll.
int Client::poll_timeout_ms() const {
  if (!waiting_.empty() && transfers_.size() < options_.in_flight_max) return 0;
  base::Milliseconds until = now_ms() + kPollMsMax;
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
  return static_cast<int>(std::max<base::Milliseconds>(0, until - now_ms()));
}

// After `stopping_`: nothing new comes in, whatever the callbacks try.
void Client::cancel_all() {
  take_inbox();
  timers_.clear();
  for (auto& [handle, transfer] : transfers_) {
    curl_multi_remove_handle(multi_, handle);
    transfer->cancel(now_ms());
  }
  transfers_.clear();
  for (auto& [place, waiting] : waiting_) waiting.done(refused(FetchError::kCancelled, "cancelled before its turn came"));
  waiting_.clear();
}

}  // namespace tidewire::outbound
