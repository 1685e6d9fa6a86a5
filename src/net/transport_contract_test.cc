#include "net/transport_contract.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace tidewire::net {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TransportContract);

namespace {

using base::Frame;
using base::Lane;
using testing::ElementsAre;

class ScriptedHandler final : public StreamHandler {
 public:
  explicit ScriptedHandler(Script script) : script_(std::move(script)) {}
  void on_bytes(Connection& connection, std::span<char> bytes) override {
    if (script_.bytes) script_.bytes(connection, {bytes.data(), bytes.size()});
  }
  void on_drained(Connection& connection) override {
    if (script_.drained) script_.drained(connection);
  }
  void on_peer_finished(Connection& connection) override {
    script_.finished ? script_.finished(connection) : StreamHandler::on_peer_finished(connection);
  }
  void on_closed(Connection& connection, CloseCause cause) override {
    if (script_.closed) script_.closed(connection, cause);
  }

 private:
  const Script script_;
};

Acceptor acceptor_of(Script script) {
  return [script = std::move(script)](Connection& connection) -> std::unique_ptr<StreamHandler> {
    if (script.accepted) script.accepted(connection);
    return std::make_unique<ScriptedHandler>(script);
  };
}

void echo(Connection& connection, std::string_view bytes) { connection.send(Frame::copy(bytes)); }

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

constexpr std::size_t kMegabyte = 1024 * 1024;
// More than the buffers of both ends take.
constexpr std::size_t kFlood = 32 * kMegabyte;

void flood(Connection& connection, std::size_t size = kFlood) {
  const std::string bytes = pattern(size);
  for (std::size_t at = 0; at < size; at += kMegabyte) {
    connection.send(Frame::copy(std::string_view(bytes).substr(at, std::min(kMegabyte, size - at))));
  }
}

}  // namespace

void TransportContract::make_world(const WorldOptions& options) {
  world_.reset();
  std::string why_not;
  world_ = GetParam().make(options, why_not);
  if (world_ == nullptr) GTEST_SKIP() << why_not;
}

std::uint16_t TransportContract::listen(Script script, std::size_t reactor, std::size_t connections_max) {
  script.closed = [this, reactor, closed = std::move(script.closed)](Connection& connection, CloseCause cause) {
    if (reactor == 0) causes_.push_back(cause);
    if (closed) closed(connection, cause);
  };
  std::uint16_t port = 0;
  on(
      [&](Reactor& net) {
        ListenOptions options;
        options.connections_max = connections_max;
        const Result<std::uint16_t> listening = net.listen(options, acceptor_of(std::move(script)));
        ASSERT_TRUE(listening.ok()) << listening.status().message();
        port = *listening;
      },
      reactor);
  return port;
}

bool TransportContract::eventually(const std::function<bool()>& condition, std::size_t reactor) {
  for (int i = 0; i < 4000; ++i) {
    bool holds = false;
    on([&](Reactor&) { holds = condition(); }, reactor);
    if (holds) return true;
    world_->pass(5);
  }
  return false;
}

std::vector<CloseCause> TransportContract::causes(std::size_t count) {
  EXPECT_TRUE(eventually([&] { return causes_.size() >= count; }));
  std::vector<CloseCause> seen;
  on([&](Reactor&) { seen = causes_; });
  return seen;
}

ReactorStatistics TransportContract::statistics() {
  ReactorStatistics seen;
  on([&](Reactor& net) { seen = net.statistics(); });
  return seen;
}

namespace {

// ---- Bytes both ways

TEST_P(TransportContract, Echoes) {
  const auto client = world_->connect(listen({.bytes = echo}));
  client->send("hello");
  EXPECT_EQ(client->receive(5), "hello");
  client->send("again");
  EXPECT_EQ(client->receive(5), "again");
}

TEST_P(TransportContract, ServesAThousandConnections) {
  const std::uint16_t port = listen({.bytes = echo});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(world_->connect(port));
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->send("client " + std::to_string(1000 + i));
  for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i]->receive(11), "client " + std::to_string(1000 + i));
  EXPECT_EQ(statistics().connections, 1000u);
  clients.clear();
  EXPECT_THAT(causes(1000), testing::Each(CloseCause::kPeerClosed));
  EXPECT_EQ(statistics().connections, 0u);
}

TEST_P(TransportContract, BroadcastsOneFrameToAThousandInOneTurn) {
  std::vector<Connection*> members;
  const std::uint16_t port = listen({.accepted = [&](Connection& connection) { members.push_back(&connection); }});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(world_->connect(port));
  ASSERT_TRUE(eventually([&] { return members.size() == 1000; }));
  on([&](Reactor&) {
    const Frame frame = Frame::copy("to all");
    for (Connection* member : members) member->send(frame);
  });
  for (const auto& client : clients) EXPECT_EQ(client->receive(6), "to all");
  EXPECT_EQ(statistics().sends, 1000u);
}

TEST_P(TransportContract, DeliversManyMegabytesInPartialWrites) {
  bool was_blocked = false;
  bool drained = false;
  const std::uint16_t port = listen({.bytes =
                                         [](Connection& connection, std::string_view) { flood(connection); },
                                     .drained =
                                         [&](Connection& connection) {
                                           was_blocked = !connection.blocked();
                                           drained = connection.out().empty();
                                         }});
  const auto client = world_->connect(port);
  client->send("go");
  world_->pass(50);
  EXPECT_TRUE(client->receive(kFlood) == pattern(kFlood));
  EXPECT_TRUE(eventually([&] { return drained && was_blocked; }));
}

TEST_P(TransportContract, TakesManyMegabytesIn) {
  std::string received;
  const std::uint16_t port = listen({.bytes = [&](Connection&, std::string_view bytes) { received += bytes; }});
  const auto client = world_->connect(port);
  client->send(pattern(8 * kMegabyte));
  EXPECT_TRUE(eventually([&] { return received.size() == 8 * kMegabyte; }));
  on([&](Reactor&) { EXPECT_TRUE(received == pattern(8 * kMegabyte)); });
}

TEST_P(TransportContract, SendsTheLanesOfATurnInTheirOrder) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    connection.send(Frame::copy("low,"), Lane::kLow);
    connection.send(Frame::copy("normal,"), Lane::kNormal);
    connection.send(Frame::copy("high,"), Lane::kHigh);
    connection.send(Frame::copy("control,"), Lane::kControl);
    connection.send(Frame::copy("high too,"), Lane::kHigh);
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive(33), "control,high,high too,normal,low,");
}

TEST_P(TransportContract, JoinsTheFramesOfATurnIntoOneSend) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    for (int i = 0; i < 100; ++i) connection.send(Frame::copy("0123456789"));
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive(1000).size(), 1000u);
  EXPECT_EQ(statistics().sends, 1u);
  EXPECT_EQ(statistics().bytes_out, 1000u);
}

TEST_P(TransportContract, SendsThousandsOfFramesOfAllSizesInOrder) {
  std::string expected;
  for (std::size_t i = 0; i < 3000; ++i) expected += pattern(1 + i * 7919 % 3000);
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    for (std::size_t i = 0; i < 3000; ++i) connection.send(Frame::copy(pattern(1 + i * 7919 % 3000)));
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_TRUE(client->receive(expected.size()) == expected);
}

// ---- Ends

TEST_P(TransportContract, DeliversEverythingBeforeAnOrderlyClose) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    flood(connection);
    connection.close_after_flush();
    connection.send(Frame::copy("ignored"));
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_TRUE(client->receive_to_end() == pattern(kFlood));
  EXPECT_FALSE(client->was_reset());
  client->finish();
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kLocal));
}

TEST_P(TransportContract, DiscardsWhatArrivesWhileClosing) {
  int calls = 0;
  const std::uint16_t port = listen({.bytes = [&](Connection& connection, std::string_view) {
    ++calls;
    connection.send(Frame::copy("bye"));
    connection.close_after_flush();
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive(3), "bye");
  client->send(pattern(100'000));
  EXPECT_EQ(client->receive_to_end(), "");
  client->finish();
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kLocal));
  EXPECT_EQ(calls, 1);
}

TEST_P(TransportContract, LingersNoLongerThanTold) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) { connection.close_after_flush(100); }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive_to_end(), "");
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kLocal));  // though the client never sends its FIN
}

TEST_P(TransportContract, TellsOfAnAbortLaterAndOnce) {
  bool inside = false;
  bool told_inside = false;
  const std::uint16_t port = listen({.bytes =
                                         [&](Connection& connection, std::string_view) {
                                           inside = true;
                                           connection.abort();
                                           connection.abort();
                                           connection.close_after_flush();
                                           connection.send(Frame::copy("ignored"));
                                           inside = false;
                                         },
                                     .closed = [&](Connection&, CloseCause) { told_inside = inside; }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive_to_end(), "");
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kLocal));
  EXPECT_FALSE(told_inside);
}

TEST_P(TransportContract, ResetsWhenAnAbortLosesBytes) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    connection.send(Frame::copy("lost"));
    connection.abort();
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive_to_end(), "");
  EXPECT_TRUE(client->was_reset());
}

TEST_P(TransportContract, AnswersAClientThatHasFinished) {
  const std::uint16_t port = listen({.bytes = echo});
  const auto client = world_->connect(port);
  client->send("last words");
  client->finish();
  EXPECT_EQ(client->receive_to_end(), "last words");
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kPeerClosed));
}

TEST_P(TransportContract, LetsAHandlerGoOnAfterThePeersFin) {
  Connection* half_open = nullptr;
  const std::uint16_t port = listen({.finished = [&](Connection& connection) { half_open = &connection; }});
  const auto client = world_->connect(port);
  client->finish();
  ASSERT_TRUE(eventually([&] { return half_open != nullptr; }));
  on([&](Reactor&) { half_open->send(Frame::copy("still here")); });
  EXPECT_EQ(client->receive(10), "still here");
  on([&](Reactor&) { half_open->close_after_flush(); });
  EXPECT_EQ(client->receive_to_end(), "");
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kPeerClosed));
}

TEST_P(TransportContract, TellsOfAReset) {
  const std::uint16_t port = listen({.bytes = echo});
  const auto client = world_->connect(port);
  client->send("hello");
  EXPECT_EQ(client->receive(5), "hello");
  client->reset();
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kPeerReset));
}

TEST_P(TransportContract, SurvivesWritingToAPeerThatIsGone) {
  Connection* stream = nullptr;
  const std::uint16_t port = listen({.accepted = [&](Connection& connection) { stream = &connection; },
                                     .finished = [](Connection&) {},
                                     .closed = [&](Connection&, CloseCause) { stream = nullptr; }});
  const auto client = world_->connect(port);
  ASSERT_TRUE(eventually([&] { return stream != nullptr; }));
  client->reset();
  EXPECT_TRUE(eventually([&] {
    if (stream != nullptr) stream->send(Frame::copy("anybody there?"));
    return stream == nullptr;
  }));
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kPeerReset));
}

TEST_P(TransportContract, ClosesAPeerThatIsTooSlow) {
  make_world({.slow_peer_ms = 200});
  if (world_ == nullptr) return;
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) { flood(connection); }});
  const auto healthy = world_->connect(listen({.bytes = echo}));
  const auto slow = world_->connect(port);
  slow->send("go");
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kSlow));
  EXPECT_EQ(statistics().closed_slow, 1u);
  healthy->send("still here");
  EXPECT_EQ(healthy->receive(10), "still here");
}

TEST_P(TransportContract, ClosesAPeerThatIsTooSlowForAnOrderlyClose) {
  make_world({.slow_peer_ms = 200});
  if (world_ == nullptr) return;
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    flood(connection);
    connection.close_after_flush();
  }});
  const auto slow = world_->connect(port);
  slow->send("go");
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kSlow));
}

TEST_P(TransportContract, RefusesWhatTheAcceptorRefuses) {
  std::uint16_t port = 0;
  on([&](Reactor& net) { port = *net.listen({}, [](Connection&) { return nullptr; }); });
  EXPECT_EQ(world_->connect(port)->receive_to_end(), "");
  EXPECT_TRUE(eventually([&] { return true; }));
  EXPECT_EQ(statistics().refused, 1u);
  EXPECT_EQ(statistics().connections, 0u);
}

TEST_P(TransportContract, RefusesConnectionsBeyondTheBound) {
  const std::uint16_t port = listen({.bytes = echo}, 0, 2);
  const auto first = world_->connect(port);
  const auto second = world_->connect(port);
  const auto third = world_->connect(port);
  EXPECT_EQ(third->receive_to_end(), "");
  EXPECT_EQ(statistics().refused, 1u);
  second->send("here");
  EXPECT_EQ(second->receive(4), "here");
}

TEST_P(TransportContract, ClosesEverythingWhenItStops) {
  const std::uint16_t port = listen({.bytes = echo});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(world_->connect(port));
    clients.back()->send("hello");
    EXPECT_EQ(clients.back()->receive(5), "hello");
  }
  world_->stop(0);
  EXPECT_EQ(causes_, std::vector<CloseCause>(10, CloseCause::kShutdown));
  for (const auto& client : clients) EXPECT_EQ(client->receive_to_end(), "");
}

// ---- Handlers that do the unexpected

class Successor final : public StreamHandler {
 public:
  explicit Successor(bool& alive) : alive_(alive) { alive_ = true; }
  ~Successor() override { alive_ = false; }
  void on_bytes(Connection& connection, std::span<char> bytes) override {
    connection.send(Frame::copy("successor:" + std::string(bytes.data(), bytes.size())));
  }
  void on_closed(Connection&, CloseCause) override {}

 private:
  bool& alive_;
};

TEST_P(TransportContract, LetsAHandlerReplaceItselfInsideOnBytes) {
  bool successor_alive = false;
  auto token = std::make_shared<int>(7);
  const std::weak_ptr<int> predecessor = token;
  Script script;
  script.bytes = [&, token](Connection& connection, std::string_view bytes) {
    connection.set_handler(std::make_unique<Successor>(successor_alive));
    EXPECT_EQ(*token, 7);  // the old handler lives on
    echo(connection, bytes);
  };
  const std::uint16_t port = listen(std::move(script));
  token.reset();
  const auto client = world_->connect(port);
  client->send("one");
  EXPECT_EQ(client->receive(3), "one");
  client->send("two");
  EXPECT_EQ(client->receive(13), "successor:two");
  client->finish();
  EXPECT_EQ(client->receive_to_end(), "");
  EXPECT_TRUE(eventually([&] { return !successor_alive; }));
  EXPECT_THAT(causes(0), ElementsAre());  // nobody told the old one
}

// Runs a conversation in which `act` happens inside one callback after the other.
void act_in_every_callback(World& world, const std::function<std::uint16_t(Script)>& listening,
                           const std::function<void(Connection&)>& act, const std::function<bool(std::size_t)>& closed) {
  const auto go = [](Connection& connection, std::string_view) { flood(connection); };
  const auto on_connection = [&](auto call) { return [call](Connection& connection, auto&&...) { call(connection); }; };
  const std::uint16_t ports[] = {
      listening({.accepted = act}),
      listening({.bytes = on_connection(act)}),
      listening({.bytes = go, .drained = act}),
      listening({.finished = act}),
      listening({.bytes = on_connection([](Connection& connection) { connection.abort(); }), .closed = on_connection(act)}),
  };
  std::size_t done = 0;
  for (const std::uint16_t port : ports) {
    const auto client = world.connect(port);
    client->send("go");
    if (port == ports[2]) client->receive(kFlood);
    client->finish();
    client->receive_to_end();
    EXPECT_TRUE(closed(++done));
  }
}

TEST_P(TransportContract, MayBeAbortedInsideEveryCallback) {
  act_in_every_callback(
      *world_, [&](Script script) { return listen(std::move(script)); }, [](Connection& connection) { connection.abort(); },
      [&](std::size_t count) { return causes(count).size() == count; });
}

TEST_P(TransportContract, MayBeClosedInsideEveryCallback) {
  act_in_every_callback(
      *world_, [&](Script script) { return listen(std::move(script)); },
      [](Connection& connection) { connection.close_after_flush(); }, [&](std::size_t count) { return causes(count).size() == count; });
}

TEST_P(TransportContract, LetsOneStreamEndAllOthersAtOnce) {
  std::vector<Connection*> members;
  const std::uint16_t port = listen({.accepted = [&](Connection& connection) { members.push_back(&connection); },
                                     .bytes =
                                         [&](Connection&, std::string_view) {
                                           for (Connection* member : members) {
                                             member->send(Frame::copy("bye"));
                                             member->abort();
                                           }
                                         },
                                     .closed =
                                         [&](Connection& connection, CloseCause) {
                                           std::erase(members, &connection);
                                           for (Connection* member : members) member->send(Frame::copy("one less"));
                                         }});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(world_->connect(port));
  ASSERT_TRUE(eventually([&] { return members.size() == 50; }));
  for (const auto& client : clients) client->send("all of you");
  EXPECT_EQ(causes(50).size(), 50u);
}

TEST_P(TransportContract, LetsTheEndOfOneStreamEndTheNext) {
  std::vector<Connection*> members;
  const std::uint16_t port = listen({.accepted = [&](Connection& connection) { members.push_back(&connection); },
                                     .closed =
                                         [&](Connection& connection, CloseCause) {
                                           std::erase(members, &connection);
                                           if (members.empty()) return;
                                           members.front()->send(Frame::copy("you too"));
                                           members.front()->abort();
                                         }});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(world_->connect(port));
  ASSERT_TRUE(eventually([&] { return members.size() == 50; }));
  clients.front()->finish();
  EXPECT_EQ(causes(50).size(), 50u);
}

TEST_P(TransportContract, SendsWhatOnDrainedSends) {
  int rounds = 0;
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) { flood(connection); },
                                     .drained =
                                         [&](Connection& connection) {
                                           connection.send(Frame::copy("more"));
                                           ++rounds;
                                         }});
  const auto client = world_->connect(port);
  client->send("go");
  world_->pass(50);
  EXPECT_TRUE(client->receive(kFlood + 4) == pattern(kFlood) + "more");
  on([&](Reactor&) { EXPECT_EQ(rounds, 1); });
}

// ---- Pausing

TEST_P(TransportContract, DeliversNothingWhilePausedAndEverythingAfter) {
  std::string received;
  Connection* stream = nullptr;
  const std::uint16_t port = listen({.accepted =
                                         [&](Connection& connection) {
                                           stream = &connection;
                                           connection.pause_reading();
                                         },
                                     .bytes = [&](Connection&, std::string_view bytes) { received += bytes; }});
  const auto client = world_->connect(port);
  client->send("one,");
  world_->pass(30);
  client->send("two,");
  world_->pass(30);
  on([&](Reactor&) {
    EXPECT_EQ(received, "");
    EXPECT_TRUE(stream->reading_paused());
    stream->resume_reading();
  });
  EXPECT_TRUE(eventually([&] { return received == "one,two,"; }));
  client->send("three");
  EXPECT_TRUE(eventually([&] { return received == "one,two,three"; }));
}

TEST_P(TransportContract, TellsOfAFinWhilePausedWhenNothingIsUnread) {
  bool finished = false;
  const std::uint16_t port = listen({.accepted = [](Connection& connection) { connection.pause_reading(); },
                                     .finished = [&](Connection&) { finished = true; }});
  world_->connect(port)->finish();
  EXPECT_TRUE(eventually([&] { return finished; }));
}

TEST_P(TransportContract, KeepsTheOrderOfBytesAndFinWhilePaused) {
  std::string story;
  Connection* stream = nullptr;
  const std::uint16_t port = listen({.accepted =
                                         [&](Connection& connection) {
                                           stream = &connection;
                                           connection.pause_reading();
                                         },
                                     .bytes = [&](Connection&, std::string_view bytes) { story += bytes; },
                                     .finished = [&](Connection&) { story += "|fin"; }});
  const auto client = world_->connect(port);
  client->send("bytes");
  client->finish();
  world_->pass(50);
  on([&](Reactor&) {
    EXPECT_EQ(story, "");
    stream->resume_reading();
  });
  EXPECT_TRUE(eventually([&] { return story == "bytes|fin"; }));
}

TEST_P(TransportContract, TellsOfAResetWhilePaused) {
  const std::uint16_t port = listen({.accepted = [](Connection& connection) { connection.pause_reading(); }});
  const auto client = world_->connect(port);
  client->send("unread");
  ASSERT_TRUE(eventually([&] { return true; }));
  world_->pass(30);
  client->reset();
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kPeerReset));
}

TEST_P(TransportContract, MayPauseAndCloseAtOnce) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view) {
    connection.pause_reading();
    connection.send(Frame::copy("bye"));
    connection.close_after_flush();
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive_to_end(), "bye");
  client->finish();
  EXPECT_THAT(causes(1), ElementsAre(CloseCause::kLocal));
}

TEST_P(TransportContract, IsFairToASmallTalkerBesideALoudOne) {
  std::size_t loud_bytes = 0;
  const std::uint16_t loud_port = listen({.bytes = [&](Connection&, std::string_view bytes) { loud_bytes += bytes.size(); }});
  const std::uint16_t port = listen({.bytes = echo});
  const auto loud = world_->connect(loud_port);
  const auto small = world_->connect(port);
  loud->send(pattern(2 * kMegabyte));
  small->send("may I?");
  EXPECT_EQ(small->receive(6), "may I?");
  EXPECT_TRUE(eventually([&] { return loud_bytes == 2 * kMegabyte; }));
}

// ---- Time and threads

class RecordingTimer final : public base::Timer {
 public:
  RecordingTimer(std::vector<int>& fired, int name) : fired_(fired), name_(name) {}
  void arm(Reactor& net, base::Milliseconds due) {
    due_ = due;
    net.timers().arm(*this, due);
  }

 private:
  void expired(base::Milliseconds now) override {
    EXPECT_GE(now, due_) << name_;
    fired_.push_back(name_);
  }
  std::vector<int>& fired_;
  const int name_;
  base::Milliseconds due_ = 0;
};

TEST_P(TransportContract, FiresTimersInOrderAndNeverEarly) {
  std::vector<int> fired;
  RecordingTimer late(fired, 3);
  RecordingTimer early(fired, 1);
  RecordingTimer middle(fired, 2);
  RecordingTimer cancelled(fired, 4);
  base::Milliseconds begin = 0;
  on([&](Reactor& net) {
    begin = net.now();
    late.arm(net, begin + 120);
    early.arm(net, begin + 20);
    middle.arm(net, begin + 70);
    cancelled.arm(net, begin + 50);
    cancelled.cancel();
  });
  EXPECT_TRUE(eventually([&] { return fired.size() == 3; }));
  on([&](Reactor& net) {
    EXPECT_THAT(fired, ElementsAre(1, 2, 3));
    EXPECT_GE(net.now() - begin, 120);
  });
}

TEST_P(TransportContract, RunsDeferredCallsLaterInTheTurn) {
  std::string story;
  const std::uint16_t port = listen({.bytes = [&](Connection& connection, std::string_view) {
    connection.reactor().defer([&] {
      story += "deferred,";
      connection.send(Frame::copy("done"));
      connection.reactor().defer([&] { story += "deferred again"; });
    });
    story += "handled,";
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive(4), "done");
  EXPECT_TRUE(eventually([&] { return story == "handled,deferred,deferred again"; }));
}

TEST_P(TransportContract, RunsTasksOfOtherThreadsInTheOrderOfEach) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  Reactor* reactor = nullptr;
  on([&](Reactor& net) { reactor = &net; });
  std::vector<std::vector<int>> seen(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kTasks; ++i) {
        Task task([&seen, thread, i] { seen[thread].push_back(i); });
        EXPECT_EQ(reactor->post(task), PostResult::kPosted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(eventually([&] {
    return std::all_of(seen.begin(), seen.end(), [](const auto& each) { return each.size() == kTasks; });
  }));
  for (const auto& each : seen) EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
}

TEST_P(TransportContract, TakesNoTasksAfterItsStop) {
  Reactor* reactor = nullptr;
  on([&](Reactor& net) { reactor = &net; });
  world_->stop(0);
  Task task([] {});
  EXPECT_EQ(reactor->post(task), PostResult::kGone);
  EXPECT_EQ(reactor->post(task, true), PostResult::kGone);
  EXPECT_TRUE(task);  // untouched
}

TEST_P(TransportContract, LetsTasksDieUnrunAtItsEnd) {
  struct AtDeath {
    explicit AtDeath(std::function<void()> last_act) : act(std::move(last_act)) {}
    ~AtDeath() { act(); }
    std::function<void()> act;
  };
  bool ran = false;
  int died = 0;
  on([&](Reactor& net) {
    auto mourned = std::make_shared<AtDeath>([&] {
      ++died;
      net.defer([] {});
      Task more([] {});
      EXPECT_EQ(net.post(more), PostResult::kGone);
    });
    net.stop();
    Task task([&ran, mourned = std::move(mourned)] { ran = true; });
    EXPECT_EQ(net.post(task), PostResult::kPosted);
  });
  world_->stop(0);
  EXPECT_FALSE(ran);
  EXPECT_EQ(died, 1);
}

// ---- Hand-over

TEST_P(TransportContract, HandsAConnectionOverWithItsUnreadBytes) {
  make_world({.reactors = 2});
  if (world_ == nullptr) return;
  Reactor* second = nullptr;
  on([&](Reactor& net) { second = &net; }, 1);
  std::string story;  // second reactor
  Acceptor adopter = acceptor_of({.bytes =
                                      [&](Connection& connection, std::string_view bytes) {
                                        EXPECT_EQ(&connection.reactor(), second);
                                        story += bytes;
                                        echo(connection, bytes);
                                      },
                                  .closed = [&](Connection&, CloseCause) { story += "|closed"; }});
  Address peer;
  const std::uint16_t port = listen({.bytes = [&](Connection& connection, std::string_view bytes) {
    peer = connection.peer();
    auto detached = std::make_shared<DetachedConnection>(connection.reactor().detach(connection, "kept:" + std::string(bytes)));
    Task task([&adopter, second, detached] { second->adopt(std::move(*detached), adopter); });
    EXPECT_EQ(second->post(task), PostResult::kPosted);
  }});
  const auto client = world_->connect(port);
  client->send("first,");
  EXPECT_EQ(client->receive(11), "kept:first,");
  client->send("second");
  EXPECT_EQ(client->receive(6), "second");
  EXPECT_EQ(statistics().connections, 0u);
  on([&](Reactor& net) { EXPECT_EQ(net.statistics().connections, 1u); }, 1);
  client->finish();
  EXPECT_EQ(client->receive_to_end(), "");
  EXPECT_TRUE(eventually([&] { return story == "kept:first,second|closed"; }, 1));
  EXPECT_THAT(causes(0), ElementsAre());  // the first handler heard nothing
  world_.reset();
}

TEST_P(TransportContract, HandsOverAgainAndAgainWithoutLosingAByte) {
  make_world({.reactors = 2});
  if (world_ == nullptr) return;
  Reactor* reactors[2] = {};
  for (std::size_t i = 0; i < 2; ++i) on([&](Reactor& net) { reactors[i] = &net; }, i);
  // Every handler uses half of what it gets and gives the stream, with the other half, to the other reactor.
  Acceptor acceptor;
  const auto pass_on = [&](Connection& connection, std::string_view bytes) {
    const std::size_t used = (bytes.size() + 1) / 2;
    Reactor* other = reactors[&connection.reactor() == reactors[0] ? 1 : 0];
    const Frame answer = Frame::copy(bytes.substr(0, used));
    auto detached =
        std::make_shared<DetachedConnection>(connection.reactor().detach(connection, std::string(bytes.substr(used))));
    Task task([&acceptor, other, detached, answer = (answer.share(), answer)] {
      Acceptor adopter = [&](Connection& adopted) {
        adopted.send(answer);
        adopted.pause_reading();
        Connection* stream = &adopted;
        // Only when the answer has left may it move on.
        other->defer([stream, other] { other->defer([stream] { stream->resume_reading(); }); });
        return acceptor(adopted);
      };
      other->adopt(std::move(*detached), adopter);
    });
    EXPECT_EQ(other->post(task), PostResult::kPosted);
  };
  acceptor = acceptor_of({.bytes = pass_on});
  const std::uint16_t port = listen({.bytes = pass_on});
  const auto client = world_->connect(port);
  const std::string sent = pattern(2000);
  for (std::size_t at = 0; at < sent.size(); at += 100) client->send(std::string_view(sent).substr(at, 100));
  EXPECT_TRUE(client->receive(sent.size()) == sent);
  world_.reset();
}

TEST_P(TransportContract, EndsAConnectionThatNobodyAdopts) {
  const std::uint16_t port = listen({.bytes = [](Connection& connection, std::string_view bytes) {
    connection.reactor().detach(connection, std::string(bytes));
  }});
  const auto client = world_->connect(port);
  client->send("go");
  EXPECT_EQ(client->receive_to_end(), "");
}

TEST_P(TransportContract, StopsListeningAndKeepsItsConnections) {
  const std::uint16_t port = listen({.bytes = echo});
  const auto client = world_->connect(port);
  client->send("one");
  EXPECT_EQ(client->receive(3), "one");
  on([](Reactor& net) { net.stop_listening(); });
  EXPECT_EQ(world_->connect(port), nullptr);
  client->send("two");
  EXPECT_EQ(client->receive(3), "two");
}

}  // namespace
}  // namespace tidewire::net
