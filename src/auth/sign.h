// auth/sign.h - makes tokens: for `tidewire token`, for tests, and for what this server gives out itself.
//
// Threads: a pure function. Limits: kTokenBytesMax; what a Verifier would not read is not written.
#pragma once

#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/key.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::auth {

// {"alg":...,"typ":"JWT","kid":...}.claims.signature. The key may sign whatever its kind can (Key::can_sign), also beyond
// the list of what it verifies. Without `kid` the header has none.
// Refused: claims that are no object or hold what a token may not, a key that cannot sign, a token over kTokenBytesMax.
Result<std::string> sign(const Value& claims, const Key& key, Algorithm algorithm, std::string_view kid);
// With the key's own kid.
inline Result<std::string> sign(const Value& claims, const Key& key, Algorithm algorithm) {
  return sign(claims, key, algorithm, key.kid());
}

}  // namespace tidewire::auth
