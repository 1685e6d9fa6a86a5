// base/clock.h - time as a number. Who needs the time gets it as an argument or asks its reactor; nobody calls the system.
#pragma once

#include <cstdint>

namespace tidewire::base {

// Milliseconds on the monotonic clock of the shard's reactor (virtual in the simulator). Only differences mean something.
using Milliseconds = std::int64_t;

}  // namespace tidewire::base
