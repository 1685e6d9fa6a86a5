// Memory runs short in a simulated world: shards that hang, and application WebSocket routes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/core.h"
#include "app/shard.h"
#include "net/simulated_reactor.h"
#include "sim/wire.h"

namespace tidewire::sim {
namespace {

constexpr int kTryAgainLater = 1013;
constexpr int kGoingAway = 1001;
constexpr int kSlowConsumer = 4008;
constexpr std::size_t kMessageBytes = 100'000;

// A client that only listens: of what it hears, the numbers.
struct Listener {
  std::unique_ptr<Wire> wire;
  int status = 0;
  std::vector<std::uint64_t> numbers = {};
  int code = -1;  // of the end
};

class Shortage : public ::testing::Test {
 protected:
  explicit Shortage(std::size_t window_bytes = std::size_t{1} << 24, std::size_t queue_soft_bytes = std::size_t{1} << 30)
      : world_({.seed = 3, .window_bytes_min = window_bytes, .window_bytes_max = window_bytes, .mailbox_items_max = 4}) {
    base::forget_counted_bytes();
    Drive drive;
    drive.threads = false;
    drive.make_reactor = [this](const net::ReactorOptions& options) -> Result<std::unique_ptr<net::Reactor>> {
      auto reactor = world_.make_reactor(options);
      reactors_.push_back(reactor.get());
      return Result<std::unique_ptr<net::Reactor>>(std::move(reactor));
    };
    Options options;
    options.shards = 2;
    options.queue_soft_bytes = queue_soft_bytes;
    options.queue_hard_bytes = std::size_t{1} << 30;
    options.process_queue_bytes = 8'000'000;
    options.log_to_stderr = false;
    auto core = std::make_unique<Core>(options, std::move(drive));
    core_ = core.get();
    server_.reset(new Server(Core::make_server(std::move(core))));
    route_ = &server_->websocket("/raw", {});
    EXPECT_TRUE(server_->start().ok());
    for (std::uint32_t i = 0; i < reactors_.size(); ++i) {
      reactors_[i]->set_turn_scope([this, i](const std::function<void()>& turn) {
        const ShardScope here(core_->shard(i));
        turn();
      });
    }
  }
  ~Shortage() override {
    listeners_.clear();
    server_->stop();
    world_.run_for(10'000);
    server_.reset();
    base::forget_counted_bytes();
  }

  Listener& listen(const std::string& path) {
    Listener& listener = *listeners_.emplace_back(std::make_unique<Listener>());
    listener.wire = std::make_unique<Wire>(
        world_, core_->port,
        Wire::Ears{.response = [&listener](int status, std::string_view) { listener.status = status; },
                   .text = [&listener](std::string_view text) {
                     listener.numbers.push_back(Value::parse(text).value_or(Value())["n"].as_uint64().value_or(0));
                   },
                   .ended = [&listener](int code, bool) { listener.code = code; }});
    listener.wire->upgrade(path);
    return listener;
  }
  void listen(const std::string& path, int count) {
    for (int i = 0; i < count; ++i) listen(path);
    world_.run_for(200);
    for (const auto& listener : listeners_) ASSERT_EQ(listener->status, 101);
  }
  static Value body(std::uint64_t number) { return Value::object({{"n", number}, {"fill", std::string(kMessageBytes, 'x')}}); }
  // `say(number)` for each number, on the first shard, in turns of its own.
  template <typename Say>
  void say_all(std::uint64_t count, Say say, base::Milliseconds pause_ms = 5) {
    for (std::uint64_t number = 1; number <= count; ++number) {
      core_->post_to(0, [say, number] { say(number); });
      world_.run_for(pause_ms);
    }
  }
  // Nobody hears a gap; counts those who have heard everything and those who were cut off for the loss.
  std::pair<int, int> whole_and_cut(std::uint64_t count) {
    int whole = 0;
    int cut = 0;
    for (const auto& listener : listeners_) {
      for (std::size_t i = 0; i < listener->numbers.size(); ++i) EXPECT_EQ(listener->numbers[i], i + 1);
      if (listener->code == kTryAgainLater) {
        ++cut;
        EXPECT_LT(listener->numbers.size(), count);
      } else {
        EXPECT_EQ(listener->code, -1);
        whole += listener->numbers.size() == count ? 1 : 0;
      }
    }
    return {whole, cut};
  }
  ServerStatistics statistics() {
    ServerStatistics total;
    for (std::uint32_t i = 0; i < core_->shard_count(); ++i) core_->shard(i).add_to(total);
    return total;
  }
  void settle_and_expect_nothing_held() {
    core_->budget.settle_now();
    EXPECT_LT(core_->budget.used_bytes(), 100'000u);
  }

  net::SimulatedWorld world_;
  std::vector<net::SimulatedReactor*> reactors_;
  Core* core_ = nullptr;
  std::unique_ptr<Server> server_;
  WebSocketRoute* route_ = nullptr;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

TEST_F(Shortage, WhoIsOnAShardThatHangsHearsNoGapAndIsClosedForTheLoss) {
  listen("/", 8);
  reactors_[1]->stall_until(world_.now() + 3'000);
  say_all(200, [this](std::uint64_t number) { server_->emit("said", body(number)); });
  EXPECT_LT(core_->budget.used_bytes(), core_->budget.limit_bytes());
  world_.run_for(5'000);
  const auto [whole, cut] = whole_and_cut(200);
  EXPECT_GT(whole, 0);
  EXPECT_GT(cut, 0);
  EXPECT_EQ(whole + cut, 8);
  EXPECT_GT(core_->dropped_messages.load(), 0u);
  settle_and_expect_nothing_held();
  // Whoever comes back hears what is said now.
  Listener& back = listen("/");
  world_.run_for(200);
  say_all(3, [this](std::uint64_t number) { server_->emit("said", body(number)); });
  world_.run_for(200);
  EXPECT_THAT(back.numbers, ::testing::ElementsAre(1u, 2u, 3u));
}

TEST_F(Shortage, VolatileMessagesAreLostWithoutAnEnd) {
  listen("/", 8);
  reactors_[1]->stall_until(world_.now() + 3'000);
  say_all(200, [this](std::uint64_t number) { server_->volatile_().emit("said", body(number)); });
  world_.run_for(5'000);
  EXPECT_GT(core_->dropped_messages.load(), 0u);
  for (const auto& listener : listeners_) EXPECT_EQ(listener->code, -1);
  settle_and_expect_nothing_held();
}

TEST_F(Shortage, WhatIsSaidOutsideOfTheShardsIsBoundedToo) {
  listen("/", 8);
  reactors_[0]->stall_until(world_.now() + 3'000);
  for (std::uint64_t number = 1; number <= 200; ++number) server_->emit("said", body(number));
  EXPECT_LT(core_->budget.used_bytes(), core_->budget.limit_bytes());
  EXPECT_GT(core_->dropped_messages.load(), 0u);
  world_.run_for(5'000);
  const auto [whole, cut] = whole_and_cut(200);
  EXPECT_EQ(cut, 8) << "nobody knows whom the lost message was for";
  settle_and_expect_nothing_held();
}

TEST_F(Shortage, PeersOfRawRoutesHearNoGapEither) {
  listen("/raw", 8);
  reactors_[1]->stall_until(world_.now() + 3'000);
  say_all(200, [this](std::uint64_t number) { route_->broadcast_text(body(number).to_json()); });
  EXPECT_LT(core_->budget.used_bytes(), core_->budget.limit_bytes());
  world_.run_for(5'000);
  const auto [whole, cut] = whole_and_cut(200);
  EXPECT_GT(whole, 0);
  EXPECT_GT(cut, 0);
  EXPECT_EQ(whole + cut, 8);
  settle_and_expect_nothing_held();
}

TEST_F(Shortage, RawRoutesTakeNobodyOnWhenMemoryIsSpent) {
  base::Charge held(core_->budget.limit_bytes() / 100 * 96);
  core_->budget.settle_now();
  Listener& refused = listen("/raw");
  world_.run_for(200);
  EXPECT_EQ(refused.status, 503);
  held.set(0);
  core_->budget.settle_now();
  Listener& welcome = listen("/raw");
  world_.run_for(200);
  EXPECT_EQ(welcome.status, 101);
  EXPECT_EQ(statistics().refused_by_memory, 1u);
}

class ShortageOfReaders : public Shortage {
 protected:
  ShortageOfReaders() : Shortage(1'000'000) {}
};

TEST_F(ShortageOfReaders, OfRawRoutesTheLargestQueuesThatStandStillAreGivenUp) {
  listen("/raw", 3);
  listeners_[0]->wire->stream().stall(true);
  // Slowly enough for the look at the queues, four times a second.
  say_all(120, [this](std::uint64_t number) { route_->broadcast_text(body(number).to_json()); }, 30);
  EXPECT_LT(core_->budget.used_bytes(), core_->budget.limit_bytes());
  listeners_[0]->wire->stream().stall(false);
  world_.run_for(15'000);
  EXPECT_TRUE(listeners_[0]->code == kSlowConsumer || listeners_[0]->code == 0) << listeners_[0]->code;
  for (const int healthy : {1, 2}) {
    EXPECT_EQ(listeners_[static_cast<std::size_t>(healthy)]->numbers.size(), 120u);
    EXPECT_EQ(listeners_[static_cast<std::size_t>(healthy)]->code, -1);
  }
  EXPECT_EQ(statistics().shed_queues, 1u);
  EXPECT_EQ(statistics().slow_consumers, 1u);
  settle_and_expect_nothing_held();
}

class ShortageOfTime : public Shortage {
 protected:
  ShortageOfTime() : Shortage(20'000, 50'000) {}
};

TEST_F(ShortageOfTime, PeersOfRawRoutesAreGivenUpWhenTheOldestByteIsTooOld) {
  listen("/raw", 2);
  listeners_[0]->wire->stream().stall(true);
  say_all(3, [this](std::uint64_t number) { route_->broadcast_text(body(number).to_json()); });
  world_.run_for(9'000);
  EXPECT_EQ(statistics().slow_consumers, 0u);
  world_.run_for(2'000);
  EXPECT_EQ(statistics().slow_consumers, 1u) << "before the stream is cut for it, at 12 s";
  listeners_[0]->wire->stream().stall(false);
  world_.run_for(2'000);
  EXPECT_EQ(listeners_[0]->code, kSlowConsumer);
  EXPECT_EQ(listeners_[1]->code, -1);
  EXPECT_EQ(listeners_[1]->numbers.size(), 3u);
}

TEST_F(Shortage, PeersOfRawRoutesHearOfTheServersEnd) {
  listen("/raw", 2);
  server_->stop();
  world_.run_for(5'000);
  for (const auto& listener : listeners_) EXPECT_EQ(listener->code, kGoingAway);
}

}  // namespace
}  // namespace tidewire::sim
