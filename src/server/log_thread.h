// server/log_thread.h - the log of the server: shards put lines into a queue, one thread writes them out.
//
//   shards --write()--> [ LogQueue, under a mutex held for a copy ] --swap--> log thread: limit, redact, format, spdlog --> stderr or file
//
// write() never waits for the output and does no I/O: when nobody reads stderr the queue fills, further lines are dropped and counted,
// and a line says how many once there is room ("log lines dropped"). Errors find room a little longer.
// An output that fails (disk full, reader gone) costs the lines, which are counted, and nothing else.
// Threads: write(), enabled(), set_level(), flush(), statistics() from any; starts one thread, which blocks SIGPIPE for itself.
// Lifetime: outlives whoever writes. The destructor writes what is left, for at most kFlushMs; a thread that is stuck in its output
// then is left behind with what it needs, and ends when the output does.
// Limits: LogQueue's, twice (one fills while the other is written): 2.2 MB, taken at the start. LogLimit's.
// Why spdlog's outputs and not its queue: that one copies a formatted line per entry, blocks or overwrites, and counts nothing per line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "server/settings.h"
#include "tidewire/status.h"

namespace tidewire::server {

// Microseconds since 1970.
std::int64_t wall_clock_us();

struct LogOptions {
  base::LogLevel level = base::LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;  // of a file: kAuto is JSON
  std::uint32_t lines_per_second = 10;  // of one level and message, 0: no limit
  std::string file = {};                // appended to; empty: `stream`
  std::FILE* stream = stderr;           // without a buffer; stays open, also when a stuck thread is left behind
  std::function<std::int64_t()> now_us = wall_clock_us;  // called from any thread, several at a time
};

// What became of lines that were enabled: their sum, once flushed, is the number of calls.
struct LogStatistics {
  std::uint64_t written = 0;
  std::uint64_t suppressed = 0;  // by lines_per_second
  std::uint64_t dropped = 0;     // the queue was full
  std::uint64_t failed = 0;      // the output refused them
};

class LogThread final : public base::LogSink {
 public:
  static constexpr base::Milliseconds kFlushMs = 1'000;

  // Opens the output and starts the thread; an error if the file cannot be opened.
  static Result<std::unique_ptr<LogThread>> start(LogOptions options);
  ~LogThread() override;
  LogThread(const LogThread&) = delete;
  LogThread& operator=(const LogThread&) = delete;

  bool enabled(base::LogLevel level) const noexcept override;
  // Never blocks, allocates nothing. Message, keys and values are copied, cut to LogQueue's bounds.
  void write_line(base::LogLevel level, std::string_view message, std::span<const base::LogField> fields) override;

  // From the next line on.
  void set_level(base::LogLevel level) noexcept;
  // Waits until every line written before this call is out, at most kFlushMs. Returns whether it is.
  // REQUIRES: not called by the options' now_us
  bool flush();
  LogStatistics statistics() const;

 private:
  class Core;
  explicit LogThread(std::shared_ptr<Core> core);

  const std::shared_ptr<Core> core_;  // also the thread's, so that a stuck one may stay behind
  std::thread thread_;
};

}  // namespace tidewire::server
