#include "tidewire/status.h"

#include <array>

namespace tidewire {

std::string_view text(DisconnectReason reason) noexcept {
  static constexpr std::array<std::string_view, 10> kTexts = {
      "transport error",     "transport close",           "forced close",
      "ping timeout",        "parse error",               "server shutting down",
      "forced server close", "client namespace disconnect", "server namespace disconnect",
      "slow consumer"};
  return kTexts[static_cast<std::size_t>(reason)];
}

}  // namespace tidewire
