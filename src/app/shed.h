// app/shed.h - what a shard gives up while the memory of the process is short (base/budget.h).
//
//   kTight     every queue over the soft limit, as the hard limit is the soft one now
//   kShedding  the largest queues of the process, until what is over 85 % of the budget has been given up
//
// It begins when some shard's turn finds memory short, looks four times a second, and ends when there is enough. A look walks
// over all connections of the shard: nothing is kept up to date for it while memory is ample.
// Several shards shed together: each gives up its share of the excess, but no queue less than half as large as the largest
// one anywhere, which the board tells.
// Threads: its shard's; the board is everybody's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/budget.h"
#include "base/timer_wheel.h"
#include "net/reactor.h"

namespace tidewire {

// What the shards tell each other about their queues. Relaxed: a look that misses the newest is followed by another.
class ShedBoard {
 public:
  static constexpr std::uint32_t kShardsMax = 256;
  void set(std::uint32_t shard, bool active, std::size_t largest_bytes) noexcept;
  bool active(std::uint32_t shard) const noexcept { return places_[shard].active.load(std::memory_order_relaxed); }
  std::size_t largest_bytes(std::uint32_t shard_count) const noexcept;

 private:
  struct Place {
    std::atomic<bool> active{false};
    std::atomic<std::size_t> largest_bytes{0};
  };
  std::array<Place, kShardsMax> places_;
};

class Shed final : private base::Timer {
 public:
  struct Context {
    net::Reactor& reactor;
    const base::Budget& budget;
    ShedBoard& board;
    std::uint32_t shard = 0;
    std::uint32_t shard_count = 1;
    std::size_t soft_bytes = 0;
    // Appends the shard's queues of at least so many bytes whose peers do not take them.
    std::function<void(std::size_t bytes_min, std::vector<base::ShedCandidate>&)> gather;
    // Makes another shard begin.
    std::function<void(std::uint32_t shard)> wake;
  };
  explicit Shed(Context context) : context_(std::move(context)) {}
  ~Shed() = default;

  // Looks in the next turn, unless it does so anyway.
  void begin();
  // Queues given up so far.
  std::uint64_t count() const noexcept { return count_; }

 private:
  void expired(base::Milliseconds now) override;
  void give_up_queues(base::Budget::Level level);
  void wake_others();

  const Context context_;
  std::vector<base::ShedCandidate> queues_;  // empty between looks
  std::uint64_t count_ = 0;
};

}  // namespace tidewire
