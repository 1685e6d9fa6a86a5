#include "server/log_limit.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tidewire::server {
namespace {

constexpr std::size_t kSharedKinds = static_cast<std::size_t>(LogLevel::kOff);  // one per level

}  // namespace

LogLimit::LogLimit(std::uint32_t lines_per_second, Report report) : lines_per_second_(lines_per_second), report_(std::move(report)) {
  kinds_.reserve(kKindsMax + kSharedKinds);
}

bool LogLimit::over(const Kind& kind, std::int64_t now_us) const noexcept {
  return now_us >= kind.since_us + kSecondUs || now_us < kind.since_us - kSecondUs;
}

bool LogLimit::admit(LogLevel level, std::string_view message, std::int64_t now_us) {
  if (lines_per_second_ == 0) return true;
  sweep(now_us);
  key_.assign(1, static_cast<char>(level)).append(message);
  auto found = kinds_.find(key_);
  if (found == kinds_.end() && kinds_.size() >= kKindsMax) {
    key_.assign(1, static_cast<char>(level)).append(kOtherKinds);
    found = kinds_.find(key_);
  }
  if (found == kinds_.end()) {
    next_sweep_us_ = kinds_.empty() ? now_us + kSecondUs : std::min(next_sweep_us_, now_us + kSecondUs);
    found = kinds_.emplace(key_, Kind{.level = level, .since_us = now_us, .lines = 0}).first;
  }
  Kind& kind = found->second;
  ++kind.lines;
  if (kind.lines == std::uint64_t{lines_per_second_} + 1) ++held_back_kinds_;
  return kind.lines <= lines_per_second_;
}

void LogLimit::sweep(std::int64_t now_us) {
  // The second comparison: a clock that was set back must not silence a kind until it has caught up.
  if (kinds_.empty() || (now_us < next_sweep_us_ && now_us >= next_sweep_us_ - 2 * kSecondUs)) return;
  end_kinds([&](const Kind& kind) { return over(kind, now_us); });
}

void LogLimit::finish() {
  end_kinds([](const Kind&) { return true; });
}

template <typename Ends>
void LogLimit::end_kinds(Ends&& ends) {
  std::int64_t oldest_us = std::numeric_limits<std::int64_t>::max();
  for (auto at = kinds_.begin(); at != kinds_.end();) {
    const Kind kind = at->second;
    if (!ends(kind)) {
      oldest_us = std::min(oldest_us, kind.since_us);
      ++at;
      continue;
    }
    if (kind.lines > lines_per_second_) {
      --held_back_kinds_;
      report_({kind.level, std::string_view(at->first).substr(1), kind.lines - lines_per_second_});
    }
    kinds_.erase(at++);
  }
  if (!kinds_.empty()) next_sweep_us_ = oldest_us + kSecondUs;
}

}  // namespace tidewire::server
