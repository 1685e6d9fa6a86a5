// server/api_statistics.h - figures as Values: of the server, of the process.
#pragma once

#include <cstdint>

#include "server/api.h"

namespace tidewire::server {

struct ProcessFigures {
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  double cpu_seconds = 0;
};
// Of this process, from /proc; zeros where that is not there. The descriptors are counted once in kDescriptorsKeptMs, since that
// takes long where there are many.
ProcessFigures process_figures();
std::uint64_t resident_bytes();
inline constexpr std::int64_t kDescriptorsKeptMs = 10'000;

// {socketIO:{available,connected,stats:{connected,total}},webSocket:{...}}
Value connection_statistics(const Options& options, const ServerStatistics& now);
// The same of one tenant: of its sockets in "/".
Value connection_statistics(const Options& options, const NamespaceStatistics& now);
// Every figure by its name.
Value to_value(const ServerStatistics& now);

}  // namespace tidewire::server
