// http/characters.h - which bytes may stand where in a message head (RFC 9110 5.6), as one table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidewire::http {

enum CharClass : std::uint8_t { kToken = 1, kMethod = 2, kTarget = 4, kValue = 8, kHost = 16 };

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&classes](std::string_view characters, int char_class) {
    for (const char c : characters) {
      auto& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | char_class);
    }
  };
  constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kLowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
  mark(kUpper, kToken | kMethod | kHost);
  mark(kLowerAndDigits, kToken | kHost);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-_", kMethod);
  mark("-._~%!$&'()*+,;=", kHost);
  for (std::size_t c = 0; c < 256; ++c) {
    if (c > 0x20 && c < 0x7f && c != '#') classes[c] = static_cast<std::uint8_t>(classes[c] | kTarget);
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) classes[c] = static_cast<std::uint8_t>(classes[c] | kValue);
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

inline bool is(char c, CharClass char_class) noexcept {
  return (kCharClasses[static_cast<unsigned char>(c)] & char_class) != 0;
}

inline bool all(std::string_view text, CharClass char_class) noexcept {
  for (const char c : text) {
    if (!is(c, char_class)) return false;
  }
  return true;
}

// The value of a hexadecimal digit, -1 for another character.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace tidewire::http
