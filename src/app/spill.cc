#include "app/spill.h"

#include <utility>

namespace tidewire {
namespace {

// What a task that waits costs besides the frames it holds: about, as only its closure knows.
constexpr std::size_t kTaskBytes = 256;

}  // namespace

void Spill::post(net::Task task) {
  if (tasks_.empty() && context_.deliver(task)) return;
  keep(std::move(task));
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
  }
  post(std::move(task));
  return true;
}

void Spill::keep(net::Task task) {
  tasks_.push_back(std::move(task));
  ends_with_loss_ = false;
  charge();
  if (!scheduled_) schedule();
}

void Spill::drain() {
  scheduled_ = false;
  std::size_t sent = 0;
  while (sent < tasks_.size() && context_.deliver(tasks_[sent])) ++sent;
  tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(sent));
  charge();
  if (!tasks_.empty()) schedule();
}

void Spill::schedule() {
  scheduled_ = true;
  context_.reactor.defer([this] { drain(); });
}

void Spill::charge() { charge_.set(tasks_.size() * kTaskBytes); }

}  // namespace tidewire
