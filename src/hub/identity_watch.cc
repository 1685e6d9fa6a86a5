#include "hub/identity_watch.h"

#include <vector>

#include "hub/member.h"

namespace tidewire::hub {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;

// Wall clock of the end; none when it never comes.
std::optional<std::int64_t> end_of(const Member& member) {
  const Identity* identity = member.identity();
  if (identity == nullptr || !identity->expires_at_s) return std::nullopt;
  return *identity->expires_at_s * kMsPerSecond;
}

}  // namespace

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
  std::vector<MemberRef> warned;
  std::vector<MemberRef> ended;
  while (!due_.empty() && due_.begin()->first <= wall) {
    Member& member = *due_.begin()->second;
    const std::int64_t at = due_.begin()->first;
    due_.erase(due_.begin());
    const std::int64_t end = *end_of(member);
    if (at < end && wall < end) {
      due_.emplace(end, &member);
      warned.emplace_back(member);
    } else {
      ended.emplace_back(member);
    }
  }
  // What they set off may change the list.
  for (const MemberRef& member : ended) context_.end(*member);
  for (const MemberRef& member : warned) context_.warn(*member);
  if (!due_.empty()) context_.timers.arm(*this, now + kTickMs);
}

}  // namespace tidewire::hub
