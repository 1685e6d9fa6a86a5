// base/utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Fails at the first bad byte.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidewire::base {

bool valid_utf8(std::string_view bytes) noexcept;

// U+0000 to U+001F and U+007F to U+009F: what no name of a room or user may hold. REQUIRES: valid_utf8(text)
bool has_control_characters(std::string_view text) noexcept;

// For text that arrives in pieces.
class Utf8Validator {
 public:
  // False at the first byte that no continuation can make valid; stays false.
  bool feed(std::string_view bytes) noexcept;
  // Whether the text may end here (not in the middle of a character).
  bool complete() const noexcept { return pending_ == 0 && !failed_; }
  void reset() noexcept { *this = Utf8Validator(); }

 private:
  std::uint8_t pending_ = 0;  // continuation bytes still due
  std::uint8_t low_ = 0x80;   // bounds of the next one
  std::uint8_t high_ = 0xbf;
  bool failed_ = false;
};

}  // namespace tidewire::base
