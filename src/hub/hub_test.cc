// Admission, dispatch, acknowledgements and the end of a member, with everything that may happen in the middle of them.
#include "hub/hub.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include "hub/test_hub.h"

namespace tidewire::hub {
namespace {

using test::TestNode;
using test::TestSink;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ArgumentsView json(std::string_view text, std::size_t count = 1) { return {text, count}; }

// ---- admission

TEST(Admission, GoesThroughTheChainInOrder) {
  TestNode node;
  std::vector<int> order;
  const auto definition = node.of("/");
  for (int i : {1, 2, 3})
    definition->middlewares.add(
        [&order, i](Member&, Next next) {
          order.push_back(i);
          next(nullptr);
        },
        1);
  definition->connection.add(
      [&](Member& member) {
        EXPECT_TRUE(member.connected());
        order.push_back(4);
      },
      1);
  TestSink& sink = node.connect();
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(sink.outcome, ElementsAre("admitted", "settled"));
  EXPECT_EQ(node.space().find(sink.member->id_text()), sink.member.get());
}

TEST(Admission, MayBeRefusedAnywhereInTheChain) {
  TestNode node;
  node.of("/")->middlewares.add(
      [](Member& member, Next next) {
        EXPECT_TRUE(member.home().join(member, "r").ok());
        next(nullptr);
      },
      1);
  node.of("/")->middlewares.add(
      [](Member&, Next next) {
        const Refusal refusal{"no", "[1]"};
        next(&refusal);
      },
      2);
  TestSink& sink = node.connect();
  EXPECT_THAT(sink.outcome, ElementsAre("refused:no:[1]"));
  EXPECT_TRUE(node.space().empty());
  EXPECT_EQ(node.space().room_count(), 0u);
}

TEST(Admission, OfAnUnknownNamespaceIsRefused) {
  TestNode node;
  EXPECT_THAT(node.connect(0, "/x").outcome, ElementsAre("refused:Invalid namespace:"));
}

TEST(Admission, WaitsForALateAnswerAndTakesOnlyTheFirst) {
  TestNode node;
  Next go;
  node.of("/")->middlewares.add([&](Member&, Next next) { go = std::move(next); }, 1);
  TestSink& sink = node.connect();
  EXPECT_THAT(sink.outcome, IsEmpty());
  go(nullptr);
  go(nullptr);
  const Refusal refusal{"late", {}};
  go(&refusal);
  EXPECT_THAT(sink.outcome, ElementsAre("admitted", "settled"));
  EXPECT_EQ(node.space().members().size(), 1u);
}

TEST(Admission, OfAPeerThatLeftMeanwhileIsForgotten) {
  TestNode node;
  Next go;
  MemberRef entering;
  node.of("/")->middlewares.add(
      [&](Member& member, Next next) {
        EXPECT_TRUE(member.home().join(member, "r").ok());
        entering = MemberRef(member);
        go = std::move(next);
      },
      1);
  TestSink& sink = node.connect();
  EXPECT_FALSE(node.space().empty());
  sink.drop();
  EXPECT_EQ(entering->sink(), nullptr) << "the middleware may still look";
  EXPECT_EQ(node.space().room_count(), 0u);
  EXPECT_TRUE(node.space().empty());
  EXPECT_FALSE(node.space().join(*entering, "r").ok());
  go(nullptr);
  EXPECT_THAT(sink.outcome, IsEmpty());
}

TEST(Admission, WhoseAnswerIsDroppedLeavesNothingBehind) {
  TestNode node;
  node.of("/")->middlewares.add([](Member& member, Next) { EXPECT_TRUE(member.home().join(member, "r").ok()); }, 1);
  TestSink& sink = node.connect();
  EXPECT_THAT(sink.outcome, IsEmpty());
  node.space().deliver({.rooms = {"r"}}, TestNode::event("e"));
  EXPECT_THAT(sink.take(), IsEmpty());
  sink.drop();
  EXPECT_TRUE(node.space().empty());
}

TEST(Admission, EndsTheConnectionWhenMiddlewareThrows) {
  TestNode node;
  node.of("/")->middlewares.add([](Member&, Next) { throw std::runtime_error("oops"); }, 1);
  TestSink& sink = node.connect();
  EXPECT_EQ(node.hub().statistics().listener_failures, 1u);
  EXPECT_EQ(sink.admission, nullptr);
  EXPECT_TRUE(node.space().empty());
}

TEST(Admission, KeepsThePayload) {
  TestNode node;
  std::string auth;
  node.of("/")->connection.add([&](Member& member) { auth = *member.extras().auth; }, 1);
  node.connect(0, "/", R"({"token":1})");
  EXPECT_EQ(auth, R"({"token":1})");
}

// ---- dynamic namespaces

NamespacePredicate begins_with(std::string prefix) {
  return
      [prefix](std::string_view name, std::string_view, NamespaceAnswer answer) { answer(name.starts_with(prefix)); };
}

TEST(DynamicNamespace, IsMadeByTheFirstParentThatMatches) {
  TestNode node;
  std::vector<std::string> calls;
  node.registry.add_parent(begins_with("/no"));
  const auto parent = node.registry.add_parent(begins_with("/room-"));
  parent->middlewares.add(
      [&](Member&, Next next) {
        calls.emplace_back("middleware");
        next(nullptr);
      },
      1);
  parent->connection.add([&](Member& member) { calls.push_back(member.home().name()); }, 1);
  parent->handlers.listeners("e").add([&](InboundEvent&) { calls.emplace_back("e"); }, 1);
  TestSink& sink = node.connect(0, "/room-1");
  node.hub().dispatch(*sink.member, "e", {}, nullptr);
  EXPECT_THAT(calls, ElementsAre("middleware", "/room-1", "e"));
  EXPECT_THAT(node.connect(0, "/other").outcome, ElementsAre("refused:Invalid namespace:"));
}

TEST(DynamicNamespace, IsOneForRacingJoins) {
  TestNode node(2);
  std::vector<NamespaceAnswer> answers;
  int created = 0;
  node.registry.add_parent(
      [&](std::string_view, std::string_view, NamespaceAnswer answer) { answers.push_back(std::move(answer)); });
  node.registry.namespace_created = [&](const auto&) { ++created; };
  TestSink& one = node.connect(0, "/d");
  TestSink& two = node.connect(0, "/d");
  TestSink& three = node.connect(1, "/d");
  for (auto& answer : answers) answer(true);
  for (auto& answer : answers) answer(true);
  for (TestSink* sink : {&one, &two, &three}) EXPECT_THAT(sink->outcome, ElementsAre("admitted", "settled"));
  EXPECT_EQ(created, 1);
  EXPECT_EQ(node.space(0, "/d").members().size(), 2u);
  EXPECT_EQ(&node.space(0, "/d").definition(), &node.space(1, "/d").definition());
}

TEST(DynamicNamespace, IsPublishedWhenItsListenerHasReturned) {
  TestNode node(2);
  node.registry.add_parent(begins_with("/d"));
  std::vector<std::string> calls;
  TestSink* second = nullptr;
  node.registry.namespace_created = [&](const std::shared_ptr<NamespaceDefinition>& made) {
    EXPECT_EQ(node.registry.find("/d"), nullptr);
    EXPECT_EQ(node.registry.of("/d"), made) << "the listener itself may ask for it";
    second = &node.connect(1, "/d");
    EXPECT_THAT(second->outcome, IsEmpty()) << "waits, and does not hold the shard";
    made->connection.add([&](Member&) { calls.emplace_back("hello"); }, 1);
  };
  TestSink& first = node.connect(0, "/d");
  EXPECT_THAT(first.outcome, ElementsAre("admitted", "settled"));
  node.run();
  EXPECT_THAT(second->outcome, ElementsAre("admitted", "settled"));
  EXPECT_THAT(calls, ElementsAre("hello", "hello"));
}

TEST(DynamicNamespace, WhoLeavesWhileItIsMadeDoesNotEnter) {
  TestNode node(2);
  node.registry.add_parent(begins_with("/d"));
  TestSink* second = nullptr;
  node.registry.namespace_created = [&](const auto&) { second = &node.connect(1, "/d"); };
  node.connect(0, "/d");
  second->drop();
  node.run();
  EXPECT_THAT(second->outcome, IsEmpty());
  EXPECT_EQ(node.hub(1).find({{}, "/d"}), nullptr);
}

TEST(DynamicNamespace, HasTheHandlersOfItsListenerOnEveryThread) {
  constexpr int kNames = 200;
  NamespaceRegistry registry;
  registry.add_parent([](std::string_view, std::string_view, NamespaceAnswer answer) { answer(true); });
  registry.freeze();
  std::atomic<int> made{0};
  std::atomic<int> wrong{0};
  std::atomic<int> seen{0};
  registry.namespace_created = [&](const std::shared_ptr<NamespaceDefinition>& definition) {
    ++made;
    for (ListenerId id = 1; id <= 3; ++id) definition->connection.add([](Member&) {}, id);
  };
  const auto look = [&](const std::shared_ptr<NamespaceDefinition>& definition) {
    int handlers = 0;
    definition->connection.each([&](MemberHandler&) { ++handlers; });
    if (handlers != 3) ++wrong;
    ++seen;
  };
  const NamespaceParent& parent = *registry.parents().front();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kNames; ++n) {
        const auto child = registry.child("/" + std::to_string(n), parent, look);
        if (*child != nullptr) look(*child);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, kNames);
  EXPECT_EQ(seen, 4 * kNames);
  EXPECT_EQ(wrong, 0);
}

TEST(DynamicNamespace, IsDroppedWhenEmptyIfWanted) {
  TestNode node(1, {.cleanup_empty_child_namespaces = true});
  node.of("/static");
  node.registry.add_parent(begins_with("/d"));
  TestSink& sink = node.connect(0, "/d");
  TestSink& fixed = node.connect(0, "/static");
  const MemberRef handle = sink.member;
  sink.drop();
  fixed.drop();
  EXPECT_EQ(node.hub().find({{}, "/d"}), nullptr);
  EXPECT_EQ(node.registry.find("/d"), nullptr);
  EXPECT_NE(node.hub().find({{}, "/static"}), nullptr);
  node.run();
  EXPECT_EQ(handle->home().name(), "/d") << "a handle may outlive its namespace";
  EXPECT_THAT(node.connect(0, "/d").outcome, ElementsAre("admitted", "settled"));
}

TEST(DynamicNamespace, OutlivesADisconnectInsideItsConnectionListener) {
  TestNode node(1, {.cleanup_empty_child_namespaces = true});
  const auto parent = node.registry.add_parent(begins_with("/d"));
  parent->connection.add([](Member& member) { member.sink()->disconnect(member, {}); }, 1);
  EXPECT_THAT(node.connect(0, "/d").outcome, ElementsAre("admitted"));
  node.run();
  EXPECT_EQ(node.hub().find({{}, "/d"}), nullptr);
}

TEST(DynamicNamespace, MadeForSomebodyWhoLeftMeanwhileIsDropped) {
  TestNode node(1, {.cleanup_empty_child_namespaces = true});
  node.registry.add_parent(begins_with("/d"));
  auto sink = std::make_unique<TestSink>(node.hub());
  sink->admission = std::make_shared<test::TestAdmission>(*sink);
  node.registry.namespace_created = [&](const auto&) { sink->drop(); };
  node.hub().admit("/d", *sink, node.dialect, {}, sink->admission);
  EXPECT_THAT(sink->outcome, IsEmpty());
  EXPECT_EQ(node.hub().find({{}, "/d"}), nullptr);
  EXPECT_EQ(node.registry.find("/d"), nullptr);
}

TEST(DynamicNamespace, IsOneTooMany) {
  TestNode node(2);
  node.registry.set_dynamic_max(2);
  node.registry.add_parent(begins_with("/d"));
  node.of("/static");
  for (const char* name : {"/d1", "/d2", "/d1", "/static"}) {
    EXPECT_THAT(node.connect(0, name).outcome, ElementsAre("admitted", "settled"));
  }
  const std::string refused = "refused:Too many namespaces:{\"code\":\"too_many_namespaces\"}";
  EXPECT_THAT(node.connect(0, "/d3").outcome, ElementsAre(refused));
  EXPECT_THAT(node.connect(1, "/d3").outcome, ElementsAre(refused));
  EXPECT_THAT(node.connect(1, "/d2").outcome, ElementsAre("admitted", "settled")) << "it exists";
  EXPECT_EQ(node.hub(0).statistics().refused_namespaces, 1u);
  EXPECT_EQ(node.hub(1).statistics().refused_namespaces, 1u);
  EXPECT_EQ(node.of("/d4")->name(), "/d4") << "the application knows what it does";
}

TEST(DynamicNamespace, MakesRoomForAnotherWhenDropped) {
  TestNode node(2, {.cleanup_empty_child_namespaces = true});
  node.registry.set_dynamic_max(1);
  node.registry.add_parent(begins_with("/d"));
  for (int i = 0; i < 100; ++i) {
    const std::string name = "/d" + std::to_string(i);
    TestSink& one = node.connect(0, name);
    TestSink& two = node.connect(1, name);
    EXPECT_THAT(one.outcome, ElementsAre("admitted", "settled"));
    EXPECT_THAT(two.outcome, ElementsAre("admitted", "settled"));
    EXPECT_EQ(node.connect(0, "/d").outcome.size(), 1u) << "refused";
    one.drop();
    EXPECT_NE(node.registry.find(name), nullptr) << "somebody is in it on the other shard";
    two.drop();
    EXPECT_EQ(node.registry.find(name), nullptr);
  }
  EXPECT_EQ(node.hub().namespaces().size(), 0u);
}

TEST(DynamicNamespace, ReleasedWhileAnotherShardComesInIsOneAllTheSame) {
  TestNode node(2, {.cleanup_empty_child_namespaces = true});
  const auto parent = node.registry.add_parent(begins_with("/d"));
  TestSink& first = node.connect(0, "/d");
  // Another shard has found it, and is about to make its part of it.
  const auto found = node.registry.find("/d");
  first.drop();
  EXPECT_EQ(node.registry.find("/d"), nullptr);
  EXPECT_EQ(node.registry.hold(found), found);
  EXPECT_EQ(node.registry.children_of(*parent).size(), 1u) << "known again";
  TestSink& second = node.connect(0, "/d");
  EXPECT_EQ(node.space(0, "/d").shared_definition(), found);
  second.drop();
  EXPECT_EQ(node.registry.find("/d"), found);
  node.registry.release(*found);
  EXPECT_EQ(node.registry.find("/d"), nullptr);
}

TEST(DynamicNamespace, MadeAnewWhileAShardBringsTheOldOneBackIsTheOldOne) {
  NamespaceRegistry registry;
  registry.set_dynamic_max(1);
  registry.add_parent(begins_with("/"));
  const NamespaceParent& parent = *registry.parents().front();
  const auto ignore = [](const auto&) {};
  const auto old = registry.child("/d", parent, ignore).value();
  registry.hold(old);
  registry.release(*old);
  registry.namespace_created = [&](const auto& made) {
    EXPECT_NE(made, old);
    EXPECT_EQ(registry.hold(old), old);
  };
  EXPECT_EQ(registry.child("/d", parent, ignore).value(), old);
  registry.namespace_created = {};
  registry.release(*old);
  EXPECT_EQ(registry.find("/d"), nullptr);
  EXPECT_TRUE(registry.child("/e", parent, ignore).ok()) << "counted once";
  EXPECT_EQ(registry.child("/f", parent, ignore).status().code(), StatusCode::kResourceExhausted);
}

TEST(TenantsCopy, IsDroppedWhenEmptyIfWanted) {
  TestNode node(1, {.cleanup_empty_child_namespaces = true}, [](const Credentials&, const auto& answer) {
    Identity identity;
    identity.user_id = "u";
    identity.tenant = "acme";
    answer({.identity = std::make_shared<const Identity>(identity)});
  });
  node.of("/chat");
  TestSink& sink = node.connect(0, "/chat");
  EXPECT_NE(node.hub().find({"acme", "/chat"}), nullptr);
  sink.drop();
  EXPECT_EQ(node.hub().find({"acme", "/chat"}), nullptr);
  EXPECT_NE(node.registry.find("/chat"), nullptr) << "declared once and for all";
}

TEST(DynamicNamespace, DoesNotExistWhenItsPredicateThrows) {
  TestNode node;
  node.registry.add_parent(
      [](std::string_view, std::string_view, NamespaceAnswer) { throw std::runtime_error("oops"); });
  EXPECT_THAT(node.connect(0, "/d").outcome, ElementsAre("refused:Invalid namespace:"));
}

// ---- events

class Events : public ::testing::Test {
 protected:
  Events() : sink(node.connect(0, (node.of("/"), "/"))) {}
  HandlerSet& handlers() { return node.of("/")->handlers; }
  HandlerSet& own() { return sink.member->extras().handlers(); }
  Member& member() { return *sink.member; }
  void dispatch(std::string_view name, const ArgumentsView& arguments = {}, const AckKey* key = nullptr) {
    const MemberRef keep = sink.member;
    node.hub().dispatch(*keep, name, arguments, key);
  }
  std::vector<std::string> calls;
  TestNode node;
  TestSink& sink;
};

TEST_F(Events, ReachCatchAllsThenListenersByName) {
  own().any.add([&](InboundEvent& event) { calls.push_back("any " + std::string(event.name())); }, 1);
  own().listeners("e").add([&](InboundEvent&) { calls.emplace_back("own"); }, 2);
  own().listeners("e").add([&](InboundEvent&) { calls.emplace_back("first"); }, 3, true);
  handlers().listeners("e").add([&](InboundEvent&) { calls.emplace_back("space"); }, 1);
  dispatch("e");
  EXPECT_THAT(calls, ElementsAre("any e", "first", "own", "space"));
  dispatch("unknown");
  EXPECT_EQ(node.hub().statistics().unheard, 0u) << "a catch-all hears everything";
}

TEST_F(Events, AreAcknowledgedOnce) {
  handlers().listeners("e").add(
      [](InboundEvent& event) {
        EXPECT_TRUE(event.wants_ack());
        event.acknowledge(event.arguments());
        event.acknowledge(event.arguments());
        EXPECT_FALSE(event.take_reply().due());
      },
      1);
  const AckKey key{7, {}};
  dispatch("e", json("1"), &key);
  EXPECT_THAT(sink.take(), ElementsAre("ack:7[1]"));
}

TEST_F(Events, MayBeAnsweredLaterOrToNobody) {
  std::vector<Reply> replies;
  handlers().listeners("e").add([&](InboundEvent& event) { replies.push_back(event.take_reply()); }, 1);
  const AckKey key{1, {}};
  dispatch("e", {}, &key);
  dispatch("e", {}, &key);
  replies[0].send(json("1"));
  replies[0].send(json("2"));
  sink.drop();
  replies[1].send(json("3"));
  EXPECT_THAT(sink.take(), ElementsAre("ack:1[1]"));
}

TEST_F(Events, MayAddAndRemoveListenersWhileTheyRun) {
  auto& list = own().listeners("e");
  list.add(
      [&](InboundEvent&) {
        calls.emplace_back("1");
        list.remove(2);
        list.remove(1);
        list.add([&](InboundEvent&) { calls.emplace_back("4"); }, 4);
        list.add([&](InboundEvent&) { calls.emplace_back("0"); }, 5, true);
      },
      1);
  list.add([&](InboundEvent&) { calls.emplace_back("2"); }, 2);
  list.add([&](InboundEvent&) { calls.emplace_back("3"); }, 3);
  dispatch("e");
  dispatch("e");
  EXPECT_THAT(calls, ElementsAre("1", "3", "0", "3", "4"));
}

TEST_F(Events, PassMiddlewareThatMayChangeOrDropThem) {
  EventNext later;
  own().event_middlewares.add(
      [](InboundEvent& event, EventNext next) {
        if (event.name() == "bad") {
          const Refusal refusal{"dropped", {}};
          return next(&refusal);
        }
        event.replace("renamed", event.arguments());
        next(nullptr);
      },
      1);
  own().event_middlewares.add([&](InboundEvent&, EventNext next) { later = std::move(next); }, 2);
  own().error.add([&](Member&, const Refusal& refusal) { calls.push_back(refusal.message); }, 1);
  handlers().listeners("renamed").add([&](InboundEvent& event) { calls.emplace_back(event.arguments().text()); }, 1);
  dispatch("bad");
  {
    const std::string gone = "[1]";
    dispatch("e", json(gone));
  }
  later(nullptr);
  EXPECT_THAT(calls, ElementsAre("dropped", "[1]"));
  dispatch("e");
  sink.drop();
  later(nullptr);
  EXPECT_EQ(calls.size(), 2u);
}

TEST_F(Events, ThatThrowEndTheirConnectionOnly) {
  TestSink& healthy = node.connect();
  handlers().listeners("e").add([](InboundEvent&) { throw 5; }, 1);
  dispatch("e");
  EXPECT_FALSE(sink.member->connected());
  EXPECT_TRUE(healthy.member->connected());
  EXPECT_EQ(node.hub().statistics().listener_failures, 1u);
}

TEST_F(Events, MayDisconnectInEveryCallback) {
  const auto disconnect = [](Member& member) {
    if (member.sink() != nullptr) member.sink()->disconnect(member, {.connection = true});
  };
  int left = 0;
  own().any.add([&](InboundEvent& event) { disconnect(event.member()); }, 1);
  own().listeners("e").add([&](InboundEvent& event) { disconnect(event.member()); }, 2);
  handlers().disconnecting.add(
      [&](Member& member, DisconnectReason) {
        ++left;
        disconnect(member);
      },
      1);
  handlers().disconnect.add(
      [&](Member& member, DisconnectReason) {
        ++left;
        disconnect(member);
      },
      1);
  dispatch("e");
  EXPECT_EQ(left, 2);
  EXPECT_EQ(node.hub().statistics().disconnects, 1u);
  EXPECT_EQ(node.hub().statistics().members, 0u);
}

// ---- acknowledgements asked of the peer

class Answers : public Events {
 protected:
  void ask(std::int64_t timeout_ms = 0) {
    node.hub().emit(
        member(), TestNode::event("q"),
        [this](Result<ArgumentsView> answer) {
          calls.emplace_back(answer.ok() ? std::string(answer->text()) : answer.status().message());
        },
        timeout_ms);
  }
};

TEST_F(Answers, ComeOnce) {
  ask();
  EXPECT_THAT(sink.take(), ElementsAre("q[]?0"));
  node.hub().acknowledged(member(), 0, json("1"));
  node.hub().acknowledged(member(), 0, json("2"));
  node.hub().acknowledged(member(), 99, json("3"));
  EXPECT_THAT(calls, ElementsAre("1"));
  EXPECT_EQ(node.hub().statistics().acks_unknown, 2u);
}

TEST_F(Answers, TimeOut) {
  ask(100);
  ask();
  node.advance(150);
  EXPECT_THAT(calls, ElementsAre("operation has timed out"));
  node.advance(node.hub().options().ack_timeout_ms);
  EXPECT_EQ(calls.size(), 2u);
}

TEST_F(Answers, EndWithTheConnection) {
  ask();
  sink.drop();
  ask();
  EXPECT_THAT(calls, ElementsAre("socket has been disconnected", "socket has been disconnected"));
}

TEST_F(Answers, AreBounded) {
  for (std::size_t i = 0; i <= base::limits::kPendingAcksPerMemberMax; ++i) ask();
  EXPECT_EQ(calls.size(), 1u);
}

}  // namespace
}  // namespace tidewire::hub
