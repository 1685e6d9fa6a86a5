// auth/identity_mapping.h - from the claims of a token to an Identity: whose claims are called how is configuration.
//
//   {"sub":"7","realm_access":{"roles":["admin"]}}   with roles = {"realm_access.roles"}   ->   user 7, role admin
//
// A claim's name is first looked up as it stands, since "https://example.com/roles" is a name with dots, and then as a path
// with dots between its steps. A claim that is absent or null is passed over.
// Threads: a pure function. Limits: those of Identity; a claim over one, with a control character, or of a wrong kind is an
// error that names the claim and never its value.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tidewire/identity.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::auth {

struct ClaimMapping {
  // The first claim that is there counts. A string; user_id may be an integer too.
  std::vector<std::string> user_id = {"userId", "sub"};
  std::vector<std::string> email = {"email"};
  std::vector<std::string> name = {"name"};
  std::vector<std::string> tenant = {"tenant"};
  // All of them together. A string with commas or blanks between roles, or an array of strings.
  std::vector<std::string> roles = {"role", "roles"};
  // All of them together. A string with commas between projects, an integer, or an array of strings and integers.
  std::vector<std::string> projects = {"projects"};
};

// Takes jti, iss, iat and exp as well. Without any claim for user_id the identity is anonymous.
// REQUIRES: claims from a Verdict that is ok(), or from another source that is to be believed.
Result<Identity> map_claims(const Value& claims, const ClaimMapping& mapping);

}  // namespace tidewire::auth
