#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>

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
  place(timer, tick_ + 1);
}

void TimerWheel::place(Timer& timer, std::int64_t earliest) noexcept {
  // Round up, so that no timer fires early.
  std::int64_t tick = (timer.deadline_ + kTickMs - 1) / kTickMs;
  tick = std::max(tick, earliest);
  std::int64_t distance = tick - tick_;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::int64_t span = std::int64_t{1} << (8 * (level + 1));
    if (distance < span || level + 1 == kLevels) {
      if (distance >= span) tick = tick_ + span - 1;
      const auto slot = static_cast<std::size_t>((tick >> (8 * level)) & 255);
      link(slots_[level][slot], timer);
      if (level == 0) occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
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
  while (moved.next_ != &moved) {
    Timer& timer = *moved.next_;
    timer.cancel();
    place(timer, tick_);  // this very tick is about to fire
  }
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
  // The next slot of level 0 with a timer, up to the next cascade, which is itself a reason to wake. By bitmap, since a
  // reactor asks once per turn and most slots are empty.
  std::int64_t due = (tick_ | 255) + 1;
  const auto first = static_cast<std::size_t>((tick_ + 1) & 255);
  for (std::size_t word = first == 0 ? occupied_.size() : first / 64; word < occupied_.size(); ++word) {
    std::uint64_t bits = occupied_[word];
    if (word == first / 64) bits &= ~std::uint64_t{0} << (first % 64);
    for (; bits != 0; bits &= bits - 1) {
      const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      const Head& head = slots_[0][slot];
      if (head.next_ != &head) {
        due = (tick_ & ~std::int64_t{255}) + static_cast<std::int64_t>(slot);
        return std::clamp<Milliseconds>(due * kTickMs - now, 0, ceiling_ms);
      }
      occupied_[word] &= ~(std::uint64_t{1} << (slot % 64));
    }
  }
  return std::clamp<Milliseconds>(due * kTickMs - now, 0, ceiling_ms);
}

std::size_t TimerWheel::armed_count() const noexcept {
  std::size_t count = 0;
  for (const auto& level : slots_) {
    for (const Head& head : level) {
      for (const Timer* timer = head.next_; timer != &head; timer = timer->next_) ++count;
    }
  }
  return count;
}

}  // namespace tidewire::base
