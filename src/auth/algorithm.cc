#include "auth/algorithm.h"

#include <algorithm>
#include <array>

namespace tidewire::auth {
namespace {

// In the order of Algorithm.
constexpr std::array<std::string_view, kAlgorithmCount> kNames = {"HS256", "HS384", "HS512", "RS256", "RS384",
                                                                  "RS512", "PS256", "PS384", "PS512", "ES256",
                                                                  "ES384", "ES512", "EdDSA"};

}  // namespace

std::string_view name(Algorithm algorithm) noexcept { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Algorithm>(found - kNames.begin());
}

}  // namespace tidewire::auth
