// server/api_idempotency.h - what was published under which idempotency key, so that a back end may repeat a request.
//
//   entries_   (tenant, caller, key) -> digest of the message, id it was given, end
//   ages_      the same keys, oldest first
//
// A key counts for window_ms from its first use. At the bound the oldest is forgotten. Keys of a batch are taken all or none.
// Threads: any; one mutex, held for the keys of one request. Time: handed in, monotonic.
// Why in memory only: what a restart forgets is sent twice at most; a table on disk would cost each publish a write.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/string_map.h"

namespace tidewire::server {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 64;

class ApiIdempotency {
 public:
  ApiIdempotency(std::int64_t window_ms, std::size_t entries_max) : window_ms_(window_ms), entries_max_(entries_max == 0 ? 1 : entries_max) {}

  using Digest = std::array<unsigned char, 32>;
  static Digest digest_of(std::string_view text);

  struct Claim {
    std::string key;         // with whose it is, see scoped_key(); empty: not kept
    Digest digest = {};      // of the message
    std::string id;          // in: the id of a new message; out: that of the first one
    bool duplicate = false;  // out
  };
  static constexpr std::size_t kAllGood = static_cast<std::size_t>(-1);
  // kAllGood, or the index of a claim whose key was used for another message; then nothing is kept.
  std::size_t claim(std::span<Claim> claims, std::int64_t now_ms);
  static std::string scoped_key(std::string_view tenant, std::string_view caller, std::string_view key);

  std::size_t size() const;

 private:
  struct Entry {
    Digest digest;
    std::string id;
    std::int64_t ends_ms;
  };
  struct Age {
    std::string key;
    std::int64_t ends_ms;
  };
  void forget_oldest();

  const std::int64_t window_ms_;
  const std::size_t entries_max_;
  mutable std::mutex mutex_;
  // Guarded by mutex_
  base::StringMap<Entry> entries_;
  std::deque<Age> ages_;
};

}  // namespace tidewire::server
