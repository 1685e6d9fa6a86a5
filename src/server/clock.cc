#include "server/clock.h"

#include <chrono>
#include <ctime>

namespace tidewire::server {
namespace {

template <typename Clock>
std::int64_t milliseconds_of() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

}  // namespace

std::int64_t wall_clock_ms() { return milliseconds_of<std::chrono::system_clock>(); }
std::int64_t monotonic_ms() { return milliseconds_of<std::chrono::steady_clock>(); }

std::string iso_time(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  char date[32];
  const std::size_t size = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string milliseconds = std::to_string(1000 + wall_ms % 1000);
  milliseconds[0] = '.';
  return std::string(date, size) + milliseconds + "Z";
}

}  // namespace tidewire::server
