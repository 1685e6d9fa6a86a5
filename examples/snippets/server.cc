// Snippets of docs/guide/cpp-api.md: Server and Options.
#include <cstdio>
#include <memory>

#include "tidewire/tidewire.h"

namespace snippets {

// The smallest server.
int echo_server() {
  tidewire::Server io({.port = 4000});
  io.on("echo", [](tidewire::Event& event) { event.ack(event.arguments()); });
  return io.run().ok() ? 0 : 1;
}

// Beside a program with a main loop of its own.
tidewire::Status beside_other_work(tidewire::Server& io) {
  tidewire::Status started = io.start();
  if (!started.ok()) return started;
  // ... your program; io.emit() and the like work from any thread ...
  io.stop();
  io.wait();
  return started;
}

// Every group of options at once.
std::unique_ptr<tidewire::Server> configured() {
  tidewire::Options options;
  options.host = "0.0.0.0";
  options.port = 443;
  options.shards = 4;
  options.tls = {.certificate_file = "/etc/tidewire/cert.pem", .key_file = "/etc/tidewire/key.pem"};
  options.cors.enabled = true;
  options.cors.origins = {"https://app.example.com"};
  options.deflate.enabled = true;
  options.queue_hard_bytes = 4 * 1024 * 1024;
  return std::make_unique<tidewire::Server>(std::move(options));
}

void admission(tidewire::Server& io) {
  io.allow_request([](const tidewire::HttpRequest& request, std::function<void(std::string refusal)> answer) {
    const bool known = request.header("x-api-key") == "secret";
    answer(known ? "" : "no valid key");
  });
}

void later(tidewire::Server& io) {
  io.after(5'000, [&io] { io.emit("news", "five seconds have passed"); });
}

// On a thread that is not a shard's: waits for every shard's part.
void print_figures(tidewire::Server& io) {
  const tidewire::ServerStatistics now = io.statistics();
  std::printf("%llu sockets, %llu events\n", static_cast<unsigned long long>(now.sockets),
              static_cast<unsigned long long>(now.events_in));
}

}  // namespace snippets
