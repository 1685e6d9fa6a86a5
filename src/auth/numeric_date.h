// auth/numeric_date.h - a claim that is a point in time: seconds since 1970, perhaps with a fraction (RFC 7519 section 2).
//
// Threads: a pure function.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "tidewire/value.h"

namespace tidewire::auth {

// A fraction is rounded up: whole seconds compare with the result as with the fraction itself. Nothing for a string, a
// negative number, or one beyond 2^53, as 1e99 is.
inline std::optional<std::int64_t> numeric_date(const Value& claim) noexcept {
  constexpr double kMax = 9007199254740992.0;
  const std::optional<double> seconds = claim.as_double();
  if (!seconds || !(*seconds >= 0 && *seconds <= kMax)) return std::nullopt;
  return static_cast<std::int64_t>(std::ceil(*seconds));
}

}  // namespace tidewire::auth
