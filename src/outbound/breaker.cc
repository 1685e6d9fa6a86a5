#include "outbound/breaker.h"

#include <algorithm>

namespace tidewire::outbound {

std::optional<Breaker::Ticket> Breaker::try_acquire(base::Milliseconds now) noexcept {
  switch (state_) {
    case State::kClosed: return Ticket{era_};
    case State::kHalfOpen: return std::nullopt;
    case State::kOpen: break;
  }
  if (now < open_until_) return std::nullopt;
  state_ = State::kHalfOpen;
  return Ticket{++era_};
}

void Breaker::succeeded(Ticket ticket) noexcept {
  if (ticket.era != era_) return;
  failures_ = 0;
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  cool_down_ms_ = options_.cool_down_ms;
  ++era_;
}

void Breaker::failed(Ticket ticket, base::Milliseconds now) noexcept {
  if (ticket.era != era_) return;
  if (state_ == State::kHalfOpen) {
    cool_down_ms_ = std::min(cool_down_ms_ * 2, options_.cool_down_max_ms);
    open(now);
  } else if (++failures_ >= options_.failures_max) {
    open(now);
  }
}

void Breaker::abandoned(Ticket ticket) noexcept {
  if (ticket.era != era_ || state_ != State::kHalfOpen) return;
  state_ = State::kOpen;  // its cool-down is over: the next one who asks is the probe
  ++era_;
}

base::Milliseconds Breaker::wait_ms(base::Milliseconds now) const noexcept {
  return state_ == State::kOpen ? std::max<base::Milliseconds>(0, open_until_ - now) : 0;
}

void Breaker::open(base::Milliseconds now) noexcept {
  state_ = State::kOpen;
  open_until_ = now + cool_down_ms_;
  failures_ = 0;
  ++era_;
}

std::string_view breaker_state_text(Breaker::State state) noexcept {
  switch (state) {
    case Breaker::State::kClosed: return "closed";
    case Breaker::State::kOpen: return "open";
    case Breaker::State::kHalfOpen: return "half-open";
  }
  return "unknown";
}

}  // namespace tidewire::outbound
