// server/settings_print.h - settings as TOML that can be read back, each value with where it came from.
//
//   [server]
//   port = 8080  # tidewire.toml:3
//   secret = "********"  # JWT_SECRET            a secret is never printed, nor its length; the mask is refused when read
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "server/settings.h"
#include "server/settings_table.h"

namespace tidewire::server {

// The TOML value of one key, not a tree: `"25s"`, `["polling", "websocket"]`. A secret that is set is the mask.
std::string print_value(const SettingRow& row, Settings& settings);
// A whole file.
std::string print_settings(Settings settings, const ProvenanceMap& provenance);

// A basic string with its quotes.
std::string toml_quoted(std::string_view text);

}  // namespace tidewire::server
