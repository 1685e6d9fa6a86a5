#include "base/timer_wheel.h"

#include <algorithm>

#include "base/assert.h"

namespace tidewire::base {

void Timer::cancel() noexcept {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

TimerWheel::TimerWheel(Milliseconds now) noexcept : tick_(now / kTickMs) {
  for (auto& level : slots_) {
    for (Head& head : level) head.previous_ = head.next_ = &head;
  }
}

TimerWheel::~TimerWheel() {
  for (auto& level : slots_) {
    for (Head& head : level) {
      while (head.next_ != &head) head.next_->cancel();
      head.next_ = head.previous_ = nullptr;
    }
  }
}

void TimerWheel::link(Timer& head, Timer& timer) noexcept {
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
}

void TimerWheel::arm(Timer& timer, Milliseconds deadline) noexcept {
  timer.cancel();
  timer.deadline_ = deadline;
  place(timer);
}

void TimerWheel::place(Timer& timer) noexcept {
  // Round up, so that no timer fires early.
  std::int64_t tick = (timer.deadline_ + kTickMs - 1) / kTickMs;
  tick = std::max(tick, tick_ + 1);
  std::int64_t distance = tick - tick_;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::int64_t span = std::int64_t{1} << (8 * (level + 1));
    if (distance < span || level + 1 == kLevels) {
      if (distance >= span) tick = tick_ + span - 1;
      const auto slot = static_cast<std::size_t>((tick >> (8 * level)) & 255);
      link(slots_[level][slot], timer);
      return;
    }
  }
}

void TimerWheel::cascade(std::size_t level) noexcept {
  Head& head = slots_[level][static_cast<std::size_t>((tick_ >> (8 * level)) & 255)];
  // Detach the whole slot first: place() may put a far timer back into it.
  Head moved;
  moved.previous_ = moved.next_ = &moved;
  while (head.next_ != &head) {
    Timer& timer = *head.next_;
    timer.cancel();
    link(moved, timer);
  }
  --tick_;  // so that a timer due in this very tick lands in its slot
  while (moved.next_ != &moved) {
    Timer& timer = *moved.next_;
    timer.cancel();
    place(timer);
  }
  ++tick_;
  moved.next_ = moved.previous_ = nullptr;
}

std::size_t TimerWheel::advance(Milliseconds now) {
  const std::int64_t target = now / kTickMs;
  std::size_t fired = 0;
  while (tick_ < target) {
    ++tick_;
    if ((tick_ & 0xffff) == 0) cascade(2);
    if ((tick_ & 0xff) == 0) cascade(1);
    Head& head = slots_[0][static_cast<std::size_t>(tick_ & 255)];
    while (head.next_ != &head) {
      Timer& timer = *head.next_;
      timer.cancel();
      ++fired;
      timer.expired(now);
    }
  }
  return fired;
}

Milliseconds TimerWheel::next_wait(Milliseconds now, Milliseconds ceiling_ms) const noexcept {
  // Look at the slots of level 0 up to the next cascade; a cascade itself is a reason to wake.
  for (std::int64_t tick = tick_ + 1;; ++tick) {
    const Milliseconds wait = tick * kTickMs - now;
    if (wait >= ceiling_ms) return ceiling_ms;
    const Head& head = slots_[0][static_cast<std::size_t>(tick & 255)];
    if (head.next_ != &head || (tick & 255) == 0) return std::max<Milliseconds>(wait, 0);
  }
}

}  // namespace tidewire::base
