#include "server/log_thread.h"

#include <pthread.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <utility>

#include "server/log_format.h"
#include "server/log_limit.h"
#include "server/log_queue.h"

namespace tidewire::server {
namespace {

using base::LogLevel;

// While lines are held back: how often the thread looks whether their second is over.
constexpr std::chrono::milliseconds kSweepInterval{100};

// The whole line is ours: spdlog adds its newline.
std::unique_ptr<spdlog::formatter> bare_formatter() {
  return std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n");
}

// Throws spdlog_ex.
std::shared_ptr<spdlog::sinks::sink> open_output(const LogOptions& options) {
  using StreamSink = spdlog::sinks::stdout_sink_base<spdlog::details::console_nullmutex>;
  if (options.file.empty()) return std::make_shared<StreamSink>(options.stream);
  // Without a buffer, so that a line is out, or known to have failed, when the next one begins.
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) { std::setvbuf(file, nullptr, _IONBF, 0); };
  return std::make_shared<spdlog::sinks::basic_file_sink_st>(options.file, false, handlers);
}

}  // namespace

std::int64_t wall_clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class LogThread::Core {
 public:
  Core(LogOptions options, std::shared_ptr<spdlog::sinks::sink> output)
      : options_(std::move(options)),
        terminal_(options_.file.empty() && isatty(fileno(options_.stream)) == 1),
        human_(options_.format == LogFormat::kHuman || (options_.format == LogFormat::kAuto && terminal_)),
        level_(options_.level),
        logger_("tidewire", std::move(output)),
        limit_(options_.lines_per_second, [this](const LogLimit::Summary& summary) { write_summary(summary); }) {
    logger_.set_formatter(bare_formatter());
    logger_.set_level(spdlog::level::trace);
    logger_.set_error_handler([this](const std::string&) { output_failed_ = true; });
  }

  // Any thread.

  bool enabled(LogLevel level) const noexcept { return level < LogLevel::kOff && level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }

  void append(LogLevel level, std::string_view message, std::span<const base::LogField> fields) {
    const std::int64_t time_us = options_.now_us();
    bool wake = false;
    {
      std::lock_guard lock(mutex_);
      wake = inbox_.empty();
      if (inbox_.append(level, time_us, message, fields)) ++accepted_;
    }
    if (wake) wake_.notify_one();
  }

  bool flush() {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = accepted_;
    return progress_.wait_for(lock, std::chrono::milliseconds(kFlushMs), [&] { return done_ >= wanted; });
  }

  // Returns whether the thread has come to its end.
  bool stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
    return progress_.wait_for(lock, std::chrono::milliseconds(kFlushMs), [&] { return ended_; });
  }

  LogStatistics statistics() const {
    std::lock_guard lock(mutex_);
    LogStatistics statistics = counted_;
    statistics.dropped += inbox_.dropped();
    return statistics;
  }

  // The log's thread, until stop().
  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      const auto due = [&] { return stopping_ || !inbox_.empty(); };
      if (limit_.holds_back()) {
        wake_.wait_for(lock, kSweepInterval, due);
      } else {
        wake_.wait(lock, due);
      }
      batch_.swap(inbox_);
      counted_.dropped += batch_.dropped();
      const std::uint64_t taken = accepted_;
      const bool last = stopping_ && batch_.empty();
      lock.unlock();
      write_batch();
      if (last) limit_.finish();
      lock.lock();
      count(std::exchange(turn_, {}));
      done_ = taken;
      ended_ = last;
      progress_.notify_all();
    }
  }

 private:
  void count(const LogStatistics& turn) {
    counted_.written += turn.written;
    counted_.suppressed += turn.suppressed;
    counted_.failed += turn.failed;
  }

  void write_batch() {
    batch_.for_each([this](const LogLine& line) {
      if (!limit_.admit(line.level, line.message, line.time_us)) {
        ++turn_.suppressed;
      } else if (write_line(line)) {
        ++turn_.written;
      } else {
        ++turn_.failed;
      }
    });
    if (batch_.dropped() != 0) write_own(LogLevel::kWarn, "log lines dropped", "count", batch_.dropped());
    limit_.sweep(options_.now_us());
    batch_.clear();
  }

  void write_summary(const LogLimit::Summary& summary) {
    write_own(summary.level, summary.message, "suppressed", summary.suppressed);
  }

  void write_own(LogLevel level, std::string_view message, std::string_view key, std::uint64_t number) {
    const std::string value = std::to_string(number);
    const std::array<LogText, 1> fields{LogText{key, value}};
    write_line({.level = level, .time_us = options_.now_us(), .message = message, .fields = fields});
  }

  // Whether the output took it.
  bool write_line(const LogLine& line) {
    // What failed may have left half a line behind: this one gets a line of its own.
    text_.assign(output_failed_ ? "\n" : "");
    if (human_) {
      append_human_line(text_, line, terminal_);
    } else {
      append_json_line(text_, line);
    }
    output_failed_ = false;
    logger_.log(spdlog::level::info, spdlog::string_view_t(text_.data(), text_.size()));
    // spdlog looks at the result when it writes to a file, not to a stream.
    if (options_.file.empty() && std::ferror(options_.stream) != 0) {
      output_failed_ = true;
      std::clearerr(options_.stream);
    }
    return !output_failed_;
  }

  // Immutable after construction
  const LogOptions options_;
  const bool terminal_;
  const bool human_;

  std::atomic<LogLevel> level_;

  // Guarded by mutex_
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable progress_;
  LogQueue inbox_;
  std::uint64_t accepted_ = 0;  // lines that came into inbox_
  std::uint64_t done_ = 0;      // of these: looked at by the thread, and out
  LogStatistics counted_;
  bool stopping_ = false;
  bool ended_ = false;

  // The log's thread
  LogQueue batch_;
  LogStatistics turn_;  // of this batch
  std::string text_;
  spdlog::logger logger_;
  bool output_failed_ = false;  // the last line
  LogLimit limit_;
};

Result<std::unique_ptr<LogThread>> LogThread::start(LogOptions options) {
  std::shared_ptr<spdlog::sinks::sink> output;
  try {
    output = open_output(options);
  } catch (const spdlog::spdlog_ex& error) {
    return Status(StatusCode::kInternal, error.what());
  }
  return std::unique_ptr<LogThread>(new LogThread(std::make_shared<Core>(std::move(options), std::move(output))));
}

LogThread::LogThread(std::shared_ptr<Core> core) : core_(std::move(core)) {
  thread_ = std::thread([core = core_] {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);  // a reader of stderr that is gone must not end the server
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    core->run();
  });
}

LogThread::~LogThread() {
  if (core_->stop()) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool LogThread::enabled(LogLevel level) const noexcept { return core_->enabled(level); }

void LogThread::write_line(LogLevel level, std::string_view message, std::span<const base::LogField> fields) {
  if (enabled(level)) core_->append(level, message, fields);
}

void LogThread::set_level(LogLevel level) noexcept { core_->set_level(level); }

bool LogThread::flush() { return core_->flush(); }

LogStatistics LogThread::statistics() const { return core_->statistics(); }

}  // namespace tidewire::server
