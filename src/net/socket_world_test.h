// net/socket_world_test.h - the real world of the transport contract: reactors on threads, clients on loopback sockets.
#pragma once

#include <memory>
#include <string>

#include "net/transport_contract.h"

namespace tidewire::net {

// A blocking client on 127.0.0.1 (or ::1); a null pointer when nobody listens.
std::unique_ptr<Client> connect_socket(std::uint16_t port, bool v6 = false);

std::unique_ptr<World> make_socket_world(FlushMode flush, const WorldOptions& options, std::string& why_not);

}  // namespace tidewire::net
