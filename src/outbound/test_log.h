// outbound/test_log.h - a log for tests: lines as "message key=value ...".
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"

namespace tidewire::outbound {

class TestLog final : public base::LogSink {
 public:
  bool enabled(base::LogLevel) const noexcept override { return true; }
  void write_line(base::LogLevel, std::string_view message, std::span<const base::LogField> fields) override {
    std::string line(message);
    for (const base::LogField& field : fields) line += " " + std::string(field.key) + "=" + field.value;
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace tidewire::outbound
