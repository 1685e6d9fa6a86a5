// base/out_queue.h - what a connection still owes its peer: frames in four lanes, counted in bytes.
//
//   empty            8 bytes, all zero
//   one frame        8 bytes: the frame's own pointer (a broadcast to an idle connection allocates nothing)
//   more             a pooled Backlog: four lanes of frames, byte count, how far the head frame has left
//
// Order: strict inside a lane; a lower lane waits for the higher ones; a frame that has begun to leave finishes first, so a
// message never splits. The bounds (soft, hard, age) are policy of the owner: it reads bytes() and blocked_since().
// Threads: one shard. Time: handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/frame.h"

struct iovec;

namespace tidewire::base {

enum class Lane : std::uint8_t { kControl, kHigh, kNormal, kLow };
inline constexpr std::size_t kLaneCount = 4;

class OutQueue {
 public:
  OutQueue() noexcept = default;
  OutQueue(OutQueue&& other) noexcept : tagged_(std::exchange(other.tagged_, 0)) {}
  OutQueue& operator=(OutQueue&& other) noexcept {
    if (this != &other) {
      clear();
      tagged_ = std::exchange(other.tagged_, 0);
    }
    return *this;
  }
  ~OutQueue() { clear(); }

  bool empty() const noexcept { return tagged_ == 0; }
  // Bytes not yet taken by the kernel.
  std::size_t bytes() const noexcept;
  std::size_t frame_count() const noexcept;

  void push(Frame frame, Lane lane);

  // Fills `parts` with what leaves next, in order; returns how many were filled. The views live until the next call of
  // push(), consume() or clear().
  std::size_t gather(std::span<iovec> parts) const;
  // The single frame of a queue that holds exactly one and has sent nothing of it; empty view otherwise. The fast path.
  std::string_view only_frame() const noexcept {
    return tagged_ != 0 && (tagged_ & kBacklogTag) == 0 ? Frame::wire_of_handle(reinterpret_cast<void*>(tagged_)) : std::string_view();
  }
  // `count` bytes of what gather() showed have left. REQUIRES: count <= bytes()
  void consume(std::size_t count);

  // The next whole frame to leave, for owners that re-encode instead of writing bytes (polling, TLS does not).
  // REQUIRES: !empty() and nothing of it was consumed partly.
  Frame pop();

  // Forgets all but the frame that has begun to leave, so that what follows still finds whole frames before it.
  void drop_rest() noexcept;
  void clear() noexcept;

  // When the peer stopped taking bytes, 0 if it has not. The owner sets it when a write falls short and clears it on progress.
  Milliseconds blocked_since() const noexcept;
  void set_blocked_since(Milliseconds now);

 private:
  struct Backlog;
  static constexpr std::uintptr_t kBacklogTag = 1;
  Backlog* backlog() const noexcept { return reinterpret_cast<Backlog*>(tagged_ & ~kBacklogTag); }
  bool has_backlog() const noexcept { return (tagged_ & kBacklogTag) != 0; }
  Backlog& grow();

  friend struct BacklogPool;
  std::uintptr_t tagged_ = 0;
};

}  // namespace tidewire::base
