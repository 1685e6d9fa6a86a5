// server/settings_load.h - all sources of the configuration to one Settings.
//
//   defaults  <  file  <  environment  <  flags          each key remembers who said it (ProvenanceMap)
//
// The file: --config, else TIDEWIRE_CONFIG, else ./tidewire.toml, else /etc/tidewire/tidewire.toml, else none.
// The environment: TIDEWIRE_<SECTION>_<KEY> first, then the aliases of the row (SOCKET_IO_*, JWT_SECRET) in their order. An
// empty variable counts as not set. A TIDEWIRE_ name that is no key is an error; see is_other_variable() in the .cc.
// Threads: no state; the process environment is read by environment_of_process() only, so that tests bring their own.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/settings.h"
#include "server/settings_check.h"
#include "server/settings_table.h"

namespace tidewire::server {

struct FlagValue {
  std::string flag;   // "--port", "--set"; complaints name it
  std::string key;    // "server.port"
  std::string value;  // as the environment would say it
};

struct LoadRequest {
  std::optional<std::string> config_file = {};  // --config
  std::vector<std::pair<std::string, std::string>> environment = {};
  // In the order they were given; the last wins, but the same flag of a list given twice adds to it.
  std::vector<FlagValue> flags = {};
  std::vector<std::string> default_files = {"tidewire.toml", "/etc/tidewire/tidewire.toml"};  // the first that exists
};

struct Loaded {
  Settings settings;
  ProvenanceMap provenance;
  std::string file;                // that was read; empty: none
  ConfigErrors errors;             // what could not be understood; then settings has defaults in these places
  std::vector<Finding> findings;   // what was understood but is insecure or contradicts itself

  // Whether a server may run with it: no errors, no finding that is one.
  bool usable() const;
};

Loaded load_settings(const LoadRequest& request);

std::vector<std::pair<std::string, std::string>> environment_of_process();

}  // namespace tidewire::server
