// Snippets of docs/guide/cpp-api.md: what another thread may do.
#include <chrono>
#include <thread>

#include "tidewire/tidewire.h"

namespace snippets {

// A sensor thread that publishes while the server runs.
std::jthread publish_from_a_thread(tidewire::Server& io) {
  return std::jthread([&io](std::stop_token stop) {
    for (int reading = 0; !stop.stop_requested(); ++reading) {
      io.to("sensors").emit("reading", reading);
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  });
}

}  // namespace snippets
