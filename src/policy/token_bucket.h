// policy/token_bucket.h - a token bucket: full at first, refilled evenly, what is taken must be there.
//
//   level   in parts of a token: one token is interval_ms parts, and each millisecond brings `count` parts
//
// So 3 per second are exactly 3 per second after a year: nothing is rounded, nothing drifts.
// Pure: time comes as an argument; the rate too, so that ten thousand buckets of one rule hold it once.
// A clock that steps back brings nothing and costs nothing; one that leaps brings at most a full bucket.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "policy/rate.h"

namespace tidewire::policy {

class TokenBucket {
 public:
  // Full.
  TokenBucket(const Rate& rate, base::Milliseconds now) noexcept : level_(capacity(rate)), updated_(now) {}

  // Takes so many tokens, or none of them. More than rate.burst are never there.
  bool take(const Rate& rate, base::Milliseconds now, std::uint32_t tokens = 1) noexcept {
    refill(rate, now);
    const std::int64_t wanted = parts(rate, tokens);
    if (wanted > level_) return false;
    level_ -= wanted;
    return true;
  }

  // Until so many tokens are there; 0 when they are. REQUIRES: tokens <= rate.burst
  base::Milliseconds wait_ms(const Rate& rate, base::Milliseconds now, std::uint32_t tokens = 1) noexcept {
    refill(rate, now);
    const std::int64_t missing = parts(rate, tokens) - level_;
    return missing <= 0 ? 0 : (missing + rate.count - 1) / rate.count;
  }

  // Whether this is as good as a new one.
  bool full(const Rate& rate, base::Milliseconds now) noexcept {
    refill(rate, now);
    return level_ == capacity(rate);
  }

  // The time that an empty bucket takes to be full.
  static base::Milliseconds fill_ms(const Rate& rate) noexcept { return (capacity(rate) + rate.count - 1) / rate.count; }

 private:
  static std::int64_t parts(const Rate& rate, std::uint32_t tokens) noexcept {
    return static_cast<std::int64_t>(tokens) * rate.interval_ms;
  }
  static std::int64_t capacity(const Rate& rate) noexcept { return parts(rate, rate.burst); }

  void refill(const Rate& rate, base::Milliseconds now) noexcept {
    // Not more than would fill it: the product below then stays small.
    const base::Milliseconds passed = now <= updated_ ? 0 : std::min(now - updated_, fill_ms(rate));
    level_ = std::min(capacity(rate), level_ + passed * rate.count);
    updated_ = now;
  }

  std::int64_t level_;
  base::Milliseconds updated_;
};

static_assert(sizeof(TokenBucket) == 16);

}  // namespace tidewire::policy
