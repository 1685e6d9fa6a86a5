#include "base/log.h"

#include <cstdio>
#include <ctime>

namespace tidewire::base {
namespace {

constexpr std::size_t kValueBytesMax = 256;

void append_escaped(std::string& line, std::string_view value) {
  if (value.size() > kValueBytesMax) value = value.substr(0, kValueBytesMax);
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      line += escape;
    } else {
      line += c;
    }
  }
}

class StderrLog final : public LogSink {
 public:
  explicit StderrLog(LogLevel level) : level_(level) {}
  bool enabled(LogLevel level) const noexcept override { return level >= level_ && level != LogLevel::kOff; }
  void write_line(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    if (!enabled(level)) return;
    static constexpr const char* kNames[] = {"trace", "debug", "info", "warn", "error", "off"};
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm utc{};
    gmtime_r(&now.tv_sec, &utc);
    char stamp[40];
    const std::size_t length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(stamp + length, sizeof stamp - length, ".%03ldZ", now.tv_nsec / 1'000'000);
    std::string line = stamp;
    line += ' ';
    line += kNames[static_cast<std::size_t>(level)];
    line += ' ';
    append_escaped(line, message);
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += "=\"";
      append_escaped(line, field.value);
      line += '"';
    }
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

 private:
  const LogLevel level_;
};

}  // namespace

LogSink& stderr_log(LogLevel level) {
  static StderrLog sinks[] = {StderrLog(LogLevel::kTrace), StderrLog(LogLevel::kDebug), StderrLog(LogLevel::kInfo),
                              StderrLog(LogLevel::kWarn),  StderrLog(LogLevel::kError), StderrLog(LogLevel::kOff)};
  return sinks[static_cast<std::size_t>(level)];
}

LogSink& null_log() { return stderr_log(LogLevel::kOff); }

}  // namespace tidewire::base
