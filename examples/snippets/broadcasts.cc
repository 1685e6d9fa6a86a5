// Snippets of docs/guide/cpp-api.md: BroadcastOperator, BroadcastAnswers, Later, Task.
#include <cstdio>

#include "tidewire/tidewire.h"

namespace snippets {

void broadcasts(tidewire::Server& io, tidewire::Socket& socket) {
  io.emit("news", "for everybody");
  io.to("room1").to("room2").except("muted").emit("news", 42);
  socket.to("room1").emit("news", "for everybody in room1 but this socket");
  io.to("room1").volatile_().emit("position", 3.5, 4.5);  // not queued for whoever cannot take it now
  io.in("room1").sockets_join("room2");
  io.in("room2").disconnect_sockets();
}

void ask_everybody(tidewire::Server& io) {
  io.to("room1").timeout(2'000).emit_with_ack("ready?").then([](tidewire::BroadcastAnswers result) {
    std::printf("%zu answers, %s\n", result.answers.size(), result.status.ok() ? "all" : "somebody was late");
  });
}

// A coroutine: copy the handle, since the reference dies at the first co_await.
void coroutine(tidewire::Server& io) {
  io.on_connection([](tidewire::Socket& socket) -> tidewire::Task<> {
    tidewire::Socket keep = socket;
    const tidewire::Result<tidewire::Arguments> answer = co_await keep.emit_with_ack(2'000, "your name?");
    if (!answer.ok()) co_return keep.disconnect();
    keep.data().set("name", (*answer)[0]);
  });
}

}  // namespace snippets
