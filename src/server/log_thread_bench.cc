// What a line costs the shard that writes it, and the log's thread.
#include "server/log_thread.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>

#include "server/log_format.h"
#include "server/log_queue.h"

namespace tidewire::server {
namespace {

using base::LogLevel;

// A log whose lines go nowhere.
LogThread& null_device_log() {
  static const std::unique_ptr<LogThread> log =
      std::move(LogThread::start({.level = LogLevel::kInfo, .format = LogFormat::kJson, .file = "/dev/null"}).value());
  return *log;
}

void write_one(LogThread& log, LogLevel level) {
  log.write(level, "client connected", {{"socket", "kT3Zs9"}, {"user", "u-4711"}, {"address", "203.0.113.7"}, {"transport", "websocket"}});
}

// A line that is kept; the strings of the fields included.
void write_kept(benchmark::State& state) {
  LogThread& log = null_device_log();
  std::size_t lines = 0;
  for (auto _ : state) {
    write_one(log, LogLevel::kInfo);
    if (++lines % 2'000 != 0) continue;
    state.PauseTiming();
    benchmark::DoNotOptimize(log.flush());
    state.ResumeTiming();
  }
}
BENCHMARK(write_kept);

// As fast as can be: most lines find the queue full.
void write_flood(benchmark::State& state) {
  LogThread& log = null_device_log();
  for (auto _ : state) write_one(log, LogLevel::kInfo);
}
BENCHMARK(write_flood)->Threads(1)->Threads(2);

void write_below_the_level(benchmark::State& state) {
  LogThread& log = null_device_log();
  for (auto _ : state) write_one(log, LogLevel::kDebug);
}
BENCHMARK(write_below_the_level);

// The part of write() under the lock.
void append(benchmark::State& state) {
  LogQueue queue;
  for (auto _ : state) {
    if (!queue.append(LogLevel::kInfo, 0, "client connected",
                      {{"socket", "kT3Zs9"}, {"user", "u-4711"}, {"address", "203.0.113.7"}, {"transport", "websocket"}})) {
      queue.clear();
    }
  }
}
BENCHMARK(append);

void format_json(benchmark::State& state) {
  const LogText fields[] = {{"socket", "kT3Zs9"}, {"user", "u-4711"}, {"address", "203.0.113.7"}, {"transport", "websocket"}};
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_line(out, {LogLevel::kInfo, 1'769'860'800'123'456, "client connected", fields});
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(format_json);

}  // namespace
}  // namespace tidewire::server
