// server/settings_check.h - what is wrong with settings that are each in range: pairs that contradict, and what is insecure.
//
//   kError    the server does not start
//   kWarning  it starts, and says so each time
//
// What production (TIDEWIRE_ENV=production) refuses, development warns of; a few things are refused in both.
// Threads: a pure function but for one look at the files named in [tls] and [hooks].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/settings.h"
#include "server/settings_table.h"

namespace tidewire::server {

enum class Severity : std::uint8_t { kWarning, kError };

struct Finding {
  Severity severity = Severity::kWarning;
  std::string key;       // "auth.secret"
  std::string sentence;  // whole, without the key; never contains a secret
};

inline constexpr std::size_t kSecretBytesMin = 32;          // of an HMAC secret
inline constexpr std::size_t kAdminTokenCharactersMin = 32;
inline constexpr std::string_view kSecretMask = "********";  // what `tidewire config` prints instead of a secret

std::vector<Finding> check_settings(const Settings& settings, const ProvenanceMap& provenance);

}  // namespace tidewire::server
