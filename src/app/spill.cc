#include "app/spill.h"

#include <algorithm>
#include <utility>

namespace tidewire {
namespace {

// What a task that waits costs besides the frames it holds: about, as only its closure knows.
constexpr std::size_t kTaskBytes = 256;
constexpr base::Milliseconds kPauseMinMs = 1;
constexpr base::Milliseconds kPauseMaxMs = 16;

}  // namespace

Spill::Spill(Context context) : context_(std::move(context)), pause_ms_(kPauseMinMs) {}

void Spill::post(net::Task task) {
  if (!tasks_.empty() || context_.deliver(task) == net::PostResult::kFull) keep(std::move(task));
}

bool Spill::post_message(net::Task task, bool is_volatile) {
  if (!tasks_.empty()) {
    context_.reactor.settle_memory();  // what this turn has made counts already
    if (context_.budget.level() == base::Budget::Level::kRefusing) {
      context_.dropped.fetch_add(1, std::memory_order_relaxed);
      if (is_volatile || ends_with_loss_) return false;
      keep([loss = context_.loss] { loss(); });
      ends_with_loss_ = true;
      return false;
    }
  } else if (const net::PostResult posted = context_.deliver(task); posted != net::PostResult::kFull) {
    return posted == net::PostResult::kPosted;
  }
  keep(std::move(task));
  return true;
}

void Spill::keep(net::Task task) {
  tasks_.push_back(std::move(task));
  ends_with_loss_ = false;
  charge();
  if (!timer_.armed()) context_.reactor.timers().arm(timer_, context_.reactor.now() + pause_ms_);
}

void Spill::retry(base::Milliseconds now) {
  std::size_t sent = 0;
  net::PostResult posted = net::PostResult::kPosted;
  while (sent < tasks_.size() && (posted = context_.deliver(tasks_[sent])) == net::PostResult::kPosted) ++sent;
  if (posted == net::PostResult::kGone) return drop_all();
  tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(sent));
  charge();
  pause_ms_ = sent > 0 ? kPauseMinMs : std::min(pause_ms_ * 2, kPauseMaxMs);
  if (!tasks_.empty()) context_.reactor.timers().arm(timer_, now + pause_ms_);
}

void Spill::drop_all() {
  timer_.cancel();
  std::exchange(tasks_, {}).clear();  // their destructors may post again
  charge();
}

void Spill::charge() { charge_.set(tasks_.size() * kTaskBytes); }

}  // namespace tidewire
