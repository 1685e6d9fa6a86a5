// policy/json_string.h - a string of a Value, with the oddity that tidewire/value.h tells of: half a surrogate pair (\ud83d).
//
// Such a string is `escaped`: its text is what stands between the quotes of the JSON, and no plain string equals it.
// Lifetime: a view of the value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tidewire/value.h"

namespace tidewire::policy {

struct JsonString {
  std::string_view text;
  bool escaped = false;

  // In code points, a whole pair of surrogates as one and half a pair as one too.
  std::size_t length() const noexcept;
  // What patterns and formats look at: the string, in which half a pair stays an escape. A view of it, or of `scratch`.
  std::string_view readable(std::string& scratch) const;
};

// REQUIRES: value.is_string()
JsonString json_string(const Value& value);

}  // namespace tidewire::policy
