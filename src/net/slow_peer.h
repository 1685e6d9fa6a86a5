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
  Pace judge(const Connection& stream, std::size_t frame_bytes, base::Milliseconds now) const noexcept {
    const std::size_t queued = stream.out().bytes();
    const std::size_t hard = (tight() ? limits_.soft_bytes : limits_.hard_bytes) * (stream.blocked() ? 1 : kBurstFactor);
    if ((queued > hard && queued > frame_bytes) || too_old(stream, now)) return Pace::kGiveUp;
    return stream.blocked() ? Pace::kPaused : Pace::kFine;
  }
  bool too_old(const Connection& stream, base::Milliseconds now) const noexcept {
    const base::Milliseconds since = stream.out().blocked_since();
    return since != 0 && now - since >= limits_.age_ms;
  }
  // When to look at its age: `otherwise` when nothing waits.
  base::Milliseconds deadline(const Connection& stream, base::Milliseconds otherwise) const noexcept {
    const base::Milliseconds since = stream.out().blocked_since();
    return since == 0 ? otherwise : std::min(otherwise, since + limits_.age_ms);
  }
  // Before the last word: drops what has not begun to leave. True when the stream must be cut after it, as even what has begun is
  // too much for now.
  bool drop_queue(Connection& stream) const noexcept {
    stream.out().drop_rest();
    return stream.out().bytes() > base::kBegunFrameBytesMax && tight();
  }

 private:
  static constexpr std::size_t kBurstFactor = 8;
  bool tight() const noexcept { return limits_.budget != nullptr && limits_.budget->level() >= base::Budget::Level::kTight; }
  const Limits limits_;
};

}  // namespace tidewire::net
