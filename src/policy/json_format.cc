#include "policy/json_format.h"

#include <algorithm>

#include "base/json_characters.h"

namespace tidewire::policy {
namespace {

using base::is_digit;

bool is_hex(char c) noexcept { return base::hex_value(c) >= 0; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) noexcept { return is_letter(c) || is_digit(c); }
bool one_of(char c, std::string_view set) noexcept { return set.find(c) != std::string_view::npos; }

// Takes a text apart from its begin; every step says whether what it wants was there.
struct Reader {
  std::string_view rest;

  bool skip(std::string_view any_of) noexcept {
    if (rest.empty() || !one_of(rest.front(), any_of)) return false;
    rest.remove_prefix(1);
    return true;
  }
  // Exactly `digits` decimal digits.
  bool number(std::size_t digits, int& out) noexcept {
    if (rest.size() < digits || !std::ranges::all_of(rest.substr(0, digits), is_digit)) return false;
    out = 0;
    for (const char c : rest.substr(0, digits)) out = out * 10 + (c - '0');
    rest.remove_prefix(digits);
    return true;
  }
};

int days_in(int year, int month) noexcept {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool read_date(Reader& in) noexcept {
  int year = 0, month = 0, day = 0;
  if (!in.number(4, year) || !in.skip("-") || !in.number(2, month) || !in.skip("-") || !in.number(2, day)) return false;
  return month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month);
}

// The offset from UTC in minutes.
bool read_offset(Reader& in, int& minutes) noexcept {
  minutes = 0;
  if (in.skip("zZ")) return true;
  const bool west = in.rest.starts_with('-');
  int hour = 0, minute = 0;
  if (!in.skip("+-") || !in.number(2, hour) || !in.skip(":") || !in.number(2, minute)) return false;
  minutes = (hour * 60 + minute) * (west ? -1 : 1);
  return hour <= 23 && minute <= 59;
}

bool read_time(Reader& in) noexcept {
  int hour = 0, minute = 0, second = 0, offset = 0;
  if (!in.number(2, hour) || !in.skip(":") || !in.number(2, minute) || !in.skip(":") || !in.number(2, second)) return false;
  if (in.skip(".")) {
    const std::size_t digits = std::min(in.rest.find_first_not_of("0123456789"), in.rest.size());
    if (digits == 0) return false;
    in.rest.remove_prefix(digits);
  }
  if (!read_offset(in, offset) || hour > 23 || minute > 59 || second > 60) return false;
  constexpr int kDayMinutes = 24 * 60;
  const int utc_minute = (hour * 60 + minute - offset + kDayMinutes) % kDayMinutes;
  return second < 60 || utc_minute == kDayMinutes - 1;  // leap seconds end a day in UTC
}

bool is_date(std::string_view text) noexcept {
  Reader in{text};
  return read_date(in) && in.rest.empty();
}

bool is_date_time(std::string_view text) noexcept {
  Reader in{text};
  return read_date(in) && in.skip("tT") && read_time(in) && in.rest.empty();
}

bool is_uuid(std::string_view text) noexcept {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, kShape, [](char c, char shape) { return shape == 'x' ? is_hex(c) : c == '-'; });
}

bool is_ipv4(std::string_view text) noexcept {
  Reader in{text};
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && !in.skip(".")) return false;
    const std::size_t digits = std::min(in.rest.find_first_not_of("0123456789"), in.rest.size());
    int number = 0;
    if (digits == 0 || digits > 3 || (digits > 1 && in.rest.front() == '0')) return false;
    if (!in.number(digits, number) || number > 255) return false;
  }
  return in.rest.empty();
}

// Labels of letters, digits and inner hyphens, between dots.
bool is_host(std::string_view text) noexcept {
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; })) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_email(std::string_view text) noexcept {
  const std::size_t at = text.rfind('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at);
  const auto good = [](char c) { return is_alphanumeric(c) || one_of(c, ".!#$%&'*+-/=?^_`{|}~"); };
  return std::ranges::all_of(local, good) && local.front() != '.' && local.back() != '.' &&
         local.find("..") == std::string_view::npos && is_host(text.substr(at + 1));
}

// What may stand in every part: unreserved, sub-delims, ':', '@' and whole escapes; besides these what `more` lists.
bool is_uri_text(std::string_view text, std::string_view more) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      if (text.size() - at < 3 || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return false;
      at += 2;
    } else if (!is_alphanumeric(text[at]) && !one_of(text[at], "-._~!$&'()*+,;=:@") && !one_of(text[at], more)) {
      return false;
    }
  }
  return true;
}

bool is_authority(std::string_view text) noexcept {
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!is_uri_text(text.substr(0, at), "")) return false;
    text.remove_prefix(at + 1);
  }
  if (text.starts_with('[')) {  // an IPv6 address
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    if (!std::ranges::all_of(text.substr(1, end - 1), [](char c) { return is_hex(c) || c == ':' || c == '.'; })) return false;
    text.remove_prefix(end + 1);
  } else {
    const std::size_t colon = std::min(text.rfind(':'), text.size());
    if (!is_uri_text(text.substr(0, colon), "")) return false;
    text.remove_prefix(colon);
  }
  return text.empty() || (text.front() == ':' && std::ranges::all_of(text.substr(1), is_digit));
}

bool is_uri(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text.front())) return false;
  if (!std::ranges::all_of(text.substr(0, colon), [](char c) { return is_alphanumeric(c) || one_of(c, "+-."); })) return false;
  text.remove_prefix(colon + 1);
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    if (!is_uri_text(text.substr(hash + 1), "/?")) return false;
    text = text.substr(0, hash);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    if (!is_authority(text.substr(0, end))) return false;
    text.remove_prefix(end);
  }
  return is_uri_text(text, "/?");
}

struct Entry {
  std::string_view name, example;
  Format format;
  bool (*matches)(std::string_view) noexcept;
};

constexpr Entry kFormats[] = {
    {"date-time", "a date-time as 2026-01-31T12:00:00Z", Format::kDateTime, is_date_time},
    {"date", "a date as 2026-01-31", Format::kDate, is_date},
    {"uuid", "a UUID as 123e4567-e89b-12d3-a456-426614174000", Format::kUuid, is_uuid},
    {"email", "an email address as name@example.org", Format::kEmail, is_email},
    {"uri", "a URI as https://example.org/path", Format::kUri, is_uri},
    {"ipv4", "an IPv4 address as 192.0.2.1", Format::kIpv4, is_ipv4},
};

const Entry& entry_of(Format format) noexcept { return kFormats[static_cast<std::size_t>(format) - 1]; }

}  // namespace

std::optional<Format> format_of(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kFormats, name, &Entry::name);
  return found == std::end(kFormats) ? std::nullopt : std::optional(found->format);
}

std::string_view format_example(Format format) noexcept {
  return format == Format::kNone ? "anything" : entry_of(format).example;
}

std::string_view format_names() noexcept { return "date-time, date, uuid, email, uri, ipv4"; }

bool matches(Format format, std::string_view text) noexcept {
  return format == Format::kNone || entry_of(format).matches(text);
}

}  // namespace tidewire::policy
