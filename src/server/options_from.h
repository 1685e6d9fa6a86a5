// server/options_from.h - Settings of the binary to tidewire::Options of the library.
#pragma once

#include "server/settings.h"
#include "tidewire/options.h"

namespace tidewire::server {

// `cores` is what 0 shards mean. The limit of connections is of the process in Settings and of a shard in Options: each shard
// gets its part, rounded up.
// REQUIRES: settings without errors (settings_load.h); cores > 0
Options options_from(const Settings& settings, std::uint32_t cores);

// The cores of this machine, at most 256.
std::uint32_t core_count();

}  // namespace tidewire::server
