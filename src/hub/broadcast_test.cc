// Broadcasts over the shards of a node: order, acknowledgements, and questions with partial answers.
#include "hub/broadcast.h"

#include "hub/gather.h"
#include "hub/survey.h"
#include "hub/test_hub.h"

namespace tidewire::hub {
namespace {

using test::TestNode;
using test::TestSink;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Broadcast : public ::testing::Test {
 protected:
  Broadcast() {
    node.of("/");
    here = {&node.connect(0), &node.connect(0)};
    there = {&node.connect(1), &node.connect(1)};
  }
  void join(TestSink& sink, std::string_view room) { EXPECT_TRUE(sink.member->home().join(*sink.member, room).ok()); }
  void ask_all(const Selector& selector, std::int64_t timeout_ms = 1'000) {
    broadcast_with_ack(node.space(), selector, TestNode::event("q"), timeout_ms, [this](BroadcastAnswers answers) {
      std::vector<std::string> texts;
      for (const Arguments& answer : answers.answers) texts.emplace_back(answer.text());
      done.push_back({answers.status.ok(), texts});
    });
    node.run();
  }
  // The sink answers the question it got last.
  void answer(TestSink& sink, std::string_view text) {
    const std::string question = sink.take().back();
    sink.hub.acknowledged(*sink.member, std::stoull(question.substr(question.find('?') + 1)), {text, 1});
    node.run();
  }
  struct Outcome {
    bool ok;
    std::vector<std::string> answers;
  };

  std::vector<Outcome> done;
  TestNode node{2};
  std::vector<TestSink*> here, there;
};

TEST_F(Broadcast, ReachesEveryShard) {
  join(*here[0], "r");
  join(*there[1], "r");
  broadcast(node.space(), {.rooms = {"r"}}, TestNode::event("e", {"1", 1}));
  broadcast(node.space(), {.rooms = {"r"}}, TestNode::event("f", {"2", 1}));
  node.run();
  for (TestSink* sink : {here[0], there[1]}) EXPECT_THAT(sink->take(), ElementsAre("e[1]", "f[2]"));
  for (TestSink* sink : {here[1], there[0]}) EXPECT_THAT(sink->take(), IsEmpty());
  EXPECT_EQ(node.dialect.encoded, 2) << "once each, for all shards";
}

TEST_F(Broadcast, SparesTheExceptedOnEveryShard) {
  broadcast(node.space(), {.rooms = {}, .except = {there[0]->member->id_text(), here[0]->member->id_text()}},
            TestNode::event("e"));
  node.run();
  EXPECT_EQ(here[0]->take().size() + there[0]->take().size(), 0u);
  EXPECT_EQ(here[1]->take().size() + there[1]->take().size(), 2u);
}

TEST_F(Broadcast, SkipsAShardWithoutTheNamespace) {
  node.of("/only");
  TestSink& one = node.connect(0, "/only");
  broadcast(node.space(0, "/only"), {}, TestNode::event("e"));
  node.run();
  EXPECT_EQ(one.take().size(), 1u);
}

TEST_F(Broadcast, GathersTheAnswersOfAll) {
  ask_all({});
  answer(*there[0], "1");
  answer(*here[0], "2");
  answer(*here[1], "3");
  EXPECT_THAT(done, IsEmpty());
  answer(*there[1], "4");
  ASSERT_EQ(done.size(), 1u);
  EXPECT_TRUE(done[0].ok);
  EXPECT_THAT(done[0].answers, UnorderedElementsAre("1", "2", "3", "4"));
}

TEST_F(Broadcast, ToNobodyIsAnsweredAtOnce) {
  ask_all({.rooms = {"nobody"}});
  ASSERT_EQ(done.size(), 1u);
  EXPECT_TRUE(done[0].ok);
  EXPECT_THAT(done[0].answers, IsEmpty());
}

TEST_F(Broadcast, TimesOutWithTheAnswersThatCame) {
  ask_all({});
  answer(*there[0], "1");
  answer(*here[0], "2");
  node.advance(1'100);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].ok);
  EXPECT_THAT(done[0].answers, UnorderedElementsAre("1", "2"));
  answer(*here[1], "late");
  EXPECT_EQ(done.size(), 1u);
}

TEST_F(Broadcast, CountsAShardThatTakesNoMessagesAsLate) {
  node.make_deaf(1);
  ask_all({});
  for (TestSink* sink : here) answer(*sink, "1");
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].ok);
  EXPECT_THAT(done[0].answers, ElementsAre("1", "1"));
  for (TestSink* sink : there) EXPECT_THAT(sink->take(), IsEmpty());
}

TEST_F(Broadcast, CountsWhoLeavesAsLate) {
  ask_all({});
  for (TestSink* sink : {here[0], there[0], there[1]}) answer(*sink, "1");
  here[1]->drop();
  node.run();
  EXPECT_THAT(done, IsEmpty());
  node.advance(1'100);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0].ok);
  EXPECT_EQ(done[0].answers.size(), 3u);
}

TEST(BroadcastOfAChild, IsAnsweredThoughTheNamespaceIsDroppedAfterwards) {
  TestNode node(1, {.cleanup_empty_child_namespaces = true});
  node.registry.add_parent([](std::string_view, std::string_view, NamespaceAnswer answer) { answer(true); });
  TestSink& sink = node.connect(0, "/d");
  std::vector<bool> done;
  broadcast_with_ack(node.space(0, "/d"), {}, TestNode::event("q"), 1'000,
                     [&](const BroadcastAnswers& answers) { done.push_back(answers.status.ok()); });
  sink.drop();
  sink.member = MemberRef();
  node.advance(1'100);
  EXPECT_THAT(done, ElementsAre(false));
  EXPECT_EQ(node.hub().find({{}, "/d"}), nullptr);
}

// A question about a namespace, or a message to it, makes none.
TEST(BroadcastFromAShardWithoutTheNamespace, ReachesTheOthers) {
  TestNode node(2);
  node.of("/");
  TestSink& sink = node.connect(1);
  const NamespaceKey key{{}, "/"};
  const SharedNamespace space(node.hub(0), key);
  broadcast(space, {}, TestNode::event("hi"));
  join_all(space, {}, {"r"});
  std::vector<std::uint64_t> counts;
  count_members(space, {.rooms = {"r"}}, [&](MemberCount found) { counts.push_back(found.count); });
  std::vector<std::string> rooms;
  fetch_rooms(space, {}, [&](const RoomsPage& page) { rooms.push_back(page.rooms.at(0).name); });
  std::size_t answers = 0;
  broadcast_with_ack(space, {}, TestNode::event("q"), 1'000, [&](const BroadcastAnswers& all) { answers += all.answers.size(); });
  node.run();
  EXPECT_THAT(sink.take(), ElementsAre("hi[]", "q[]?0"));
  node.hub(1).acknowledged(*sink.member, 0, {});
  node.run();
  EXPECT_EQ(answers, 1u);
  EXPECT_THAT(counts, ElementsAre(1u));
  EXPECT_THAT(rooms, ElementsAre("r"));
  EXPECT_EQ(node.hub(0).find(key), nullptr);
  disconnect_all(space, {}, true);
  node.run();
  EXPECT_FALSE(sink.member->connected());
}

TEST(BroadcastFromAShardWithoutTheNamespace, IsAnsweredWhenNobodyIsAnywhere) {
  TestNode node(2);
  const NamespaceKey key{"nobodys tenant", "/"};
  const SharedNamespace space(node.hub(0), key);
  int answers = 0;
  count_members(space, {}, [&](MemberCount found) { answers += found.count == 0 ? 1 : 0; });
  broadcast_with_ack(space, {}, TestNode::event("q"), 1'000, [&](const BroadcastAnswers& all) { answers += all.status.ok() ? 1 : 0; });
  node.run();
  EXPECT_EQ(answers, 2);
  EXPECT_TRUE(node.hub(0).namespaces().empty());
}

TEST_F(Broadcast, MayAskAgainFromTheAnswer) {
  broadcast_with_ack(node.space(), {.rooms = {here[0]->member->id_text()}}, TestNode::event("q"), 1'000,
                     [&](BroadcastAnswers) { ask_all({.rooms = {here[0]->member->id_text()}}); });
  node.run();
  answer(*here[0], "1");
  answer(*here[0], "2");
  ASSERT_EQ(done.size(), 1u);
  EXPECT_THAT(done[0].answers, ElementsAre("2"));
}

TEST_F(Broadcast, MovesMembersOnEveryShard) {
  join_all(node.space(), {}, {"a", "b"});
  node.run();
  EXPECT_EQ(node.space(1).room("a")->members().size(), 2u);
  leave_all(node.space(), {.rooms = {"b"}}, {"a"});
  node.run();
  EXPECT_EQ(node.space(1).room("a"), nullptr);
  disconnect_all(node.space(), {.rooms = {there[0]->member->id_text(), here[1]->member->id_text()}}, true);
  node.run();
  EXPECT_EQ(node.space(0).members().size(), 1u);
  EXPECT_EQ(node.space(1).members().size(), 1u);
}

TEST_F(Broadcast, FetchesMembersOfEveryShard) {
  join(*there[0], "r");
  std::vector<MemberSnapshot> all;
  fetch_members(node.space(), {.rooms = {"r", here[0]->member->id_text()}},
                [&](std::vector<MemberSnapshot> found) { all = std::move(found); });
  node.run();
  ASSERT_EQ(all.size(), 2u);
  for (const MemberSnapshot& member : all) {
    EXPECT_EQ(member.facts.address, "10.0.0.1");
    EXPECT_EQ(member.rooms.size(), member.shard == 1 ? 2u : 1u);
  }
}

TEST_F(Broadcast, DoesNotWaitForAShardThatDoesNotAnswer) {
  node.hold(1, true);
  int found = -1;
  fetch_members(node.space(), {},
                [&](std::vector<MemberSnapshot> members) { found = static_cast<int>(members.size()); });
  node.run();
  EXPECT_EQ(found, -1);
  node.advance(kGatherDeadlineMs + 10);
  EXPECT_EQ(found, 2);
  node.hold(1, false);
  node.run();
  EXPECT_EQ(found, 2);
}

}  // namespace
}  // namespace tidewire::hub
