// base/base64.cc - three bytes are four characters of six bits, most significant first.
//
// Decoding is strict where leniency would give one value two spellings: no blanks, padding complete or absent, and the
// unused bits of the last character zero.
#include "base/base64.h"

#include <array>
#include <cstdint>

#include "base/assert.h"

namespace tidewire::base {
namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kBad = 0xff;

using DecodeTable = std::array<std::uint8_t, 256>;

constexpr DecodeTable invert(const char* alphabet) {
  DecodeTable table{};
  table.fill(kBad);
  for (std::uint8_t value = 0; value < 64; ++value) table[static_cast<std::uint8_t>(alphabet[value])] = value;
  return table;
}

constexpr DecodeTable kStandardValues = invert(kStandard);
constexpr DecodeTable kUrlValues = invert(kUrl);

constexpr std::uint32_t octet(char c) noexcept { return static_cast<std::uint8_t>(c); }

void encode_group(std::uint32_t bits24, const char* alphabet, char* out) noexcept {
  out[0] = alphabet[bits24 >> 18];
  out[1] = alphabet[(bits24 >> 12) & 63];
  out[2] = alphabet[(bits24 >> 6) & 63];
  out[3] = alphabet[bits24 & 63];
}

// Four characters to three bytes; false for a character outside the alphabet.
template <typename Byte>
bool decode_group(const char* text, const DecodeTable& values, Byte* out) noexcept {
  const std::uint32_t a = values[octet(text[0])];
  const std::uint32_t b = values[octet(text[1])];
  const std::uint32_t c = values[octet(text[2])];
  const std::uint32_t d = values[octet(text[3])];
  if (((a | b | c | d) & 0x80) != 0) return false;
  const std::uint32_t bits24 = a << 18 | b << 12 | c << 6 | d;
  out[0] = static_cast<Byte>(bits24 >> 16);
  out[1] = static_cast<Byte>((bits24 >> 8) & 0xff);
  out[2] = static_cast<Byte>(bits24 & 0xff);
  return true;
}

// Padded.
void encode(std::string_view bytes, const char* alphabet, char* out) noexcept {
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3, out += 4) {
    encode_group(octet(bytes[at]) << 16 | octet(bytes[at + 1]) << 8 | octet(bytes[at + 2]), alphabet, out);
  }
  const std::size_t left = bytes.size() - at;
  if (left == 0) return;
  encode_group(octet(bytes[at]) << 16 | (left == 2 ? octet(bytes[at + 1]) << 8 : 0), alphabet, out);
  out[3] = '=';
  if (left == 1) out[2] = '=';
}

// Appends the bytes of a text without padding; false, and `out` unchanged, for anything but its canonical spelling.
bool decode_unpadded(std::string_view text, const DecodeTable& values, std::string& out) {
  const std::size_t tail = text.size() % 4;
  if (tail == 1) return false;
  const std::size_t begin = out.size();
  out.resize(begin + text.size() / 4 * 3 + (tail == 0 ? 0 : tail - 1));
  char* to = out.data() + begin;
  bool good = true;
  std::size_t at = 0;
  for (; good && at + 4 <= text.size(); at += 4, to += 3) good = decode_group(text.data() + at, values, to);
  if (good && tail != 0) {
    // 'A' is zero: the bytes that the tail does not hold come out as the bits it must not have set.
    const char last[4] = {text[at], text[at + 1], tail == 3 ? text[at + 2] : 'A', 'A'};
    char group[3] = {};
    good = decode_group(last, values, group) && group[tail - 1] == 0;
    for (std::size_t i = 0; i + 1 < tail; ++i) to[i] = group[i];
  }
  if (!good) out.resize(begin);
  return good;
}

}  // namespace

void base64_encode(std::string_view bytes, char* out) noexcept { encode(bytes, kStandard, out); }

bool base64_decode(std::string_view text, std::string& out) {
  if (text.size() % 4 == 0 && text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  return decode_unpadded(text, kStandardValues, out);
}

std::string base64url_encode(std::string_view bytes) {
  std::string text(base64_size(bytes.size()), '\0');
  encode(bytes, kUrl, text.data());
  text.resize(bytes.size() / 3 * 4 + (bytes.size() % 3 == 0 ? 0 : bytes.size() % 3 + 1));
  return text;
}

bool base64url_decode(std::string_view text, std::string& out) { return decode_unpadded(text, kUrlValues, out); }

void base64url_encode(std::span<const unsigned char> bytes, char* out) noexcept {
  TW_ASSERT(bytes.size() % 3 == 0);
  for (std::size_t at = 0; at < bytes.size(); at += 3, out += 4) {
    encode_group(std::uint32_t{bytes[at]} << 16 | std::uint32_t{bytes[at + 1]} << 8 | bytes[at + 2], kUrl, out);
  }
}

bool base64url_decode(std::string_view text, std::span<unsigned char> out) noexcept {
  TW_ASSERT(out.size() * 4 == text.size() * 3);
  for (std::size_t group = 0; group * 4 < text.size(); ++group) {
    if (!decode_group(text.data() + group * 4, kUrlValues, out.data() + group * 3)) return false;
  }
  return true;
}

}  // namespace tidewire::base
