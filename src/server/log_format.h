// server/log_format.h - one line of the log, as JSON for machines or as text for people.
//
//   {"time":"2026-01-31T12:00:00.123Z","level":"info","message":"listening","address":"127.0.0.1:4000"}
//   2026-01-31T12:00:00.123Z info  listening address=127.0.0.1:4000
//
// Whatever a message or a value holds, a line is one line of valid UTF-8 and, as JSON, one object: quotes, backslashes, and every
// character that a terminal would obey or hide (C0, C1, DEL, direction marks, line separators) are written as escapes, bytes that are
// no UTF-8 as U+FFFD. All values are strings. Values that redact() knows are hidden, and so are fields with such a name.
// Pure. Limits: the caller's, see log_queue.h; a byte becomes at most six.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tidewire/options.h"

namespace tidewire::server {

struct LogText {
  std::string_view key;
  std::string_view value;
};

// What a LogField list becomes when it is kept. Views: alive as long as their queue says.
struct LogLine {
  LogLevel level = LogLevel::kInfo;
  std::int64_t time_us = 0;  // since 1970
  std::string_view message;
  std::span<const LogText> fields;
};

// "info". REQUIRES: not kOff
std::string_view log_level_name(LogLevel level) noexcept;

// Both append a line without its newline. A field named time, level or message gets an underscore: it must not replace ours.
void append_json_line(std::string& out, const LogLine& line);
// `colours`: of the level, as ANSI escapes.
void append_human_line(std::string& out, const LogLine& line, bool colours);

}  // namespace tidewire::server
