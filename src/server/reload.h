// server/reload.h - SIGHUP: what of a newly read configuration may take effect now, and what has to wait for a restart.
//
//   running --+
//             +--> plan_reload() --> settings to run with from now on, names of what changes, names of what does not
//   wanted  --+
//
// Which key is which: Reload in settings_table.cc. Threads: a pure function.
#pragma once

#include <string>
#include <vector>

#include "server/settings.h"

namespace tidewire::server {

struct ReloadPlan {
  std::vector<std::string> applied;        // live keys with a new value: "log.level"
  std::vector<std::string> needs_restart;  // keys whose new value waits
  Settings settings;                       // `wanted` for live keys, `running` for the others

  // For the log: "log.level changed; server.port needs a restart", "nothing changed".
  std::string text() const;
};

ReloadPlan plan_reload(Settings running, Settings wanted);

}  // namespace tidewire::server
