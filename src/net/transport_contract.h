// net/transport_contract.h - what every Reactor promises, as tests; this header is the world they play in.
//
// A World holds one or more reactors and the clients that talk to them. The tests (transport_contract_test.cc) know
// nothing else, so that another implementation instantiates the same suite by one line in its own test file:
//
//   INSTANTIATE_TEST_SUITE_P(Simulated, TransportContract, testing::Values(WorldKind{"simulated", &make_simulated_world}));
//
// Threads: a world may run its reactors on threads of their own; test code touches a reactor, its connections and what
// its handlers write only inside on().
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/reactor.h"

namespace tidewire::net {

// The far end of a stream.
class Client {
 public:
  virtual ~Client() = default;
  virtual void send(std::string_view bytes) = 0;
  // Waits for `count` bytes; fewer when the stream ends (or nothing comes for long).
  virtual std::string receive(std::size_t count) = 0;
  // Waits for the end of the stream; returns what came before.
  virtual std::string receive_to_end() = 0;
  // After receive_to_end(): how it ended.
  virtual bool was_reset() const = 0;
  // FIN; receiving goes on.
  virtual void finish() = 0;
  // RST.
  virtual void reset() = 0;
};

class World {
 public:
  virtual ~World() = default;
  // Runs `call` on the thread of that reactor, between other steps of it, and returns when it is done.
  virtual void on(std::size_t reactor, const std::function<void(Reactor&)>& call) = 0;
  virtual std::unique_ptr<Client> connect(std::uint16_t port) = 0;
  // Lets time pass for everybody.
  virtual void pass(std::int64_t milliseconds) = 0;
  // Stops that reactor and waits until its run() is over. on() must not name it any more.
  virtual void stop(std::size_t reactor) = 0;
};

struct WorldOptions {
  std::size_t reactors = 1;
  std::int64_t slow_peer_ms = 10'000;
};

struct WorldKind {
  std::string name;
  // Null with `why_not` when it cannot exist here.
  std::function<std::unique_ptr<World>(const WorldOptions&, std::string& why_not)> make;
};

// What a test wants of a stream, filled in as needed; what is not filled in has the default behaviour.
struct Script {
  std::function<void(Connection&)> accepted = {};
  std::function<void(Connection&, std::string_view)> bytes = {};
  std::function<void(Connection&)> drained = {};
  std::function<void(Connection&)> finished = {};
  std::function<void(Connection&, CloseCause)> closed = {};
};

// The verbs of the tests.
class TransportContract : public testing::TestWithParam<WorldKind> {
 protected:
  void SetUp() override { make_world({}); }
  // Replaces the world.
  void make_world(const WorldOptions& options);
  // Listens with handlers that follow `script`; returns the port.
  std::uint16_t listen(Script script, std::size_t reactor = 0, std::size_t connections_max = 1'000'000);
  void on(const std::function<void(Reactor&)>& call, std::size_t reactor = 0) { world_->on(reactor, call); }
  // Whether `condition`, looked at on the reactor's thread, comes true before patience ends.
  bool eventually(const std::function<bool()>& condition, std::size_t reactor = 0);
  // Waits until that many connections of reactor 0 have closed; the causes in order.
  std::vector<CloseCause> causes(std::size_t count);
  ReactorStatistics statistics();

  std::vector<CloseCause> causes_;  // reactor 0
  std::unique_ptr<World> world_;    // dies first, since handlers write to the rest
};

}  // namespace tidewire::net
