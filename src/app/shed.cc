#include "app/shed.h"

#include <algorithm>
#include <functional>

namespace tidewire {
namespace {

constexpr base::Milliseconds kLookMs = 250;
using Level = base::Budget::Level;

}  // namespace

void ShedBoard::set(std::uint32_t shard, bool active, std::size_t largest_bytes) noexcept {
  places_[shard].active.store(active, std::memory_order_relaxed);
  places_[shard].largest_bytes.store(largest_bytes, std::memory_order_relaxed);
}

std::size_t ShedBoard::largest_bytes(std::uint32_t shard_count) const noexcept {
  std::size_t largest = 0;
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
    largest = std::max(largest, places_[shard].largest_bytes.load(std::memory_order_relaxed));
  }
  return largest;
}

void Shed::begin() {
  if (armed()) return;
  context_.board.set(context_.shard, true, 0);
  context_.reactor.timers().arm(*this, context_.reactor.now());
}

void Shed::expired(base::Milliseconds now) {
  const Level level = context_.budget.level();
  if (level == Level::kAmple) {
    context_.board.set(context_.shard, false, 0);
    return;
  }
  give_up_queues(level);
  wake_others();
  context_.reactor.timers().arm(*this, now + kLookMs);
}

void Shed::give_up_queues(Level level) {
  context_.gather(level >= Level::kShedding ? 1 : context_.soft_bytes + 1, queues_);
  std::ranges::sort(queues_, std::greater(), &base::ShedCandidate::bytes);
  context_.board.set(context_.shard, true, queues_.empty() ? 0 : queues_.front().bytes);
  const std::size_t bytes_to_free = context_.budget.excess_bytes() / context_.shard_count;
  const std::size_t bytes_min = context_.board.largest_bytes(context_.shard_count) / 2;
  std::size_t freed = 0;
  for (const base::ShedCandidate& queue : queues_) {
    const bool among_largest = freed < bytes_to_free && queue.bytes >= bytes_min;
    if (queue.bytes <= context_.soft_bytes && !among_largest) break;
    queue.give_up(queue.owner);
    freed += queue.bytes;
    ++count_;
  }
  queues_.clear();
}

void Shed::wake_others() {
  for (std::uint32_t shard = 0; shard < context_.shard_count; ++shard) {
    if (shard != context_.shard && !context_.board.active(shard)) context_.wake(shard);
  }
}

}  // namespace tidewire
