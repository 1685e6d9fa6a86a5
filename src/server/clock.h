// server/clock.h - what time it is, for people and for rates. Threads: any.
#pragma once

#include <cstdint>
#include <string>

namespace tidewire::server {

std::int64_t wall_clock_ms();  // since the epoch
std::int64_t monotonic_ms();   // since some moment
// "2025-10-31T12:00:00.000Z" (RFC 3339, UTC).
std::string iso_time(std::int64_t wall_ms);

}  // namespace tidewire::server
