// auth/key_set.h - the keys of one issuer, and which of them may be asked about a token.
//
//   token names a kid that a key here has     that key alone
//   token names a kid that no key here has    the keys without a name: whoever configured them gave none to compare
//   token names no kid                        every key
//
// always of those only whose list has the token's algorithm, and at most kKeysTriedMax, in the order they were given. A kid
// is compared byte by byte and means nothing else: no path, no query, no address. A set knows one issuer: with the issuer
// chosen before (auth/verifier.h) a key is found by (configured issuer, kid, algorithm), never by kid alone.
// Lifetime: immutable; pointers to keys live as long as the set. Threads: any number at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/jwk.h"
#include "auth/key.h"
#include "tidewire/status.h"

namespace tidewire::auth {

inline constexpr std::size_t kKeysTriedMax = 16;

class KeySet {
 public:
  struct Candidates {
    std::vector<const Key*> keys;  // at most kKeysTriedMax
    bool kid_known = false;        // a key has the token's kid, whatever its algorithms
  };

  // No keys yet: every token's key is unknown.
  KeySet() = default;
  // Refused: more than kKeysPerSetMax keys, a kid that comes twice.
  static Result<KeySet> of(std::vector<Key> keys);

  const std::vector<Key>& keys() const noexcept { return keys_; }
  Candidates candidates(std::optional<std::string_view> kid, Algorithm algorithm) const;

 private:
  explicit KeySet(std::vector<Key> keys) noexcept : keys_(std::move(keys)) {}

  std::vector<Key> keys_;
};

}  // namespace tidewire::auth
