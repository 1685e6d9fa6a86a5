// policy/rate_table.h - one token bucket for each user, address or event of a rule, in a table that strangers cannot make grow.
//
//   entries_   [bucket key older newer] [..] [..]   slots, reused
//   index_     key -> slot
//   oldest_ <-> ... <-> newest_                     in order of the last take
//
// At the bound a new key displaces the full bucket that was not used for the longest time: it is as good as a new one, so nobody
// gains by that. If none of the kScanned oldest is full, the oldest goes. Who has more addresses than the table has entries gets
// fresh buckets that way; the bound on memory is what we insist on.
//
// Threads: per shard, no locks; a key that uses several shards has a bucket in each. Time: handed in.
// Why one rate per table: the longest unused bucket is then the most refilled, and the order of use is the order to evict in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/string_map.h"
#include "policy/rate.h"
#include "policy/token_bucket.h"

namespace tidewire::policy {

class RateTable {
 public:
  static constexpr std::size_t kEntriesMaxDefault = 100'000;
  static constexpr std::size_t kKeyBytesMax = 256;  // longer keys that begin alike share a bucket
  static constexpr std::size_t kScanned = 16;

  // `entries_max` 0 is read as 1.
  explicit RateTable(const Rate& rate, std::size_t entries_max = kEntriesMaxDefault);
  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  const Rate& rate() const noexcept { return rate_; }
  std::size_t size() const noexcept { return index_.size(); }

  // Whether `key` may do this now; takes so many tokens if it may.
  bool take(std::string_view key, base::Milliseconds now, std::uint32_t tokens = 1);
  // When to come again; 0 for at once. Changes no order. REQUIRES: tokens <= rate().burst
  base::Milliseconds wait_ms(std::string_view key, base::Milliseconds now, std::uint32_t tokens = 1);

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = std::numeric_limits<Slot>::max();

  struct Entry {
    std::string key;
    TokenBucket bucket;
    Slot older, newer;
  };
  // Looks keys up in the slots, so that each is held once.
  struct Hash {
    using is_transparent = void;
    const std::vector<Entry>* entries;
    std::size_t operator()(std::string_view key) const { return base::StringHash()(key); }
    std::size_t operator()(Slot slot) const { return base::StringHash()((*entries)[slot].key); }
  };
  struct Equal {
    using is_transparent = void;
    const std::vector<Entry>* entries;
    bool operator()(Slot a, Slot b) const noexcept { return a == b; }
    bool operator()(Slot a, std::string_view b) const noexcept { return (*entries)[a].key == b; }
    bool operator()(std::string_view a, Slot b) const noexcept { return (*this)(b, a); }
  };

  Slot add(std::string_view key, base::Milliseconds now);
  Slot slot_to_evict(base::Milliseconds now);
  void unlink(Slot slot) noexcept;
  void link_newest(Slot slot) noexcept;

  const Rate rate_;
  const std::size_t entries_max_;
  std::vector<Entry> entries_;
  absl::flat_hash_set<Slot, Hash, Equal> index_;
  Slot oldest_ = kNone, newest_ = kNone;
  std::size_t bytes_ = 0;
  base::Charge charge_;  // what strangers make us hold
};

// The key of an address: an IPv4 address as it is, also when it comes as ::ffff:192.0.2.1; of an IPv6 address the first 64 bits
// ("2001:db8:0:1::/64"), since one customer has at least those. What is no address is returned as it is.
std::string address_key(std::string_view address);

}  // namespace tidewire::policy
