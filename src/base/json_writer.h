// base/json_writer.h - appends JSON to a string, each value spelled as JavaScript's JSON.stringify spells it.
//
// Threads: pure functions. Strings must be valid UTF-8: what is not is replaced by U+FFFD, so that a frame never is
// invalid.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidewire::base {

// "...", with quotes.
void append_json_string(std::string& out, std::string_view text);
// The same without the quotes, to be continued.
void append_json_escaped(std::string& out, std::string_view text);

void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
// The shortest text that reads back as the same double; NaN and the infinities are null.
void append_json_number(std::string& out, double number);

inline void append_json_raw(std::string& out, std::string_view json) { out.append(json); }

}  // namespace tidewire::base
