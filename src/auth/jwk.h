// auth/jwk.h - keys as JSON (RFC 7517, 7518 section 6, 8037), alone or as the set that an issuer publishes.
//
//   {"keys":[{"kty":"RSA","kid":"a","use":"sig","alg":"RS256","n":"...","e":"AQAB"}, ...]}
//
// Read are kty (RSA, EC, OKP with Ed25519, oct), kid, alg, use, key_ops and the public members. Private members are not
// looked at: such a key verifies and does not sign; only an oct key can do both. x5u, x5c and the like are ignored.
// Threads: pure functions. Limits: below; from where a set may be fetched is its fetcher's business.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::auth {

inline constexpr std::size_t kKeySetBytesMax = 64 * 1024;
inline constexpr std::size_t kKeysPerSetMax = 100;

// The key that a JWK describes. `options.kid` counts where the JWK has none. Of `options.algorithms`, or of the defaults of
// its kind, remains what the JWK's own "alg" says; when nothing remains the key is refused.
Result<Key> key_from_jwk(const Value& jwk, KeyOptions options = {});

struct ParsedKeySet {
  std::vector<Key> keys;             // at least one
  std::vector<std::string> skipped;  // a line for each key that is no use here: what kind, or what is wrong with it
};

// The keys for signatures of a set. A key that we cannot use is skipped, as RFC 7517 section 5 asks: an issuer may publish
// more than we know. Also skipped is a secret ("oct"): a set is published, so everybody would know it.
// Refused as a whole: more than 64 KB or 100 keys, a member that comes twice, a kid that comes twice, no key of use. Who
// refreshes then keeps the keys it has.
// `algorithms` as in KeyOptions, for each key as far as its kind can do them.
Result<ParsedKeySet> parse_key_set(std::string_view json, AlgorithmSet algorithms = {});

}  // namespace tidewire::auth
