// server/serve.h - `tidewire serve`: a server for these settings, until it is told to stop.
#pragma once

#include "server/settings.h"

namespace tidewire::server {

// Blocks; says on standard output where it listens. The exit code of the program.
// REQUIRES: settings that load_settings() called usable
int serve(const Settings& settings);

}  // namespace tidewire::server
