// tidewire/identity.h - Identity: who a client is, as its token or the application's own answer says.
//
//   if (identity.anonymous()) ...
//   if (identity.has_role("admin")) ...
//
// user_id is what "send to this user" goes by. Roles, projects and tenant are plain text that the configuration's rights
// compare byte by byte; tidewire gives no meaning to any of them.
// Bounds: below; what is over one is refused where the identity is made, never cut, since half a name is another name.
// No text has control characters. Threads: a plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidewire/value.h"

namespace tidewire {

struct Identity {
  static constexpr std::size_t kTextBytesMax = 128;   // user_id, tenant, each role, each project
  static constexpr std::size_t kLabelBytesMax = 256;  // email, name, token_id, issuer
  static constexpr std::size_t kRolesMax = 64;
  static constexpr std::size_t kProjectsMax = 1024;

  std::string user_id = {};  // empty: anonymous
  std::string email = {};
  std::string name = {};
  std::string tenant = {};
  std::vector<std::string> roles = {};     // each once
  std::vector<std::string> projects = {};  // each once
  std::string token_id = {};               // by which the token can be revoked; may be empty
  std::string issuer = {};
  std::optional<std::int64_t> issued_at_s = {};   // seconds since 1970
  std::optional<std::int64_t> expires_at_s = {};  // then its socket leaves its rooms and is closed with 4002; never, when there is none
  Value claims = {};                          // everything that was said, for the application

  bool anonymous() const noexcept { return user_id.empty(); }
  // Exact: "Admin" is not "admin".
  bool has_role(std::string_view role) const noexcept { return std::ranges::find(roles, role) != roles.end(); }
  bool in_project(std::string_view project) const noexcept { return std::ranges::find(projects, project) != projects.end(); }
};

}  // namespace tidewire
