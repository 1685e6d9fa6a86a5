// base/budget.h - the memory that peers make this process hold, and how near it is to what we may spend.
//
//   frames, queue slots, charges --count_bytes()--> unsettled_bytes (one per thread, a plain addition)
//                                                        | settle(), at the end of a turn, in steps of kStepBytes
//                                                        v
//                                                  settled_bytes (one per process)
//                                                        ^
//                                                     Budget (one per server): settled / its limit --> level()
//
//   kAmple     below 80 %
//   kTight     from 80 %   a connection's hard limit falls to its soft limit
//   kShedding  from 90 %   the largest queues are closed first
//   kRefusing  from 95 %   new handshakes are refused as well
//
// The count is the process's, the limit a server's: servers of one process free each other's frames (one emits on the other),
// and no thread could tell which of two counts a block went into. Each looks at what all of them hold.
// Counted is memory, not debt: a frame that ten thousand queues refer to counts once. Else one broadcast to many slow peers
// would look like a catastrophe and cut peers whose end frees nothing.
// Cost: one addition to a thread-local per block of memory, none per message delivered; one atomic addition per kStepBytes
// of change. The figure may be off by kStepBytes per thread.
// Threads: Budget from any thread. A frame freed on another thread than its maker's is counted there: only the sum means
// something. A thread that ends calls settle_now() first, else what it has not settled is lost to the sum.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tidewire::base {

// What this thread has taken less what it has given back since it last settled.
inline constinit thread_local std::int64_t unsettled_bytes = 0;

// What all threads have settled. Relaxed, as nothing is published through it.
inline constinit std::atomic<std::int64_t> settled_bytes{0};

// For tests that begin with nothing, whatever others have left. REQUIRES: no other thread counts
inline void forget_counted_bytes() noexcept {
  unsettled_bytes = 0;
  settled_bytes.store(0, std::memory_order_relaxed);
}

inline void count_taken(std::size_t bytes) noexcept { unsettled_bytes += static_cast<std::int64_t>(bytes); }
inline void count_freed(std::size_t bytes) noexcept { unsettled_bytes -= static_cast<std::int64_t>(bytes); }

// What a store other than a queue holds for a peer: a body under way, attachments that wait for their last. Counted as long
// as this lives.
class Charge {
 public:
  Charge() noexcept = default;
  explicit Charge(std::size_t bytes) noexcept { set(bytes); }
  Charge(Charge&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Charge() { count_freed(bytes_); }

  void set(std::size_t bytes) noexcept {
    unsettled_bytes += static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(bytes_);
    bytes_ = bytes;
  }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

// A queue that could be closed to get memory back; what gather_queues() of a layer fills in.
struct ShedCandidate {
  std::size_t bytes;
  void* owner;
  // Closes it with "slow consumer", at the end of the turn: nothing dies inside the call.
  void (*give_up)(void* owner);
};

// A slow peer's frame that has begun to leave may finish, so that the peer hears why it is closed; when memory is short only
// up to so many bytes, else the stream is cut: sixty such frames would be the shortage.
inline constexpr std::size_t kBegunFrameBytesMax = 16 * 1024;

class Budget {
 public:
  enum class Level : std::uint8_t { kAmple, kTight, kShedding, kRefusing };
  static constexpr std::int64_t kStepBytes = 64 * 1024;

  // `limit_bytes` 0: default_limit().
  explicit Budget(std::size_t limit_bytes = 0);
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // A quarter of the memory of the machine, or of the control group if that has a lower limit.
  static std::size_t default_limit();

  // Adds this thread's unsettled bytes when they are worth it. True when they were and the level is above kAmple: somebody
  // should shed. Once per turn.
  bool settle() noexcept {
    const std::int64_t bytes = unsettled_bytes;
    if (bytes < kStepBytes && bytes > -kStepBytes) [[likely]] return false;
    return settle_now();
  }
  bool settle_now() noexcept;

  Level level() const noexcept;
  // Of the process.
  std::size_t used_bytes() const noexcept;
  std::size_t limit_bytes() const noexcept { return static_cast<std::size_t>(limit_); }
  // What must go to be well below kShedding again; 0 below it.
  std::size_t excess_bytes() const noexcept;

 private:
  const std::int64_t limit_;  // immutable after construction
};

}  // namespace tidewire::base
