#include "hub/identity_watch.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "hub/member.h"

namespace tidewire::hub {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::int64_t kEndSecondsMax = std::numeric_limits<std::int64_t>::max() / 4 / kMsPerSecond;

}  // namespace

std::optional<std::int64_t> end_of(const Member& member) {
  const Identity* identity = member.identity();
  if (identity == nullptr || !identity->expires_at_s) return std::nullopt;
  return std::clamp(*identity->expires_at_s, -kEndSecondsMax, kEndSecondsMax) * kMsPerSecond;
}

void IdentityWatch::add(Member& member) {
  const auto end = end_of(member);
  if (!end) return;
  const std::int64_t warning = *end - context_.warning_ms;
  // Whoever comes in with less time left than the warning takes is not warned: it knows what it came with.
  due_.emplace(warning > context_.wall_clock_ms() ? warning : *end, &member);
  if (!armed()) context_.timers.arm(*this, context_.now() + kTickMs);
}

void IdentityWatch::remove(Member& member) {
  const auto end = end_of(member);
  if (!end) return;
  due_.erase({*end, &member});
  due_.erase({*end - context_.warning_ms, &member});
}

void IdentityWatch::expired(base::Milliseconds now) {
  const std::int64_t wall = context_.wall_clock_ms();
  struct Found {
    MemberRef member;
    std::int64_t end;
  };
  std::vector<Found> warned;
  std::vector<Found> ended;
  while (!due_.empty() && due_.begin()->first <= wall) {
    Member& member = *due_.begin()->second;
    const std::int64_t at = due_.begin()->first;
    due_.erase(due_.begin());
    const std::int64_t end = *end_of(member);
    if (at < end && wall < end) {
      due_.emplace(end, &member);
      warned.push_back({MemberRef(member), end});
    } else {
      ended.push_back({MemberRef(member), end});
    }
  }
  // What they set off may change the list, and who has how much time: whoever has another end by now is in the list with it.
  for (const Found& found : ended) {
    if (end_of(*found.member) == found.end) context_.end(*found.member);
  }
  for (const Found& found : warned) {
    if (end_of(*found.member) == found.end) context_.warn(*found.member);
  }
  if (!due_.empty()) context_.timers.arm(*this, now + kTickMs);
}

}  // namespace tidewire::hub
