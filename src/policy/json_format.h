// policy/json_format.h - the values of the keyword "format" that contracts may use.
//
//   date-time  RFC 3339: 2026-01-31T12:00:00.5Z, a leap second only where one can be
//   date       RFC 3339: 2026-01-31
//   uuid       RFC 4122: 8-4-4-4-12 hexadecimal digits, of either case
//   email      local@host in ASCII: a dot-atom of at most 64 bytes, a host of labels, 254 bytes together
//   uri        RFC 3986, absolute: a scheme first
//   ipv4       four decimal numbers without leading zeros
//
// Pure, no allocation, one pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidewire::policy {

enum class Format : std::uint8_t { kNone, kDateTime, kDate, kUuid, kEmail, kUri, kIpv4 };

std::optional<Format> format_of(std::string_view name) noexcept;
// "expected " + this: `a date as 2026-01-31`.
std::string_view format_example(Format format) noexcept;
// All names, for messages.
std::string_view format_names() noexcept;

bool matches(Format format, std::string_view text) noexcept;

}  // namespace tidewire::policy
