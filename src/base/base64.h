// base/base64.h - RFC 4648 base64 (with padding), and base64url without padding for identifiers and tokens.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tidewire::base {

constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }
// Writes base64_size(bytes.size()) characters.
void base64_encode(std::string_view bytes, char* out) noexcept;
// Appends the bytes; false (and `out` unchanged) for anything but canonical alphabet; padding may be absent, as peers omit it.
bool base64_decode(std::string_view text, std::string& out);

// Of any length, without padding, as in a JSON Web Token.
std::string base64url_encode(std::string_view bytes);
// Appends the bytes; false (and `out` unchanged) for padding, blanks, anything but the canonical spelling.
bool base64url_decode(std::string_view text, std::string& out);

// 15 bytes to 20 characters and the like: sizes that are multiples of three only.
void base64url_encode(std::span<const unsigned char> bytes, char* out) noexcept;
// REQUIRES: out.size() * 4 == text.size() * 3. False for a character outside the alphabet.
bool base64url_decode(std::string_view text, std::span<unsigned char> out) noexcept;

}  // namespace tidewire::base
