// server/defaults.h - the rooms and contracts that come with tidewire, as TOML: what an empty configuration serves.
//
// `contracts.defaults = false` leaves them out. A rule or contract of the file with the same pattern or name takes the place of
// one here.
#pragma once

#include <string_view>

#include "server/config_node.h"

namespace tidewire::server {

std::string_view default_rules_text();

struct DefaultRules {
  ConfigNode rooms;
  ConfigNode events;
};
DefaultRules default_rules();

}  // namespace tidewire::server
