#include "server/log_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

#include "base/assert.h"
#include "base/json_writer.h"
#include "server/log_redact.h"

namespace tidewire::server {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 5> kLevelColours = {"\x1b[2m", "\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
constexpr std::string_view kColourEnd = "\x1b[0m";

void append_time(std::string& out, std::int64_t time_us) {
  using namespace std::chrono;
  const sys_time<milliseconds> time = floor<milliseconds>(sys_time<microseconds>(microseconds(time_us)));
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

// The character at `at` if it is one that JSON may hold as it is and a terminal would obey or hide: U+007F to U+009F, U+200B to
// U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF. 0 for all others. REQUIRES: valid UTF-8
unsigned unseen_at(std::string_view text, std::size_t at, std::size_t& length) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[at + i])); };
  length = 1;
  if (byte(0) < 0x7f) return 0;
  if (byte(0) == 0x7f) return 0x7f;
  if (byte(0) == 0xc2) {
    length = 2;
    return byte(1) < 0xa0 ? byte(1) : 0;
  }
  if (byte(0) != 0xe2 && byte(0) != 0xef) return 0;
  length = 3;
  const unsigned character = (byte(0) & 0xfu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
  const bool unseen = (character >= 0x200b && character <= 0x200f) || (character >= 0x2028 && character <= 0x202e) ||
                      (character >= 0x2060 && character <= 0x206f) || character == 0xfeff;
  return unseen ? character : 0;
}

// A JSON string, with quotes.
void append_text(std::string& out, std::string_view text) {
  std::string quoted;
  base::append_json_string(quoted, text);
  std::size_t begin = 0;
  std::size_t length = 0;
  for (std::size_t at = 0; at < quoted.size(); at += length) {
    const unsigned character = unseen_at(quoted, at, length);
    if (character == 0) continue;
    out.append(quoted, begin, at - begin);
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", character);
    begin = at + length;
  }
  out.append(quoted, begin);
}

void append_value(std::string& out, const LogText& field) {
  append_text(out, names_secret(field.key) && !field.value.empty() ? "***" : redact(field.value));
}

bool reserved(std::string_view key) noexcept { return key == "time" || key == "level" || key == "message"; }

// Where a reader of text would not see where it ends.
bool needs_quotes(std::string_view quoted) noexcept {
  return quoted.size() == 2 || quoted.find_first_of(" \\=", 1) != std::string_view::npos;
}

// The JSON string without its quotes where nobody misses them.
void append_bare(std::string& out, std::string_view quoted) {
  out.append(needs_quotes(quoted) ? quoted : quoted.substr(1, quoted.size() - 2));
}

}  // namespace

std::string_view log_level_name(LogLevel level) noexcept {
  TW_ASSERT(level < LogLevel::kOff);
  return kLevelNames[static_cast<std::size_t>(level)];
}

void append_json_line(std::string& out, const LogLine& line) {
  out.append("{\"time\":\"");
  append_time(out, line.time_us);
  out.append("\",\"level\":\"").append(log_level_name(line.level)).append("\",\"message\":");
  append_text(out, line.message);
  for (const LogText& field : line.fields) {
    out.push_back(',');
    append_text(out, reserved(field.key) ? std::string(field.key) + '_' : field.key);
    out.push_back(':');
    append_value(out, field);
  }
  out.push_back('}');
}

void append_human_line(std::string& out, const LogLine& line, bool colours) {
  append_time(out, line.time_us);
  const std::string_view level = log_level_name(line.level);
  out.push_back(' ');
  if (colours) out.append(kLevelColours[static_cast<std::size_t>(line.level)]);
  out.append(level);
  if (colours) out.append(kColourEnd);
  out.append(6 - level.size(), ' ');
  std::string quoted;
  append_text(quoted, line.message);
  out.append(quoted, 1, quoted.size() - 2);
  for (const LogText& field : line.fields) {
    out.push_back(' ');
    quoted.clear();
    append_text(quoted, field.key);
    append_bare(out, quoted);
    out.push_back('=');
    quoted.clear();
    append_value(quoted, field);
    append_bare(out, quoted);
  }
}

}  // namespace tidewire::server
