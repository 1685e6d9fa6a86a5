// hub/event_name.h - which names no event may have, whatever the dialect: those of the life-cycle.
#pragma once

#include <string_view>

namespace tidewire::hub {

// connect, connect_error, disconnect, disconnecting, newListener, removeListener: not for events, in either direction.
bool is_reserved_event(std::string_view name) noexcept;

}  // namespace tidewire::hub
