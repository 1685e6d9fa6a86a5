// The simulated world passes the transport contract, from several seeds; and one seed is one story.
//
// Of the contract suite nothing is left out. Not covered here, as the simulated network has neither: TLS and the PROXY
// protocol (tls_test, epoll_reactor_test), and running out of descriptors (epoll_reactor_test).

#include "net/simulated_reactor.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <utility>

#include "net/transport_contract.h"

namespace tidewire::net {
namespace {

constexpr base::Milliseconds kPatienceMs = 20'000;

class SimulatedContractClient final : public Client {
 public:
  SimulatedContractClient(std::shared_ptr<SimulatedWorld> world, std::uint16_t port)
      : world_(std::move(world)),
        client_(world_->connect(port, {.bytes = [this](std::string_view bytes) { received_ += bytes; }})) {
    if (!connected()) return;
    // As a socket does: what nobody receives stays in the kernel, and connecting takes a round trip.
    client_->stall(true);
    world_->run_for(world_->options().latency_ms_max);
  }
  bool connected() const { return client_ != nullptr; }
  void send(std::string_view bytes) override { client_->send(bytes); }
  std::string receive(std::size_t count) override {
    wait([&] { return received_.size() < count; });
    const std::size_t size = std::min(count, received_.size());
    std::string bytes = received_.substr(0, size);
    received_.erase(0, size);
    return bytes;
  }
  std::string receive_to_end() override {
    wait([] { return true; });
    return std::exchange(received_, {});
  }
  bool was_reset() const override { return client_->was_reset(); }
  void finish() override { client_->finish(); }
  void reset() override { client_->reset(); }

 private:
  void wait(const std::function<bool()>& condition) {
    client_->stall(false);
    world_->run_while([&] { return condition() && !client_->ended(); }, kPatienceMs);
    client_->stall(true);
  }

  const std::shared_ptr<SimulatedWorld> world_;  // tests may keep a client beyond their world
  std::string received_;
  const std::unique_ptr<SimulatedClient> client_;
};

class SimulatedContractWorld final : public World {
 public:
  // A word travels whole, as the tests expect of loopback; longer writes are cut.
  SimulatedContractWorld(const WorldOptions& options, std::uint64_t seed)
      : world_(std::make_shared<SimulatedWorld>(SimulatedOptions{.seed = seed, .whole_bytes_max = 64})) {
    ReactorOptions reactor_options;
    reactor_options.slow_peer_ms = options.slow_peer_ms;
    for (std::size_t i = 0; i < options.reactors; ++i) reactors_.push_back(world_->make_reactor(reactor_options));
  }
  void on(std::size_t reactor, const std::function<void(Reactor&)>& call) override {
    bool done = false;
    Task task([&] {
      call(*reactors_[reactor]);
      done = true;
    });
    ASSERT_EQ(reactors_[reactor]->post(task), PostResult::kPosted);
    ASSERT_TRUE(world_->run_while([&] { return !done; }, kPatienceMs));
  }
  std::unique_ptr<Client> connect(std::uint16_t port) override {
    auto client = std::make_unique<SimulatedContractClient>(world_, port);
    if (!client->connected()) return nullptr;
    return client;
  }
  void pass(std::int64_t milliseconds) override { world_->run_for(milliseconds); }
  void stop(std::size_t reactor) override {
    reactors_[reactor]->stop();
    reactors_[reactor]->run();
  }

 private:
  const std::shared_ptr<SimulatedWorld> world_;
  std::vector<std::unique_ptr<SimulatedReactor>> reactors_;
};

WorldKind simulated_world(std::uint64_t seed) {
  return {"seed_" + std::to_string(seed), [seed](const WorldOptions& options, std::string&) -> std::unique_ptr<World> {
            return std::make_unique<SimulatedContractWorld>(options, seed);
          }};
}

INSTANTIATE_TEST_SUITE_P(Simulated, TransportContract,
                         testing::Values(simulated_world(1), simulated_world(2), simulated_world(3)),
                         [](const auto& kind) { return kind.param.name; });

// ---- One seed, one story

struct EchoHandler final : StreamHandler {
  void on_bytes(Connection& connection, std::span<char> bytes) override {
    connection.send(base::Frame::copy({bytes.data(), bytes.size()}));
  }
  void on_closed(Connection&, CloseCause) override {}
};

// Clients that come, talk and go by the luck of the seed; the trace of it.
std::uint64_t story(std::uint64_t seed) {
  SimulatedWorld world({.seed = seed});
  const auto first = world.make_reactor({});
  const auto second = world.make_reactor({});
  const auto echo = [](Connection&) { return std::make_unique<EchoHandler>(); };
  const std::uint16_t port = *first->listen({}, echo);
  EXPECT_EQ(*second->listen({.port = port}, echo), port);
  std::vector<std::unique_ptr<SimulatedClient>> clients;
  for (int i = 0; i < 200; ++i) {
    base::SeededRandom& luck = world.luck();
    if (clients.size() < 8) clients.push_back(world.connect(port));
    SimulatedClient& client = *clients[luck.below(clients.size())];
    switch (luck.below(8)) {
      case 0: client.reset(); break;
      case 1: client.finish(); break;
      case 2: client.stall(true); break;
      case 3: client.stall(false); break;
      case 4: client.hold(50); break;
      case 5: clients.erase(clients.begin()); break;
      default: client.send(std::string(luck.below(5'000), static_cast<char>('a' + i % 26)));
    }
    world.run_for(static_cast<base::Milliseconds>(luck.below(20)));
  }
  return world.trace();
}

TEST(SimulatedWorld, TellsTheSameStoryFromTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_EQ(story(seed), story(seed)) << seed;
}

TEST(SimulatedWorld, TellsAnotherStoryFromAnotherSeed) { EXPECT_NE(story(1), story(2)); }

TEST(SimulatedWorld, DeliversNothingOverALinkThatVanished) {
  SimulatedWorld world;
  const auto reactor = world.make_reactor({});
  const std::uint16_t port = *reactor->listen({}, [](Connection&) { return std::make_unique<EchoHandler>(); });
  std::string received;
  const auto client = world.connect(port, {.bytes = [&](std::string_view bytes) { received += bytes; }});
  client->send("here");
  world.run_for(100);
  client->vanish();
  client->send("gone");
  client->reset();
  world.run_for(10'000);
  EXPECT_EQ(received, "here");
  EXPECT_EQ(reactor->statistics().connections, 1u);
}

TEST(SimulatedWorld, HoldsALinkAndThenDeliversEverything) {
  SimulatedWorld world;
  const auto reactor = world.make_reactor({});
  const std::uint16_t port = *reactor->listen({}, [](Connection&) { return std::make_unique<EchoHandler>(); });
  std::string received;
  const auto client = world.connect(port, {.bytes = [&](std::string_view bytes) { received += bytes; }});
  client->hold(5'000);
  client->send("patience");
  world.run_for(4'900);
  EXPECT_EQ(received, "");
  world.run_for(300);
  EXPECT_EQ(received, "patience");
}

TEST(SimulatedWorld, GivesAShardThatStallsItsTurnLater) {
  SimulatedWorld world;
  const auto reactor = world.make_reactor({});
  bool done = false;
  Task task([&] { done = true; });
  reactor->stall_until(world.now() + 500);
  EXPECT_EQ(reactor->post(task), PostResult::kPosted);
  world.run_for(400);
  EXPECT_FALSE(done);
  world.run_for(200);
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tidewire::net
