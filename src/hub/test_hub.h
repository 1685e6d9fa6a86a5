// hub/test_hub.h - hubs without a wire, for tests: a toy dialect, sinks that write down what they get, time that is set.
//
//   TestNode node(2);                                     // two shards
//   TestSink& anna = node.connect(0, "/chat");
//   broadcast(node.space(0, "/chat"), {.rooms = {"r"}}, node.event("hi"));
//   node.run();                                           // deferred calls and posted tasks, until there are none
//   EXPECT_THAT(anna.take(), ElementsAre("hi[]"));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/broadcast.h"
#include "hub/hub.h"

namespace tidewire::hub::test {

// "name[arguments]", with "?" and the number behind it when an answer is wanted; acknowledgements are "ack:key[arguments]".
class ToyDialect final : public Dialect {
 public:
  explicit ToyDialect(std::uint8_t index = 0) : Dialect(index) {}
  std::string_view name() const noexcept override { return "toy"; }
  base::Frame encode_event(const Message& message) const override {
    ++encoded;
    std::string text(message.event);
    text.append("[").append(message.arguments.text()).append("]");
    if (message.ack_id) text += "?" + std::to_string(*message.ack_id);
    return base::Frame::copy(text);
  }
  base::Frame encode_ack(std::string_view, const AckKey& key, const ArgumentsView& arguments) const override {
    return base::Frame::copy("ack:" + std::to_string(key.number) + "[" + std::string(arguments.text()) + "]");
  }
  mutable int encoded = 0;
};

// A connection with one member.
class TestSink final : public Sink {
 public:
  explicit TestSink(Hub& its_hub) : hub(its_hub) {}
  void send(const base::Frame& frame, base::Lane) override { got.emplace_back(frame.wire()); }
  bool writable() const noexcept override { return takes_bytes; }
  std::size_t queued_bytes() const noexcept override { return 0; }
  void disconnect(Member& gone, const Ending& ending) override {
    endings.push_back(ending.code);
    if (admission != nullptr) admission.reset();
    hub.leave(gone, DisconnectReason::kServerNamespaceDisconnect);
  }
  ConnectionFacts facts() const override { return {.address = "10.0.0.1", .transport = "toy", .request_head = {}}; }
  std::string address() const override { return "10.0.0.1"; }

  // The connection breaks.
  void drop() {
    admission.reset();
    if (member) hub.leave(*member, DisconnectReason::kTransportClose);
  }
  std::vector<std::string> take() { return std::exchange(got, {}); }

  Hub& hub;
  MemberRef member;
  std::shared_ptr<Admission> admission;
  std::vector<std::string> got;
  std::vector<std::uint16_t> endings;  // their codes
  std::vector<std::string> outcome;  // "admitted", "settled", "refused:message:data"
  bool takes_bytes = true;
};

class TestAdmission final : public Admission {
 public:
  explicit TestAdmission(TestSink& sink) : sink_(sink) {}
  void admitted(Member& member) override {
    sink_.member = MemberRef(member);
    sink_.outcome.emplace_back("admitted");
  }
  void refused(const Refusal& refusal) override { sink_.outcome.push_back("refused:" + refusal.message + ":" + refusal.data); }
  void settled(Member&) override { sink_.outcome.emplace_back("settled"); }

 private:
  TestSink& sink_;
};

// Several shards in one thread: tasks between two of them keep their order.
class TestNode {
 public:
  using Decide = std::function<void(const Credentials&, UniqueFunction<void(Verdict)>)>;
  // With `decide`, that is the authenticator of every shard.
  explicit TestNode(std::uint32_t shard_count = 1, const HubOptions& options = {}, Decide decide = {},
                    std::size_t rooms_max = base::limits::kRoomsMax)
      : rooms(rooms_max), decide_(std::move(decide)) {
    for (std::uint32_t i = 0; i < shard_count; ++i) shards_.push_back(std::make_unique<Shard>(*this, i, options));
  }
  ~TestNode() {
    for (auto& sink : sinks_) sink->drop();
    run();
  }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  Hub& hub(std::uint32_t shard = 0) { return *shards_[shard]->hub; }
  Namespace& space(std::uint32_t shard = 0, std::string_view name = "/", std::string_view tenant = {}) {
    return *hub(shard).find({std::string(tenant), std::string(name)});
  }
  std::shared_ptr<NamespaceDefinition> of(std::string_view name = "/") { return registry.of(name); }

  TestSink& connect(std::uint32_t shard = 0, std::string_view name = "/", std::string auth = {}) {
    sinks_.push_back(std::make_unique<TestSink>(hub(shard)));
    TestSink& sink = *sinks_.back();
    sink.admission = std::make_shared<TestAdmission>(sink);
    hub(shard).admit(name, sink, dialect, std::move(auth), sink.admission);
    return sink;
  }
  static Message event(std::string_view name, const ArgumentsView& arguments = {}) {
    return {.namespace_name = "/", .event = name, .arguments = arguments};
  }

  // Deferred calls and posted tasks, until there are none.
  void run() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& shard : shards_) busy = shard->turn() || busy;
    }
  }
  void advance(std::int64_t ms) {
    for (const std::int64_t until = now + ms; now < until;) {
      const base::Milliseconds before = now;
      now = std::min(now + base::TimerWheel::kTickMs, until);
      wall_clock_ms += now - before;
      for (auto& shard : shards_) shard->timers.advance(now);
      run();
    }
  }
  // Tasks for this shard wait until it is woken.
  void hold(std::uint32_t shard, bool held) { shards_[shard]->held = held; }
  // Messages for this shard are dropped, as when memory is short.
  void make_deaf(std::uint32_t shard) { shards_[shard]->deaf = true; }

  base::Milliseconds now = 1'000;
  std::int64_t wall_clock_ms = 1'700'000'000'000;
  NamespaceRegistry registry;
  RoomQuota rooms;
  ToyDialect dialect;

 private:
  struct Shard final : Relay {
    Shard(TestNode& its_node, std::uint32_t its_index, const HubOptions& options)
        : node(its_node), index(its_index), timers(its_node.now), random(its_index + 1) {
      hub = std::make_unique<Hub>(options, HubContext{timers, random, base::null_log(), *this, node.registry,
                                                      [this] { return node.now; },
                                                      [this](UniqueFunction<void()> task) { deferred.push_back(std::move(task)); },
                                                      authenticator(), [this] { return node.wall_clock_ms; }, &node.rooms});
    }
    ~Shard() = default;
    Authenticate authenticator() {
      if (!node.decide_) return {};
      return [this](const Credentials& credentials, UniqueFunction<void(Verdict)> answer) {
        node.decide_(credentials, std::move(answer));
      };
    }
    std::uint32_t shard() const noexcept override { return index; }
    std::uint32_t shard_count() const noexcept override { return static_cast<std::uint32_t>(node.shards_.size()); }
    void post(std::uint32_t to, HubTask task) override { node.shards_[to]->posted.push_back(std::move(task)); }
    bool post_message(std::uint32_t to, HubTask task, bool) override {
      if (node.shards_[to]->deaf) return false;
      post(to, std::move(task));
      return true;
    }
    bool turn() {
      if (held || (posted.empty() && deferred.empty())) return false;
      for (auto tasks = std::exchange(posted, {}); const HubTask& task : tasks) task(*hub);
      for (auto tasks = std::exchange(deferred, {}); const auto& task : tasks) task();
      return true;
    }

    TestNode& node;
    const std::uint32_t index;
    base::TimerWheel timers;
    base::SeededRandom random;
    std::vector<HubTask> posted;
    std::vector<UniqueFunction<void()>> deferred;
    bool held = false;
    bool deaf = false;
    std::unique_ptr<Hub> hub;
  };

  const Decide decide_;
  std::vector<std::unique_ptr<TestSink>> sinks_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tidewire::hub::test
