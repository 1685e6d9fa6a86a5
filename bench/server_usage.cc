#include "server_usage.h"

#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace tidewire::bench {
namespace {

std::string proc_path(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

}  // namespace

Usage read_usage(pid_t pid) {
  Usage usage;
  clockid_t clock = 0;
  timespec time = {};
  if (::clock_getcpuclockid(pid, &clock) == 0 && ::clock_gettime(clock, &time) == 0) {
    usage.cpu_ns = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
  std::ifstream file(proc_path(pid, "stat"));
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));  // the name may contain spaces
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  fields >> usage.user_ticks >> usage.system_ticks;
  return usage;
}

std::int64_t read_rss_bytes(pid_t pid) {
  std::ifstream file(proc_path(pid, "smaps_rollup"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Rss:")) return std::stoll(line.substr(4)) * 1024;
  }
  return 0;
}

double user_share(const Usage& begin, const Usage& end) {
  const auto user = static_cast<double>(end.user_ticks - begin.user_ticks);
  const auto system = static_cast<double>(end.system_ticks - begin.system_ticks);
  return user + system > 0 ? user / (user + system) : 0;
}

}  // namespace tidewire::bench
