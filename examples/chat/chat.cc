// A chat with rooms, typed messages and acknowledgements. Build: script/build release example-chat
// Run: build/release/bin/example-chat, then connect socket.io-client or a plain WebSocket to port 3000.
#include <cstdio>
#include <string>

#include "tidewire/tidewire.h"

struct Line {
  std::string room;
  std::string text;
};
TIDEWIRE_FIELDS(Line, room, text)

int main() {
  tidewire::Server io({.port = 3000});

  io.on_connection([](tidewire::Socket& socket) {
    socket.join("lobby");
    socket.to("lobby").emit("arrived", socket.id());
  });
  io.on("line", [](tidewire::Socket& socket, Line line, tidewire::Ack ack) {
    socket.join(line.room);
    socket.to(line.room).emit("line", socket.id(), line.text);
    ack("delivered");
  });
  io.on_disconnect([&io](tidewire::Socket& socket, tidewire::DisconnectReason reason) {
    io.to("lobby").emit("left", socket.id(), tidewire::text(reason));
  });
  io.on_listening([&io] { std::printf("chat on port %u\n", unsigned{io.port()}); });

  const tidewire::Status ended = io.run();
  if (!ended.ok()) std::fprintf(stderr, "chat: %s\n", ended.message().c_str());
  return ended.ok() ? 0 : 1;
}
