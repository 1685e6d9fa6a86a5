// The least program that uses the library: listens on a port of the system's choice, answers, and stops by itself.
#include <cstdio>

#include "tidewire/tidewire.h"

int main() {
  tidewire::Server io({.port = 0});
  io.on("echo", [](tidewire::Event& event) { event.ack(event.arguments()); });
  if (const tidewire::Status started = io.start(); !started.ok()) {
    std::fprintf(stderr, "%s\n", started.message().c_str());
    return 1;
  }
  std::printf("listens: %s\n", io.port() != 0 ? "yes" : "no");
  io.stop();
  io.wait();
  return 0;
}
