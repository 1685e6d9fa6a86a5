// server_usage.h - what the server under test has used so far, read from outside.
//
// CPU: the process's CPU clock, in nanoseconds and complete. /proc/PID/stat counts ticks of 10 ms; only the split into user
// and system is taken from there, as a share.
// RSS: /proc/PID/smaps_rollup, which walks the page tables; statm lags by up to 64 pages per thread.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace tidewire::bench {

struct Usage {
  std::int64_t cpu_ns = 0;
  std::int64_t user_ticks = 0;
  std::int64_t system_ticks = 0;
};

Usage read_usage(pid_t pid);
std::int64_t read_rss_bytes(pid_t pid);

// The share of user time between two readings, 0 to 1; 0 when too short to tell.
double user_share(const Usage& begin, const Usage& end);

}  // namespace tidewire::bench
