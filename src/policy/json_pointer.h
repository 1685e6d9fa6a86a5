// policy/json_pointer.h - RFC 6901: names of places in a value. "/lines/0/a~1b" is value["lines"][0]["a/b"]; "" is the value itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tidewire/value.h"

namespace tidewire::policy {

// Appends one step: '/' and the name, with '~' and '/' escaped.
void append_pointer(std::string& pointer, std::string_view name);

// The value at that place, or nullptr.
const Value* resolve_pointer(const Value& root, std::string_view pointer);

// A pointer as it stands behind the '#' of a URI: percent escapes decoded. Nothing when they are broken.
std::optional<std::string> decode_fragment(std::string_view text);

}  // namespace tidewire::policy
