#include "hub/event_name.h"

namespace tidewire::hub {

bool is_reserved_event(std::string_view name) noexcept {
  switch (name.size()) {
    case 7: return name == "connect";
    case 10: return name == "disconnect";
    case 11: return name == "newListener";
    case 13: return name == "connect_error" || name == "disconnecting";
    case 14: return name == "removeListener";
    default: return false;
  }
}

}  // namespace tidewire::hub
