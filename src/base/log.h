// base/log.h - one line to a person: level, what happened, and fields. The engine writes few lines; a sink decides the form.
//
// Values are escaped by the sink, cut at 256 bytes, and never contain tokens or payloads: callers pass none.
// Threads: the sink must accept calls from every shard.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "tidewire/options.h"

namespace tidewire::base {

using tidewire::LogField;
using tidewire::LogLevel;

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual bool enabled(LogLevel level) const noexcept = 0;
  virtual void write_line(LogLevel level, std::string_view message, std::span<const LogField> fields) = 0;
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    write_line(level, message, {fields.begin(), fields.size()});
  }
};

// Human-readable lines on stderr, from `level` up.
LogSink& stderr_log(LogLevel level);
// Drops everything.
LogSink& null_log();

}  // namespace tidewire::base
