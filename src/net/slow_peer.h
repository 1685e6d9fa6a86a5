// net/slow_peer.h - the rule for a peer that does not take what waits for it.
//
//   over soft_bytes, bytes refused   reading from it pauses
//   over hard_bytes                  given up; soft_bytes when the memory of the process is short (base/budget.h); kBurstFactor
//                                    times as much while it has refused nothing, within one turn
//   oldest byte older than age_ms    given up
//
// Given up is: nothing more is queued, what has not begun to leave is dropped, and the peer is closed with a word, at the end
// of the turn, since a fan-out walks its members while it sends. What the word is and who hears of it is the asker's.
// Threads: its shard's; no state.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/budget.h"
#include "base/clock.h"
#include "net/connection.h"

namespace tidewire::net {

enum class Pace : std::uint8_t {
  kFine,    // or not its fault yet
  kPaused,  // read no more from it until it has drained
  kGiveUp,
};

// What waits for a peer.
struct Backlog {
  std::size_t bytes;
  base::Milliseconds since;  // the oldest byte that it has not taken; 0: none
  bool stalled;              // it has refused bytes
};
inline Backlog backlog_of(const Connection& stream) noexcept {
  return {.bytes = stream.out().bytes(), .since = stream.out().blocked_since(), .stalled = stream.blocked()};
}

class SlowPeerRule {
 public:
  struct Limits {
    std::size_t soft_bytes;
    std::size_t hard_bytes;
    std::int64_t age_ms;
    const base::Budget* budget;  // none: never short. It must outlive the rule
  };
  explicit SlowPeerRule(const Limits& limits) noexcept : limits_(limits) {}

  std::size_t soft_bytes() const noexcept { return limits_.soft_bytes; }
  // Of a peer that has more than soft_bytes waiting, `frame_bytes` of them just queued: one frame alone is never too much.
  Pace judge(const Backlog& backlog, std::size_t frame_bytes, base::Milliseconds now) const noexcept {
    const std::size_t hard = (tight() ? limits_.soft_bytes : limits_.hard_bytes) * (backlog.stalled ? 1 : kBurstFactor);
    if ((backlog.bytes > hard && backlog.bytes > frame_bytes) || too_old(backlog.since, now)) return Pace::kGiveUp;
    return backlog.stalled ? Pace::kPaused : Pace::kFine;
  }
  // `since`: as in Backlog.
  bool too_old(base::Milliseconds since, base::Milliseconds now) const noexcept { return since != 0 && now - since >= limits_.age_ms; }
  // When to look at its age: `otherwise` when nothing waits.
  base::Milliseconds deadline(base::Milliseconds since, base::Milliseconds otherwise) const noexcept {
    return since == 0 ? otherwise : std::min(otherwise, since + limits_.age_ms);
  }
  // How much of a frame that has begun to leave the last word may wait for; beyond, the stream is cut.
  std::size_t begun_bytes_max() const noexcept { return tight() ? base::kBegunFrameBytesMax : SIZE_MAX; }
  // Before the last word: drops what has not begun to leave. True when the stream must be cut after it.
  bool drop_queue(Connection& stream) const noexcept {
    stream.out().drop_rest();
    return stream.out().bytes() > begun_bytes_max();
  }

 private:
  static constexpr std::size_t kBurstFactor = 8;
  bool tight() const noexcept { return limits_.budget != nullptr && limits_.budget->level() >= base::Budget::Level::kTight; }
  const Limits limits_;
};

}  // namespace tidewire::net
