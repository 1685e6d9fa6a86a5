#include "base/budget.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>

namespace tidewire::base {
namespace {

constexpr std::int64_t kTightPercent = 80;
constexpr std::int64_t kShedToPercent = 85;
constexpr std::int64_t kSheddingPercent = 90;
constexpr std::int64_t kRefusingPercent = 95;
constexpr std::size_t kMemoryShare = 4;  // a quarter

// The limit that a control group file holds: a number, or "max" for none.
std::size_t limit_in(const char* file) {
  std::ifstream in(file);
  std::string text;
  std::size_t bytes = 0;
  if (!(in >> text)) return std::numeric_limits<std::size_t>::max();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end != text.data() + text.size() || bytes == 0) return std::numeric_limits<std::size_t>::max();
  return bytes;
}

std::int64_t bounded(std::size_t bytes) {
  // So that no percentage of it overflows.
  return static_cast<std::int64_t>(std::min<std::size_t>(bytes, std::numeric_limits<std::int64_t>::max() / 128));
}

}  // namespace

Budget::Budget(std::size_t limit_bytes) : limit_(bounded(limit_bytes != 0 ? limit_bytes : default_limit())) {}

std::size_t Budget::default_limit() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  std::size_t memory = std::numeric_limits<std::size_t>::max();
  if (pages > 0 && page_bytes > 0) memory = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes);
  memory = std::min(memory, limit_in("/sys/fs/cgroup/memory.max"));
  memory = std::min(memory, limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  return memory / kMemoryShare;
}

bool Budget::settle_now() noexcept {
  settled_bytes.fetch_add(std::exchange(unsettled_bytes, 0), std::memory_order_relaxed);
  return level() != Level::kAmple;
}

std::size_t Budget::used_bytes() const noexcept {
  return static_cast<std::size_t>(std::max<std::int64_t>(settled_bytes.load(std::memory_order_relaxed), 0));
}

Budget::Level Budget::level() const noexcept {
  const std::int64_t used = settled_bytes.load(std::memory_order_relaxed);
  if (used < limit_ / 100 * kTightPercent) [[likely]] return Level::kAmple;
  if (used < limit_ / 100 * kSheddingPercent) return Level::kTight;
  return used < limit_ / 100 * kRefusingPercent ? Level::kShedding : Level::kRefusing;
}

std::size_t Budget::excess_bytes() const noexcept {
  if (level() < Level::kShedding) return 0;
  return static_cast<std::size_t>(settled_bytes.load(std::memory_order_relaxed) - limit_ / 100 * kShedToPercent);
}

}  // namespace tidewire::base
