// base/mailbox.h - the only way between threads: many senders, one receiving shard, bounded, one wake-up per batch.
//
//   senders --push()--> [ inbox, under a mutex held for a move ] --swap--> receiver's batch, read without the lock
//
// push() returns whether the receiver must be woken: only the first item after it has drained needs a wake-up.
// Bounded in items; a full mailbox refuses, and the sender keeps the item in its own spill list (it must not wait). A thread
// without such a list pushes beyond the bound, and answers for the memory in another way. A closed one takes nothing any more.
// Why a mutex and not a lock-free ring: it is held for a pointer move, once per batch on the receiving side; measured, a
// broadcast between shards is one push for thousands of deliveries.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace tidewire::base {

enum class PushResult { kQueued, kQueuedWake, kFull, kClosed };

template <typename Item>
class Mailbox {
 public:
  explicit Mailbox(std::size_t items_max = limits::kMailboxItemsMax) : items_max_(items_max) {}

  // From any thread. `item` is untouched when the answer is kClosed, or kFull, which does not happen with `beyond_bound`.
  [[nodiscard]] PushResult push(Item& item, bool beyond_bound = false) {
    std::lock_guard lock(mutex_);
    if (closed_) return PushResult::kClosed;
    if (inbox_.size() >= items_max_ && !beyond_bound) return PushResult::kFull;
    inbox_.push_back(std::move(item));
    if (inbox_.size() > 1) return PushResult::kQueued;
    return PushResult::kQueuedWake;
  }

  // From the receiving thread: everything pushed so far, in order. The reference lives until the next call.
  std::vector<Item>& take() {
    batch_.clear();
    {
      std::lock_guard lock(mutex_);
      batch_.swap(inbox_);
    }
    return batch_;
  }

  // From the receiving thread, or when that has ended: what is in it; nothing follows.
  [[nodiscard]] std::vector<Item> close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    return std::exchange(inbox_, {});
  }

 private:
  const std::size_t items_max_;
  std::mutex mutex_;
  std::vector<Item> inbox_;  // guarded by mutex_
  bool closed_ = false;      // guarded by mutex_
  std::vector<Item> batch_;  // receiving thread only
};

}  // namespace tidewire::base
