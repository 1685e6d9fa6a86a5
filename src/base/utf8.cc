// base/utf8.cc - the table of RFC 3629, section 4, as bounds of the next byte:
//
//   00..7F
//   C2..DF  80..BF
//   E0      A0..BF  80..BF          (below A0: overlong)
//   E1..EF  80..BF  80..BF          (but ED: 80..9F, above are surrogates)
//   F0      90..BF  80..BF  80..BF  (below 90: overlong)
//   F1..F3  80..BF  80..BF  80..BF
//   F4      80..8F  80..BF  80..BF  (above 8F: beyond U+10FFFF)
#include "base/utf8.h"

#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidewire::base {
namespace {

// The first byte in [at, end) that is not ASCII, or a place before it with fewer than a full step left.
const char* skip_ascii(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  while (end - at >= 16) {
    const int high_bits = _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    if (high_bits != 0) return at + __builtin_ctz(static_cast<unsigned>(high_bits));
    at += 16;
  }
#endif
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x8080'8080'8080'8080u) != 0) return at;
    at += 8;
  }
  return at;
}

constexpr bool continues(char byte) noexcept { return (static_cast<std::uint8_t>(byte) & 0xc0) == 0x80; }

// Behind the good characters at the begin of [at, end), as far as a quick look tells; the rest is for the careful one.
const char* skip_characters(const char* at, const char* end) noexcept {
  while (end - at >= 4) {
    const auto first = static_cast<std::uint8_t>(*at);
    if (first < 0x80) {
      const char* const behind = skip_ascii(at, end);
      at = behind == at ? at + 1 : behind;
    } else if (first >= 0xc2 && first <= 0xdf && continues(at[1])) {
      at += 2;
    } else if ((first & 0xf0) == 0xe0 && first != 0xe0 && first != 0xed && continues(at[1]) && continues(at[2])) {
      at += 3;
    } else {
      break;
    }
  }
  return at;
}

}  // namespace

bool valid_utf8(std::string_view bytes) noexcept {
  Utf8Validator validator;
  return validator.feed(bytes) && validator.complete();
}

bool has_control_characters(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    // U+0080 to U+009F are two bytes.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<std::uint8_t>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

bool Utf8Validator::feed(std::string_view bytes) noexcept {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end && !failed_) {
    if (pending_ == 0) {
      at = skip_characters(at, end);
      while (at != end && static_cast<std::uint8_t>(*at) < 0x80) ++at;
      if (at == end) break;
    }
    const auto byte = static_cast<std::uint8_t>(*at++);
    if (pending_ != 0) {
      failed_ = byte < low_ || byte > high_;
      low_ = 0x80;
      high_ = 0xbf;
      --pending_;
    } else if (byte >= 0xc2 && byte <= 0xdf) {
      pending_ = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      pending_ = 2;
      if (byte == 0xe0) low_ = 0xa0;
      if (byte == 0xed) high_ = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      pending_ = 3;
      if (byte == 0xf0) low_ = 0x90;
      if (byte == 0xf4) high_ = 0x8f;
    } else {
      failed_ = true;
    }
  }
  return !failed_;
}

}  // namespace tidewire::base
