// auth/strict_json.h - a JSON object from somebody who wants to be believed: a token's header and claims, a set of keys.
//
// Stricter than Value::parse: a member that comes twice, at any depth, and half a surrogate pair are refused. Two readers
// that take different ones of two equal members are how a token comes to say one thing to the door and another to the
// room behind it (RFC 7519 section 4).
// Threads: a pure function. Limits: kAuthJsonDepthMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tidewire/value.h"

namespace tidewire::auth {

inline constexpr std::size_t kAuthJsonDepthMax = 16;

enum class [[nodiscard]] StrictJsonError : std::uint8_t {
  kOk,
  kNotJson,         // not UTF-8, not JSON, or nested too deep
  kNotAnObject,
  kRepeatedMember,  // {"a":1,"\u0061":2}
  kHalfSurrogate,   // "\ud83d"
};

// `out` is meaningful only after kOk.
StrictJsonError parse_strict_object(std::string_view json, Value& out);

}  // namespace tidewire::auth
