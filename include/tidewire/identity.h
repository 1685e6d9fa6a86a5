// tidewire/identity.h - who a socket is, as an authenticator found out: user, roles, projects, tenant, and until when.
//
//   io.authenticate([](const tidewire::Credentials& who, tidewire::Verdict verdict) {
//     verdict(tidewire::Identity{.user_id = "ada", .roles = {"admin"}});
//   });
//   io.on("hello", [](tidewire::Socket& socket) { socket.emit("hello", socket.identity()->user_id); });
//
// Threads: a plain value; what sockets share is immutable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidewire/value.h"

namespace tidewire {

struct Identity {
  std::string user_id = {};                           // empty: anonymous
  std::string email = {};
  std::string name = {};                              // for people
  std::string tenant = {};                            // whose namespaces and rooms these are; one tenant has the empty name
  std::vector<std::string> roles = {};
  std::vector<std::string> projects = {};
  std::string token_id = {};                          // `jti`
  std::string issuer = {};                            // `iss`
  std::optional<std::int64_t> issued_at_s = {};       // seconds since the epoch, wall clock
  std::optional<std::int64_t> expires_at_s = {};      // then the socket leaves its rooms and is closed with 4002
  Value claims = {};                                  // all of them

  bool anonymous() const noexcept { return user_id.empty(); }
  bool has_role(std::string_view role) const noexcept { return std::find(roles.begin(), roles.end(), role) != roles.end(); }
  bool in_project(std::string_view project) const noexcept {
    return std::find(projects.begin(), projects.end(), project) != projects.end();
  }
};

}  // namespace tidewire
