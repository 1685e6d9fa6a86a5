// server/commands.h - the command line: serve (also without its name), check, config, version.
//
//   tidewire [serve] --port 8080 --set log.level=debug
//
// A subcommand is one function of the table in commands.cc: it adds a CLI::App with its options and, when chosen, leaves an
// action in the Invocation. Flags of settings come from settings_table.cc.
// Threads: the thread of main().
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/settings_load.h"

namespace CLI {
class App;
}

namespace tidewire::server {

struct Invocation {
  LoadRequest request;            // filled by the flags of settings
  std::function<int()> action;    // of the chosen subcommand; runs after all was parsed. Returns the exit code
};

// Adds --config, --set and the flags of settings to a subcommand that loads the configuration. They write into `request`,
// which remains live while the app is in use.
void add_settings_flags(CLI::App& command, LoadRequest& request);

// Runs the program: `arguments` without its name. 0: done; 1: the configuration or the server failed; others: CLI11's, for a
// command line it cannot read.
int run(std::vector<std::string> arguments, std::vector<std::pair<std::string, std::string>> environment);
int run(int argc, char** argv);

}  // namespace tidewire::server
