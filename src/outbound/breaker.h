// outbound/breaker.h - circuit breaker: a back end that keeps failing is left alone for a while, then asked once.
//
//             failures_max in a row                  cool_down_ms is over, and somebody asks
//   kClosed ------------------------> kOpen --------------------------------------------> kHalfOpen (one probe is out)
//      ^                               ^----------- the probe failed: cool-down doubled ------|
//      |------------------------------------------- the probe succeeded ----------------------|
//
// Whoever wants to call takes a Ticket and gives it back with the outcome. An outcome from before the last change of state is
// ignored: a hundred calls that fail together open the breaker once.
// Pure: time is handed in. Threads: none of its own, no lock; it belongs to its one WebhookQueue or Asker, under their mutex.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace tidewire::outbound {

struct BreakerOptions {
  std::uint32_t failures_max = 5;
  base::Milliseconds cool_down_ms = 10'000;
  base::Milliseconds cool_down_max_ms = 60'000;
};

class Breaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  struct Ticket {
    std::uint64_t era;
  };

  explicit Breaker(const BreakerOptions& options) noexcept : options_(options), cool_down_ms_(options.cool_down_ms) {}

  // A ticket if a call may be made now. It must come back by exactly one of the next three.
  std::optional<Ticket> try_acquire(base::Milliseconds now) noexcept;
  // The back end answered.
  void succeeded(Ticket ticket) noexcept;
  // It did not, or said that it cannot.
  void failed(Ticket ticket, base::Milliseconds now) noexcept;
  // The call was never made, or we ended it: says nothing about the back end. A probe may be tried again.
  void abandoned(Ticket ticket) noexcept;

  State state() const noexcept { return state_; }
  // Until try_acquire() may succeed; 0 unless kOpen.
  base::Milliseconds wait_ms(base::Milliseconds now) const noexcept;

 private:
  void open(base::Milliseconds now) noexcept;

  const BreakerOptions options_;
  State state_ = State::kClosed;
  std::uint64_t era_ = 0;  // changes with the state
  std::uint32_t failures_ = 0;
  base::Milliseconds cool_down_ms_;
  base::Milliseconds open_until_ = 0;
};

// "closed", "open", "half-open".
std::string_view breaker_state_text(Breaker::State state) noexcept;

}  // namespace tidewire::outbound
