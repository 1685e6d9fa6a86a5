// http/overload.h - the answer of a server that must not take on more: come back later, and not all at once.
#pragma once

#include <string>

#include "base/random.h"
#include "http/exchange.h"

namespace tidewire::http {

inline constexpr int kRetryAfterMinSeconds = 5;
inline constexpr int kRetryAfterMaxSeconds = 15;

// 503 with Retry-After: 5 to 15 seconds, drawn for each, so that those who are refused together do not return together.
inline Response overloaded_response(base::Random& random) {
  unsigned char luck = 0;
  random.fill({&luck, 1});
  const int seconds = kRetryAfterMinSeconds + luck % (kRetryAfterMaxSeconds - kRetryAfterMinSeconds + 1);
  return {.status = 503,
          .headers = {{"Retry-After", std::to_string(seconds)}},
          .body = "overloaded",
          .content_type = "text/plain; charset=utf-8",
          .close = true};
}

}  // namespace tidewire::http
