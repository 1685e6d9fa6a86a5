// Rooms: membership, fan-out with exclusion, and random operations against a simple model.
#include "hub/namespace.h"

#include <map>
#include <set>

#include "hub/broadcast.h"
#include "hub/test_hub.h"

namespace tidewire::hub {
namespace {

using test::TestNode;
using test::TestSink;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Rooms : public ::testing::Test {
 protected:
  Rooms() { node.of("/"); }
  void join(TestSink& sink, std::string_view room) { EXPECT_TRUE(node.space().join(*sink.member, room).ok()); }
  // Who got the event, as letters of the sinks' order.
  std::string reached(const Selector& selector) {
    for (auto* sink : sinks) sink->take();
    node.space().deliver(selector, TestNode::event("e"));
    std::string who;
    for (std::size_t i = 0; i < sinks.size(); ++i) who.append(sinks[i]->take().size(), static_cast<char>('a' + i));
    return who;
  }
  void connect(std::size_t count) {
    while (count-- > 0) sinks.push_back(&node.connect());
  }
  TestNode node;
  std::vector<TestSink*> sinks;
};

TEST_F(Rooms, ExistWhileSomebodyIsInThem) {
  connect(2);
  join(*sinks[0], "r");
  join(*sinks[0], "r");
  join(*sinks[1], "r");
  EXPECT_EQ(node.space().room("r")->members().size(), 2u);
  node.space().leave(*sinks[0]->member, "r");
  node.space().leave(*sinks[0]->member, "r");
  EXPECT_EQ(node.space().room_count(), 1u);
  sinks[1]->drop();
  EXPECT_EQ(node.space().room_count(), 0u);
  EXPECT_EQ(node.space().room("r"), nullptr);
}

TEST_F(Rooms, OfOneMemberBeginWithItsId) {
  connect(1);
  const std::string id = sinks[0]->member->id_text();
  join(*sinks[0], id);
  join(*sinks[0], "r");
  EXPECT_THAT(node.space().rooms_of(*sinks[0]->member), ElementsAre(id, "r"));
  EXPECT_EQ(node.space().room_count(), 1u) << "an id is a virtual room";
  EXPECT_TRUE(node.space().is_in(*sinks[0]->member, id));
}

TEST_F(Rooms, ReachEachMemberOnce) {
  connect(4);
  for (std::size_t i : {0u, 1u}) join(*sinks[i], "x");
  for (std::size_t i : {1u, 2u}) join(*sinks[i], "y");
  EXPECT_EQ(reached({}), "abcd");
  EXPECT_EQ(reached({.rooms = {"x"}}), "ab");
  EXPECT_EQ(reached({.rooms = {"x", "y", "x", sinks[3]->member->id_text()}}), "abcd");
  EXPECT_EQ(reached({.rooms = {"x", "y"}, .except = {"x"}}), "c");
  EXPECT_EQ(reached({.rooms = {}, .except = {"y", sinks[0]->member->id_text()}}), "d");
  EXPECT_EQ(reached({.rooms = {"nobody"}}), "");
  EXPECT_EQ(reached({.rooms = {"x"}, .except = {"nobody"}}), "ab");
}

TEST_F(Rooms, CalledLikeAnIdTakeNothingFromItsOwner) {
  connect(2);
  const std::string id = sinks[0]->member->id_text();
  join(*sinks[1], id);
  EXPECT_EQ(reached({.rooms = {id}}), "ab");
  EXPECT_EQ(reached({.rooms = {}, .except = {id}}), "");
}

TEST_F(Rooms, EncodeOncePerDialect) {
  connect(5);
  reached({});
  EXPECT_EQ(node.dialect.encoded, 1);
}

TEST_F(Rooms, DropVolatileMessagesForWhoCannotTakeThem) {
  connect(2);
  sinks[0]->takes_bytes = false;
  Message message = TestNode::event("v");
  message.is_volatile = true;
  EXPECT_EQ(node.space().deliver({}, message), 1u);
  EXPECT_EQ(node.hub().statistics().volatile_dropped, 1u);
  EXPECT_THAT(sinks[0]->take(), IsEmpty());
}

TEST_F(Rooms, MayChangeWhileListenersHearWhatGoesOut) {
  connect(3);
  for (auto* sink : sinks) {
    join(*sink, "r");
    sink->member->extras().handlers().any_outgoing.add(
        [this](Member& member, std::string_view, const ArgumentsView&) {
          node.space().leave(member, "r");
          sinks[2]->drop();
        },
        1);
  }
  EXPECT_EQ(reached({.rooms = {"r"}}), "ab");
  EXPECT_EQ(node.space().room_count(), 0u);
}

// Joins, leaves and disconnects in any order: the tables say what a simple model says, after every step.
TEST_F(Rooms, AreWhatASimpleModelSays) {
  base::SeededRandom random(42);
  std::map<TestSink*, std::set<std::string>> model;
  const auto check = [&] {
    std::map<std::string, std::size_t> sizes;
    for (const auto& [sink, rooms] : model) {
      for (const std::string& room : rooms) ++sizes[room];
      ASSERT_EQ(node.space().room_count_of(*sink->member), rooms.size());
    }
    ASSERT_EQ(node.space().room_count(), sizes.size());
    for (const auto& [room, size] : sizes) ASSERT_EQ(node.space().room(room)->members().size(), size);
    ASSERT_EQ(node.hub().find({{}, "/"}) == nullptr ? 0 : node.space().members().size(), model.size());
  };
  connect(1);
  model[sinks[0]];
  for (int step = 0; step < 4'000; ++step) {
    auto chosen = model.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random.below(model.size())));
    auto& [sink, rooms] = *chosen;
    const std::string room = "r" + std::to_string(random.below(64));
    const std::uint64_t act = random.below(100);
    if (act < 55) {
      join(*sink, room);
      rooms.insert(room);
    } else if (act < 90) {
      node.space().leave(*sink->member, room);
      rooms.erase(room);
    } else if (act < 95 || model.size() < 3) {
      connect(1);
      model[sinks.back()];
    } else {
      sink->drop();
      model.erase(chosen);
    }
    if (step % 50 == 0) check();
    if (step % 100 == 0) {  // a fan-out reaches exactly the union
      const Selector selector{.rooms = {"r1", "r2"}, .except = {"r3"}};
      std::size_t expected = 0;
      for (const auto& [one, its] : model)
        expected += (its.contains("r1") || its.contains("r2")) && !its.contains("r3") ? 1 : 0;
      ASSERT_EQ(node.space().deliver(selector, TestNode::event("e")), expected);
    }
  }
  check();
}

TEST(RoomsOfAllShards, AreBounded) {
  TestNode node(2, {}, {}, 2);
  node.of("/");
  node.of("/other");
  TestSink& anna = node.connect(0);
  TestSink& berta = node.connect(1);
  TestSink& clara = node.connect(1, "/other");
  const auto join = [](TestSink& sink, std::string_view room, bool beyond = false) {
    return sink.member->home().join(*sink.member, room, beyond).code();
  };
  EXPECT_EQ(join(anna, "a"), StatusCode::kOk);
  EXPECT_EQ(join(berta, "a"), StatusCode::kOk) << "a room of its own, as it is another shard's";
  EXPECT_EQ(join(clara, "c"), StatusCode::kResourceExhausted);
  EXPECT_FALSE(clara.member->home().is_in(*clara.member, "c"));
  EXPECT_EQ(join(anna, "b"), StatusCode::kResourceExhausted);
  EXPECT_EQ(node.hub(0).statistics().refused_rooms, 1u);
  EXPECT_EQ(node.hub(1).statistics().refused_rooms, 1u);

  EXPECT_EQ(join(node.connect(0), "a"), StatusCode::kOk) << "it exists";
  EXPECT_EQ(join(anna, anna.member->id_text()), StatusCode::kOk) << "its own";
  broadcast(node.space(1), {.rooms = {anna.member->id_text()}}, TestNode::event("e"));
  node.run();
  EXPECT_THAT(anna.take(), ElementsAre("e[]"));
  EXPECT_EQ(join(clara, "c", true), StatusCode::kOk) << "beyond the bound, and counted";

  berta.drop();
  EXPECT_EQ(join(anna, "b"), StatusCode::kResourceExhausted) << "one is freed, one was beyond";
  clara.drop();
  EXPECT_EQ(join(anna, "b"), StatusCode::kOk);
  EXPECT_EQ(node.rooms.count(), 2u);
  node.space(0).leave(*anna.member, "b");
  EXPECT_EQ(node.rooms.count(), 1u) << "freed at once";
}

TEST_F(Rooms, TellTheirObserver) {
  struct Observer final : RoomObserver {
    void room_created(std::string_view room) override { seen.push_back("created " + std::string(room)); }
    void room_deleted(std::string_view room) override { seen.push_back("deleted " + std::string(room)); }
    void room_joined(std::string_view room, Member&) override { seen.push_back("joined " + std::string(room)); }
    void room_left(std::string_view room, Member&) override { seen.push_back("left " + std::string(room)); }
    std::vector<std::string> seen;
  } observer;
  connect(1);
  node.space().set_room_observer(&observer);
  join(*sinks[0], "r");
  sinks[0]->drop();
  EXPECT_THAT(observer.seen, ElementsAre("created r", "joined r", "left r", "deleted r"));
}

}  // namespace
}  // namespace tidewire::hub
