// server/token_command.h - `tidewire token`: makes a token, or says what a server with this configuration thinks of one.
//
//   tidewire token --user ada --role admin --project apollo --expires 8h
//   tidewire token --check eyJhbGciOi...          (or - for standard input)
//
// Tokens are signed with auth.secret, or with the private key of --key.
// Threads: the thread of main().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/settings_load.h"

namespace tidewire::server {

struct TokenRequest {
  std::string check;                   // a token to look at; empty: one is made
  std::string user;
  std::string name;
  std::string email;
  std::string tenant;
  std::vector<std::string> roles;
  std::vector<std::string> projects;
  std::vector<std::string> claims;     // "key=JSON", or "key=text"
  std::int64_t expires_ms = 3'600'000;
  std::string key_file;                // PEM with a private key; else auth.secret
  std::string key_id;
  std::string algorithm;               // "ES256"; empty: the first that the key can
};

// The exit code: 0 when a token was made or is good.
int token_command(const LoadRequest& load, const TokenRequest& request);

}  // namespace tidewire::server
