// base/timer_wheel.h - deadlines in slots: arm, re-arm and cancel are a few pointer writes, expiry visits only due slots.
//
// Three levels of 256 slots. Level 0 has a resolution of 4 ms (1 s round), level 1 of 1 s (4.4 min), level 2 of 4.4 min
// (18.6 h). A timer further away waits in the last slot and is placed again. Timers fire never early, up to one tick late.
//
// A Timer is embedded in what it belongs to (an Engine.IO session holds a slot, not a timer object) and dies with it.
// Threads: one shard. Time: handed in.
// Why not a heap: log n and cache misses for each heartbeat that is pushed back by each pong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace tidewire::base {

class TimerWheel;

// Derive from it, or hold it as a member with a small callback object. 32 bytes with the vtable pointer.
class Timer {
 public:
  Timer() noexcept = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return next_ != nullptr; }
  // REQUIRES: armed()
  Milliseconds deadline() const noexcept { return deadline_; }
  void cancel() noexcept;

 protected:
  // Cancels.
  ~Timer() { cancel(); }

 private:
  // The deadline has passed; the timer is disarmed and may be armed again or destroyed from inside.
  virtual void expired(Milliseconds now) = 0;

  friend class TimerWheel;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  Milliseconds deadline_ = 0;
};

// A timer that calls a member function of its owner: `MemberTimer<Session, &Session::heartbeat_due> timer_{this}`.
template <typename Owner, void (Owner::*kExpired)(Milliseconds)>
class MemberTimer final : public Timer {
 public:
  explicit MemberTimer(Owner* owner) noexcept : owner_(owner) {}
  ~MemberTimer() = default;

 private:
  void expired(Milliseconds now) override { (owner_->*kExpired)(now); }
  Owner* owner_;
};

class TimerWheel {
 public:
  explicit TimerWheel(Milliseconds now) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  // Disarms what is left.
  ~TimerWheel();

  // Arms or re-arms `timer` for `deadline`; one in the past fires at the next advance().
  void arm(Timer& timer, Milliseconds deadline) noexcept;
  // Fires everything due at `now`, in slot order. Returns how many fired.
  std::size_t advance(Milliseconds now);
  // Milliseconds until advance() may have something to do, at most `ceiling_ms`.
  Milliseconds next_wait(Milliseconds now, Milliseconds ceiling_ms) const noexcept;

  // How many are armed. Walks all slots: for tests.
  std::size_t armed_count() const noexcept;

  static constexpr Milliseconds kTickMs = 4;

 private:
  static constexpr std::size_t kSlots = 256;
  static constexpr std::size_t kLevels = 3;
  struct Head final : Timer {
    ~Head() = default;
    void expired(Milliseconds) override {}
  };
  // In the slot of its deadline, `earliest` at the earliest.
  void place(Timer& timer, std::int64_t earliest) noexcept;
  void cascade(std::size_t level) noexcept;
  static void link(Timer& head, Timer& timer) noexcept;

  std::int64_t tick_;  // all timers of ticks <= tick_ have fired
  std::array<std::array<Head, kSlots>, kLevels> slots_;
  // Level 0: a bit per slot that may hold timers; cleared lazily, since cancel() does not know its wheel.
  mutable std::array<std::uint64_t, kSlots / 64> occupied_{};
};

}  // namespace tidewire::base
