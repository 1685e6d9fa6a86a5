// policy/rate.h - how often something may happen, and the text that says so in a configuration.
//
//   10/s   100/min   1000/h   5/10s   10/s burst 20   1/500ms
//
// COUNT "/" [N] UNIT [" burst " BURST]; units are ms, s, min, h and d. Without a burst, COUNT may come at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidewire/status.h"

namespace tidewire::policy {

struct Rate {
  // So that burst times interval stays far within 64 bits.
  static constexpr std::uint32_t kCountMax = 1'000'000;
  static constexpr std::uint32_t kIntervalMsMax = 24 * 3600 * 1000;

  std::uint32_t count = 1;  // 1 to kCountMax: so many ...
  std::uint32_t interval_ms = 1'000;  // 1 to kIntervalMsMax: ... per this
  std::uint32_t burst = 1;  // 1 to kCountMax: at once, after a rest

  // Or what is wrong: `"10/x": expected ms, s, min, h or d after the '/'`.
  static Result<Rate> parse(std::string_view text);
  // Parses to the same rate.
  std::string to_text() const;

  friend bool operator==(const Rate&, const Rate&) noexcept = default;
};

}  // namespace tidewire::policy
