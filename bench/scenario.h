// scenario.h - what a run does and what it found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fleet.h"
#include "load_options.h"
#include "loop.h"

namespace tidewire::bench {

struct Report {
  std::uint64_t count = 0;          // messages answered, frames delivered, or connections made
  double wall_seconds = 0;
  double cpu_us = 0;                // of the server, per count
  double user_us = 0;
  double system_us = 0;
  double idle_bytes = 0;            // resident, per connection; connect only
};

// Drives the clients while time passes; done() counts what the CPU is divided by.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual void start() = 0;
  virtual void turn_end() {}
  // The latest moment at which turn_end() must come again.
  virtual Clock::time_point due() const { return Clock::time_point::max(); }
  virtual std::uint64_t done() const = 0;
  // After stop() nothing new is asked; outstanding() reaches 0 if no answer was lost.
  void stop() { stopped_ = true; }
  virtual std::uint64_t outstanding() const = 0;

 protected:
  bool stopped_ = false;
};

// Warms up, then measures for options.seconds (or options.messages). The report is void if the loop has failed.
Report measure(Loop& loop, Driver& driver, const LoadOptions& options);

// Each opens its own clients.
Report run_echo(ClientContext& context, const LoadOptions& options);
Report run_broadcast(ClientContext& context, const LoadOptions& options);
Report run_connect(ClientContext& context, const LoadOptions& options);
Report run_polling(ClientContext& context, const LoadOptions& options);
Report run_projects(ClientContext& context, const LoadOptions& options);

// The payload of message `sequence` of client `client`: a JSON string of options.payload_bytes characters, no two alike, so
// that an answer to another message is a wrong one.
void append_payload(std::string& out, std::uint64_t client, std::uint64_t sequence, std::size_t bytes);

// `42<id>["echo",X]` and `43<id>[X]`, or the payload behind an `e` on raw connections.
void append_echo_request(std::string& out, const LoadOptions& options, std::uint64_t client, std::uint64_t id);
void append_echo_answer(std::string& out, const LoadOptions& options, std::uint64_t client, std::uint64_t id);

}  // namespace tidewire::bench
