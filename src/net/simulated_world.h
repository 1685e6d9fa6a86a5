// net/simulated_world.h - a network, its clock and its luck, from one seed and in one thread.
//
//   SimulatedWorld world({.seed = 7});
//   auto reactor = world.make_reactor({});
//   reactor->listen({.port = 80}, acceptor);
//   auto client = world.connect(80, {.bytes = [](std::string_view bytes) { ... }});
//   client->send("hello");
//   world.run_until(100);                       // virtual milliseconds
//
// Everything that happens is an event with a time: a segment arrives, a stream has room, a reactor takes its turn. Of what is
// due at one moment the seed picks the next. So the turns of several shards interleave as threads would, and one seed gives
// one trace: trace() is a hash over every delivered byte and event.
// Threads: one, but Reactor::post(), which is as safe as that of the real reactor (the order then is not the seed's).
// Why not real sockets with a fake clock: the kernel decides when bytes arrive, and nothing can be played again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "net/reactor.h"
#include "net/simulated_stream.h"

namespace tidewire::net {

class SimulatedReactor;

struct SimulatedOptions {
  std::uint64_t seed = 1;
  base::Milliseconds latency_ms_max = 10;    // of each segment: 0 to this
  base::Milliseconds turn_delay_ms_max = 2;  // from an event to the turn that sees it: 0 to this
  std::size_t window_bytes_min = 2 * 1024;   // of each pipe of a stream
  std::size_t window_bytes_max = 64 * 1024;
  std::size_t whole_bytes_max = 0;           // what has no more bytes than this is never cut
  std::size_t mailbox_items_max = base::limits::kMailboxItemsMax;
};

enum class Happening : std::uint8_t { kBytes, kEnd, kReset, kConnect, kTurn };

// The far end of a stream. What it sends waits here until the pipe has room. Must not be destroyed inside its own ears.
class SimulatedClient final : private SimulatedEnd {
 public:
  struct Ears {
    std::function<void(std::string_view)> bytes = {};
    // The stream is over: nothing more will come.
    std::function<void(bool reset)> ended = {};
  };
  SimulatedClient(SimulatedWorld& world, std::shared_ptr<SimulatedStream> stream, Ears ears);
  SimulatedClient(const SimulatedClient&) = delete;
  SimulatedClient& operator=(const SimulatedClient&) = delete;
  // Closes, as close(2) does; what was sent still arrives.
  ~SimulatedClient();

  void send(std::string_view bytes);
  // No more from here; receiving goes on.
  void finish();
  void reset();
  bool ended() const noexcept { return ended_; }
  bool was_reset() const noexcept { return was_reset_; }

  // Stops and continues taking bytes.
  void stall(bool on);
  // The link delivers nothing for so long, then everything.
  void hold(base::Milliseconds ms);
  // The link is gone and nobody is told.
  void vanish() { stream_->vanish(); }

 private:
  void stream_changed(SimulatedStream& stream) override;
  void push();
  void end(bool reset);

  SimulatedWorld& world_;
  const std::shared_ptr<SimulatedStream> stream_;
  const Ears ears_;
  std::string unsent_;    // the first sent_ bytes of it have left
  std::size_t sent_ = 0;
  bool finishing_ = false;
  bool stalled_ = false;
  bool ended_ = false;
  bool was_reset_ = false;
};

class SimulatedWorld {
 public:
  explicit SimulatedWorld(const SimulatedOptions& options = {});
  SimulatedWorld(const SimulatedWorld&) = delete;
  SimulatedWorld& operator=(const SimulatedWorld&) = delete;
  // REQUIRES: every reactor and client of it is gone
  ~SimulatedWorld();

  const SimulatedOptions& options() const noexcept { return options_; }
  base::Milliseconds now() const noexcept { return now_; }
  std::uint64_t trace() const noexcept { return trace_; }
  // The luck of this world, for the scenario that plays in it too.
  base::SeededRandom& luck() noexcept { return luck_; }

  std::unique_ptr<SimulatedReactor> make_reactor(const ReactorOptions& options);
  // To one of the reactors that listen on that port. Null when there is none.
  std::unique_ptr<SimulatedClient> connect(std::uint16_t port, SimulatedClient::Ears ears = {});

  // The next event, if it is due by then. False: time is at `limit` and nothing is due.
  bool step(base::Milliseconds limit);
  void run_until(base::Milliseconds time);
  void run_for(base::Milliseconds ms) { run_until(now_ + ms); }
  // Steps until it holds; false when that takes longer than `patience_ms`.
  bool run_while(const std::function<bool()>& condition, base::Milliseconds patience_ms);

  // For the parts of the world.
  void schedule(base::Milliseconds at, Task task);
  base::Milliseconds latency();
  base::Milliseconds turn_delay();
  // How much of `size` bytes travels together.
  std::size_t piece_of(std::size_t size);
  void record(Happening what, int stream, std::string_view bytes);

 private:
  friend class SimulatedReactor;
  struct Listening {
    SimulatedReactor* reactor;
    ListenOptions options;
    Acceptor acceptor;
    bool open = true;
  };
  std::uint16_t listen(SimulatedReactor& reactor, const ListenOptions& options, Acceptor acceptor);
  void stop_listening(const SimulatedReactor& reactor);
  void forget(const SimulatedReactor& reactor);

  const SimulatedOptions options_;
  base::Milliseconds now_ = 1'000;
  base::SeededRandom luck_;
  std::uint64_t trace_ = 0xcbf29ce484222325u;
  // By time, then by luck, then by age.
  std::map<std::pair<base::Milliseconds, std::uint64_t>, Task> events_;
  std::uint64_t event_count_ = 0;
  std::vector<SimulatedReactor*> reactors_;
  std::multimap<std::uint16_t, std::shared_ptr<Listening>> ports_;
  std::uint16_t last_port_ = 1024;
  int last_stream_ = 0;
};

}  // namespace tidewire::net
