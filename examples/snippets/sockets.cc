// Snippets of docs/guide/cpp-api.md: Socket, Event, Ack, Handshake, RemoteSocket.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tidewire/tidewire.h"

namespace snippets {

// A listener names what it wants: the socket, typed arguments, an Ack.
void listeners(tidewire::Server& io) {
  io.on("join", [](tidewire::Socket& socket, std::string room, tidewire::Ack ack) {
    socket.join(room);
    ack(true);
  });
  io.on("move", [](tidewire::Socket& socket, double x, double y, std::optional<double> z) {
    socket.to("board").volatile_().emit("moved", socket.id(), x, y, z.value_or(0));
  });
  io.on("relay", [](tidewire::Socket& socket, const tidewire::ArgumentsView& arguments) {
    socket.to("board").emit("relayed", arguments);  // the bytes as they came, attachments too
  });
  io.on_any([](tidewire::Event& event) { std::printf("%s\n", std::string(event.name()).c_str()); });
  io.on_error([](tidewire::Socket&, const tidewire::Error& error) { std::printf("%s\n", error.message.c_str()); });
}

// Listeners of one socket, and what it remembers.
void one_socket(tidewire::Socket& socket) {
  socket.data().set("joined", 1);
  socket.once("hello", [](tidewire::Socket& self) { self.emit("hello yourself"); });
  const tidewire::ListenerId id = socket.on("noise", [] {});
  socket.off("noise", id);
  socket.on_disconnect([](tidewire::Socket& self, tidewire::DisconnectReason reason) {
    std::printf("%s: %s\n", self.id().c_str(), std::string(tidewire::text(reason)).c_str());
  });
}

// Before every event of one socket.
void packet_middleware(tidewire::Socket& socket) {
  socket.use([](tidewire::Event& event, tidewire::Next next) {
    if (event.name() == "forbidden") return next(tidewire::Error{.message = "not for you", .data = {}});
    next();
  });
}

void who_is_it(tidewire::Socket& socket) {
  const tidewire::Handshake handshake = socket.handshake();
  std::printf("%s, %s\n", handshake.address.c_str(), std::string(handshake.header("user-agent")).c_str());
}

// Answering later: keep the Ack and handles, never the references.
void answer_later(tidewire::Server& io) {
  io.on("report", [&io](tidewire::Event& event) {
    auto ack = std::make_shared<tidewire::Ack>(event.take_ack());
    io.after(1'000, [ack] { (*ack)("done"); });
  });
}

void wait_for_the_slow(tidewire::Socket& socket) {
  if (socket.queued_bytes() < 64 * 1024) return;
  socket.on_drain([](tidewire::Socket& self) { self.emit("you may go on"); });
}

// Sockets of every shard.
void everywhere(tidewire::Server& io) {
  io.in("lobby").fetch_sockets().then([](std::vector<tidewire::RemoteSocket> sockets) {
    for (const tidewire::RemoteSocket& socket : sockets) {
      if (socket.rooms.size() > 10) socket.disconnect();
    }
  });
}

}  // namespace snippets
