// hub/identity_watch.h - ends memberships whose identity has expired, with a warning before.
//
//   due_ {wall clock ms, member}   ordered; one entry per member whose identity ends: first its warning, then its end
//
// What a listener of one end does may give another member of the same tick more time: each is looked at again before its turn.
// Every kTickMs the head of the list is compared with the wall clock. A timer per member would be armed on the monotonic
// clock and would sleep through a step of the wall clock, which is the clock that tokens speak of.
// Threads: its shard only. Cost: nothing for members without an end; about 40 bytes for the others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "absl/container/btree_set.h"
#include "base/clock.h"
#include "base/timer_wheel.h"
#include "tidewire/function.h"

namespace tidewire::hub {

class Member;

// Wall clock ms at which the member's identity ends; none when it never does. An end further away than a clock can tell, which
// only an application's own identity has, is brought to where sums of two such times still fit.
std::optional<std::int64_t> end_of(const Member& member);

class IdentityWatch final : private base::Timer {
 public:
  static constexpr base::Milliseconds kTickMs = 500;

  struct Context {
    base::TimerWheel& timers;
    std::function<base::Milliseconds()> now;
    std::function<std::int64_t()> wall_clock_ms;
    std::int64_t warning_ms;                 // before the end; 0: no warning
    std::function<void(Member&)> warn;
    std::function<void(Member&)> end;        // must end the membership
  };

  explicit IdentityWatch(Context context) : context_(std::move(context)) {}
  ~IdentityWatch() = default;

  // REQUIRES: the identity of a member changes only between remove() and add(). Members without an end are ignored.
  void add(Member& member);
  void remove(Member& member);
  std::size_t size() const noexcept { return due_.size(); }

 private:
  using Due = std::pair<std::int64_t, Member*>;
  void expired(base::Milliseconds now) override;

  const Context context_;
  absl::btree_set<Due> due_;
};

}  // namespace tidewire::hub
