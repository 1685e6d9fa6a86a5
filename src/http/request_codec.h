// http/request_codec.h - RFC 9112 requests: head bytes to a Request. Every deviation is refused.
//
// Pure: no sockets, no clock, no allocation.
// Lifetime: a Request's views point into the bytes given to parse_head(); its header span into the RequestHead.
// Limits: kRequestTargetBytesMax, kHeaderLineBytesMax, kRequestHeadBytesMax, kHeaderCountMax.
// Why strict: what two parsers on one route read differently, an attacker reads as two requests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "http/exchange.h"

namespace tidewire::http {

enum class BodyFraming : std::uint8_t { kNone, kLength, kChunked };

// A parsed head. Large (the header array): one per thread, or one per request that must be kept.
struct RequestHead {
  Request request;
  BodyFraming framing = BodyFraming::kNone;
  std::uint64_t content_length = 0;  // kLength only
  bool keep_alive = false;
  bool expect_continue = false;
  std::array<Header, base::limits::kHeaderCountMax> header_array;
};

struct HeadResult {
  enum class Outcome : std::uint8_t { kNeedMore, kComplete, kRefused };
  Outcome outcome = Outcome::kNeedMore;
  std::uint16_t status = 0;  // of the answer to a refused head
  std::size_t bytes = 0;     // of a complete head, the ignored empty line before it included
};

// Parses the head at the beginning of `bytes`. Refuses at the first byte that no continuation can make valid.
[[nodiscard]] HeadResult parse_head(std::string_view bytes, RequestHead& out) noexcept;

// Whether `byte` may change what parse_head() says of a head still incomplete before it; others only count towards a limit.
constexpr bool decides_head(char byte) noexcept {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20 || value >= 0x7f;
}

// Whether a path has only valid escapes of valid UTF-8, no control characters, no empty and no dot segment.
[[nodiscard]] bool valid_path(std::string_view path) noexcept;

// Whether `name` is a token (RFC 9110 5.6.2) and `value` free of control characters other than a tab.
bool valid_header_name(std::string_view name) noexcept;
bool valid_header_value(std::string_view value) noexcept;

// Splits "name: value", the blanks around the value trimmed; false for what is no header line.
[[nodiscard]] bool parse_header_line(std::string_view line, Header& header) noexcept;

// Calls take(element) for each non-empty element of a comma-separated list, blanks trimmed, until it returns false.
template <typename Take>
void for_each_element(std::string_view list, Take&& take) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) element.remove_prefix(1);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.remove_suffix(1);
    if (!element.empty() && !take(element)) return;
  }
}

}  // namespace tidewire::http
