// server/log_limit.h - how many lines of one kind a second may bring, and how many were held back.
//
//   a a a a a | a a a a a a ... (silence)      | a suppressed=4711   a a ...
//   the first lines_per_second of a second      the second is over, a summary
//
// A kind is a level and a message; fields do not count, since peers fill them.
// A second begins with the first line of a kind. The clock is the wall's: a leap of more than a second, in either direction, ends the
// second early. Lines of other threads may be a little older than the last one: they count for the same second.
// Bounds: kKindsMax kinds at a time; when all are busy, further ones share one per level.
// Threads: one, the log's. Why not a token bucket: it would let a steady flood drip through, without a line that says how much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/string_map.h"
#include "tidewire/function.h"
#include "tidewire/options.h"

namespace tidewire::server {

class LogLimit {
 public:
  static constexpr std::size_t kKindsMax = 256;
  static constexpr std::int64_t kSecondUs = 1'000'000;
  static constexpr std::string_view kOtherKinds = "lines of other kinds";

  struct Summary {
    LogLevel level;
    std::string_view message;  // until the callback returns
    std::uint64_t suppressed;
  };
  using Report = UniqueFunction<void(const Summary&)>;

  // `lines_per_second` 0: no limit. `report` hears of each kind that was held back, once its second is over.
  LogLimit(std::uint32_t lines_per_second, Report report);

  // Whether this line may be written. Reports first what ended before `now_us`.
  bool admit(LogLevel level, std::string_view message, std::int64_t now_us);
  // Reports what ended before `now_us`; with nothing held back this is one comparison.
  void sweep(std::int64_t now_us);
  // Reports everything held back, its second over or not.
  void finish();
  // Whether a report is due some time.
  bool holds_back() const noexcept { return held_back_kinds_ != 0; }

 private:
  struct Kind {
    LogLevel level;
    std::int64_t since_us;
    std::uint64_t lines;
  };

  bool over(const Kind& kind, std::int64_t now_us) const noexcept;
  template <typename Ends>
  void end_kinds(Ends&& ends);

  const std::uint32_t lines_per_second_;
  Report report_;
  std::string key_;  // scratch: the level as a character, then the message
  base::StringMap<Kind> kinds_;
  std::size_t held_back_kinds_ = 0;
  std::int64_t next_sweep_us_ = 0;  // when the oldest kind ends. Means something while there are kinds
};

}  // namespace tidewire::server
