// server/settings_report.h - what loading found, as a person wants to read it: one line per mistake, errors first.
//
//   error: tidewire.toml:3: unknown key "prot" in server; did you mean "port"?
//   error: JWT_SECRET: auth.secret has 6 bytes; it must have at least 32
//   warning: auth.require_exp is off: ...
//
// Threads: pure functions.
#pragma once

#include <string>

#include "server/settings_load.h"

namespace tidewire::server {

// Lines as above; "" when there is nothing to say.
std::string report_lines(const Loaded& loaded);
// "tidewire.toml, production: 2 errors, 1 warning"
std::string report_summary(const Loaded& loaded);

}  // namespace tidewire::server
