// Snippets of docs/guide/cpp-api.md: authenticate, Identity, tenants; looking at many sockets.
#include <cstdint>
#include <cstdio>
#include <string>

#include "tidewire/tidewire.h"

namespace snippets {

void who_they_are(tidewire::Server& io) {
  io.authenticate([](const tidewire::Credentials& who, tidewire::Verdict verdict) {
    if (who.handshake().auth["token"] == tidewire::Value("secret")) {
      return verdict(tidewire::Identity{.user_id = "ada", .tenant = "acme", .roles = {"editor"}});
    }
    verdict(tidewire::Error{.message = "unauthorized", .data = {}, .close_code = 4001});
  });
  io.on("publish", [](tidewire::Socket& socket, std::string text) {
    if (socket.identity()->has_role("editor")) socket.to("readers").emit("published", text);
  });
}

void look_at_many(tidewire::Server& io) {
  io.tenant("acme").fetch_rooms({.prefix = "project:"}).then([](tidewire::RoomsPage page) {
    for (const tidewire::RoomCount& room : page.rooms) {
      std::printf("%s: %llu\n", room.name.c_str(), static_cast<unsigned long long>(room.members));
    }
  });
  io.in("lobby").for_each([](tidewire::Socket& socket) { socket.data().set("greeted", true); }).then([](tidewire::SocketsCount found) {
    std::printf("%llu sockets\n", static_cast<unsigned long long>(found.count));
  });
  io.in("banned").close_sockets(4003, "banned");
}

}  // namespace snippets
