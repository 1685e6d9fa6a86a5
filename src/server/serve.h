// server/serve.h - `tidewire serve`: a server for this configuration, until it is told to stop.
#pragma once

#include "server/settings_load.h"

namespace tidewire::server {

// Blocks; says on standard output where it listens. The exit code of the program.
// REQUIRES: `loaded` is usable(), and what `request` asked for: SIGHUP asks for it again
int serve(const Loaded& loaded, const LoadRequest& request);

}  // namespace tidewire::server
