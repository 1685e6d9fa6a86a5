// Snippets of docs/guide/cpp-api.md: Namespace.
#include "tidewire/tidewire.h"

namespace snippets {

void admin_namespace(tidewire::Server& io) {
  tidewire::Namespace admin = io.of("/admin");
  admin.use([](tidewire::Socket& socket, tidewire::Next next) {
    if (socket.handshake().auth["token"] == tidewire::Value("secret")) return next();
    next(tidewire::Error{.message = "not authorized", .data = tidewire::Value::object({{"retry", false}})});
  });
  admin.on_connection([](tidewire::Socket& socket) { socket.emit("welcome", socket.id()); });
}

// Dynamic namespaces: by pattern (RE2, the whole name), or by decision.
tidewire::Status dynamic_namespaces(tidewire::Server& io) {
  tidewire::Result<tidewire::Namespace> teams = io.of_pattern("/team-[0-9]+");
  if (!teams.ok()) return teams.status();
  teams->on_connection([](tidewire::Socket& socket) { socket.emit("team", socket.namespace_name()); });

  io.of_matching([](std::string_view name, const tidewire::Value& auth, tidewire::UniqueFunction<void(bool)> answer) {
    answer(name.starts_with("/game-") && auth["player"].is_string());
  });
  return tidewire::Status();
}

}  // namespace snippets
