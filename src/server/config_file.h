// server/config_file.h - text to ConfigNode: TOML of a file, JSON of an environment variable.
//
// Mistakes become lines of ConfigErrors ("tidewire.toml:3:7: sentence") and an absent tree; nothing is thrown.
// Limits: those of config_node.h; a text beyond one is refused whole. Threads: pure functions, but for the reading of a file.
// Why toml++ and no parser of our own: TOML's dates, escapes and dotted keys are a grammar nobody wants twice; this is no hot
// path, and the only file that includes it is config_file.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/config_node.h"

namespace tidewire::server {

std::optional<ConfigNode> parse_toml(std::string_view text, const std::string& origin, ConfigErrors& errors);

// One JSON value; `path` is what complaints call it ("rooms"). null is refused: a key that is not meant is left out.
std::optional<ConfigNode> parse_json(std::string_view text, const std::string& path, const std::string& origin,
                                     ConfigErrors& errors);

// The TOML of a file.
std::optional<ConfigNode> read_config_file(const std::string& path, ConfigErrors& errors);

}  // namespace tidewire::server
