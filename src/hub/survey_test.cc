// Pages over shards: complete, in order, without doubles, whatever the limit.
#include "hub/survey.h"

#include "hub/test_hub.h"

namespace tidewire::hub {
namespace {

using test::TestNode;
using test::TestSink;
using ::testing::ElementsAre;

class Survey : public ::testing::Test {
 protected:
  Survey() {
    node.of("/");
    for (std::uint32_t i = 0; i < 30; ++i) {
      TestSink& sink = node.connect(i % 3);
      for (const std::string& room : {"r" + std::to_string(10 + i % 7), "s" + std::to_string(10 + i)}) {
        EXPECT_TRUE(sink.member->home().join(*sink.member, room).ok());
      }
      ids.push_back(sink.member->id_text());
    }
    std::sort(ids.begin(), ids.end());
  }
  RoomsPage rooms(const Page& page) {
    RoomsPage got;
    fetch_rooms(node.space(1), page, [&](RoomsPage answer) { got = std::move(answer); });
    node.run();
    return got;
  }
  MembersPage members(const Page& page, const Selector& selector = {}) {
    MembersPage got;
    fetch_members(node.space(0), selector, page, [&](MembersPage answer) { got = std::move(answer); });
    node.run();
    return got;
  }
  TestNode node{3};
  std::vector<std::string> ids;
};

TEST_F(Survey, RoomsComePageByPageWithTheMembersOfEveryShard) {
  for (const std::size_t limit : {1u, 2u, 5u, 36u, 37u, 1000u}) {
    std::vector<std::string> names;
    std::uint64_t memberships = 0;
    Page page{.limit = limit};
    for (bool more = true; more;) {
      const RoomsPage got = rooms(page);
      ASSERT_LE(got.rooms.size(), limit);
      ASSERT_FALSE(got.rooms.empty());
      for (const RoomCount& room : got.rooms) {
        names.push_back(room.name);
        memberships += room.members;
      }
      page.after = names.back();
      more = got.more;
    }
    EXPECT_EQ(names.size(), 37u);
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
    EXPECT_EQ(memberships, 60u) << limit;
  }
}

TEST_F(Survey, RoomsMayBeChosenByTheirBeginning) {
  const RoomsPage got = rooms({.prefix = "r1"});
  EXPECT_EQ(got.rooms.size(), 7u);
  EXPECT_EQ(got.rooms.front().name, "r10");
  EXPECT_EQ(got.rooms.front().members, 5u);
  EXPECT_FALSE(got.more);
  EXPECT_TRUE(got.complete);
}

TEST_F(Survey, MembersComePageByPageInTheOrderOfTheirIds) {
  for (const std::size_t limit : {1u, 7u, 29u, 30u, 31u}) {
    std::vector<std::string> seen;
    Page page{.limit = limit};
    for (bool more = true; more;) {
      const MembersPage got = members(page);
      for (const MemberSnapshot& member : got.members) seen.push_back(member.rooms.front());
      page.after = seen.back();
      more = got.more;
    }
    EXPECT_EQ(seen, ids) << limit;
  }
  EXPECT_EQ(members({}, {.rooms = {"r10"}}).members.size(), 5u);
}

TEST_F(Survey, ALimitOutsideTheBoundsIsBroughtInside) {
  EXPECT_EQ(members({.limit = 0}).members.size(), 1u);
  EXPECT_EQ(members({.limit = 1'000'000}).members.size(), 30u);
}

TEST_F(Survey, AShardThatDoesNotAnswerMakesThePageIncomplete) {
  node.hold(2, true);
  MembersPage got;
  fetch_members(node.space(0), {}, {}, [&](MembersPage answer) { got = std::move(answer); });
  node.run();
  EXPECT_EQ(got.members.size(), 0u);
  node.advance(kGatherDeadlineMs + 100);
  EXPECT_EQ(got.members.size(), 20u);
  EXPECT_FALSE(got.complete);
  node.hold(2, false);
  node.run();
}

TEST_F(Survey, CountsWhoIsMeant) {
  std::vector<std::uint64_t> counts;
  const auto note = [&](MemberCount got) {
    EXPECT_TRUE(got.complete);
    counts.push_back(got.count);
  };
  count_members(node.space(0), {}, note);
  count_members(node.space(0), {.rooms = {"r10", "r11"}, .except = {"s10"}}, note);
  node.run();
  EXPECT_THAT(counts, ElementsAre(30u, 9u));
}

TEST_F(Survey, AShardThatDoesNotAnswerMakesTheCountIncomplete) {
  node.hold(2, true);
  std::vector<MemberCount> got;
  int visited = 0;
  count_members(node.space(0), {}, [&](MemberCount count) { got.push_back(count); });
  visit_members(node.space(0), {}, [&](Member&) { ++visited; }, [&](MemberCount count) { got.push_back(count); });
  node.advance(kGatherDeadlineMs + 100);
  ASSERT_EQ(got.size(), 2u);
  for (const MemberCount& count : got) {
    EXPECT_EQ(count.count, 20u);
    EXPECT_FALSE(count.complete);
  }
  EXPECT_EQ(visited, 20);
  node.hold(2, false);
  node.run();
  EXPECT_EQ(visited, 30) << "late, and not counted";
  EXPECT_EQ(got.size(), 2u);
}

// ---- namespaces

class Spaces : public ::testing::Test {
 protected:
  explicit Spaces(const HubOptions& options = {}) : node(3, options, [](const Credentials& credentials, auto answer) {
    Identity who{.user_id = "u", .tenant = std::string(credentials.auth)};
    answer({.identity = std::make_shared<const Identity>(std::move(who))});
  }) {
    node.of("/");
    node.registry.add_parent([](std::string_view name, std::string_view, const NamespaceAnswer& answer) { answer(name.starts_with("/d")); });
  }
  NamespacesPage fetch(const std::string& tenant, const Page& page = {}) {
    NamespacesPage got;
    fetch_namespaces(node.hub(1), tenant, page, [&](NamespacesPage answer) { got = std::move(answer); });
    node.run();
    return got;
  }
  static std::vector<std::string> lines(const NamespacesPage& page) {
    std::vector<std::string> list;
    for (const auto& entry : page.namespaces) list.push_back(entry.name + " " + std::to_string(entry.members));
    return list;
  }
  NamespaceTotals count(const NamespaceKey& key) {
    NamespaceTotals got;
    count_namespace(node.hub(2), key, [&](NamespaceTotals answer) { got = answer; });
    node.run();
    return got;
  }
  TestNode node;
};

TEST_F(Spaces, OfATenantAreThoseThatSomebodyIsOrHasBeenIn) {
  node.connect(0, "/", "red");
  node.connect(1, "/d2", "red");
  node.connect(2, "/d2", "red");
  TestSink& gone = node.connect(2, "/d1", "red");
  node.connect(0, "/d3", "blue");
  gone.drop();
  node.of("/d4")->middlewares.add([](Member&, const Next& next) {
    const Refusal no{"no"};
    next(&no);
  }, 1);
  node.connect(0, "/d4", "red");  // nobody has been in
  EXPECT_THAT(lines(fetch("red")), ElementsAre("/ 1", "/d1 0", "/d2 2"));
  EXPECT_THAT(lines(fetch("blue")), ElementsAre("/d3 1"));
  EXPECT_THAT(lines(fetch("")), ElementsAre());
  const NamespacesPage first = fetch("red", {.limit = 2});
  EXPECT_THAT(lines(first), ElementsAre("/ 1", "/d1 0"));
  EXPECT_TRUE(first.more);
  const NamespacesPage second = fetch("red", {.after = "/d1", .limit = 2});
  EXPECT_THAT(lines(second), ElementsAre("/d2 2"));
  EXPECT_FALSE(second.more);
  EXPECT_THAT(lines(fetch("red", {.prefix = "/d"})), ElementsAre("/d1 0", "/d2 2"));
}

TEST_F(Spaces, AreCountedByDialectNowAndSinceTheStart) {
  node.connect(0, "/", "red");
  TestSink& gone = node.connect(1, "/", "red");
  node.connect(2, "/", "blue");
  gone.drop();
  const NamespaceTotals red = count({"red", "/"});
  EXPECT_EQ(red.now, (DialectTotals{1, 0, 0, 0}));
  EXPECT_EQ(red.ever, (DialectTotals{2, 0, 0, 0}));
  EXPECT_TRUE(red.exact && red.complete);
  EXPECT_EQ(count({"green", "/"}).ever, DialectTotals{});
}

TEST_F(Spaces, OfAShardThatDoesNotAnswerMakeTheAnswersIncomplete) {
  node.connect(0, "/", "red");
  node.connect(1, "/", "red");
  node.hold(1, true);
  NamespaceTotals totals;
  NamespacesPage page;
  count_namespace(node.hub(0), {"red", "/"}, [&](NamespaceTotals answer) { totals = answer; });
  fetch_namespaces(node.hub(0), "red", {}, [&](NamespacesPage answer) { page = std::move(answer); });
  node.advance(kGatherDeadlineMs + 100);
  EXPECT_FALSE(totals.complete);
  EXPECT_EQ(totals.now[0], 1u);
  EXPECT_FALSE(page.complete);
  node.hold(1, false);
  node.run();
}

class ForgottenSpaces : public Spaces {
 protected:
  ForgottenSpaces() : Spaces({.cleanup_empty_child_namespaces = true}) {}
};

TEST_F(ForgottenSpaces, AreNotListedButTheirTotalsStay) {
  for (int i = 0; i < 3; ++i) node.connect(0, "/d1", "red").drop();
  node.connect(1, "/d1", "red").drop();
  node.run();
  EXPECT_EQ(node.hub(0).find({"red", "/d1"}), nullptr);
  EXPECT_THAT(lines(fetch("red")), ElementsAre());
  EXPECT_EQ(count({"red", "/d1"}).ever[0], 4u);
  node.connect(0, "/d1", "red");
  EXPECT_THAT(lines(fetch("red")), ElementsAre("/d1 1"));
  const NamespaceTotals again = count({"red", "/d1"});
  EXPECT_EQ(again.now[0], 1u);
  EXPECT_EQ(again.ever[0], 5u);
  EXPECT_TRUE(again.exact);
}

// The program forgets them too: "since the start" must not begin again with the next one who comes.
TEST_F(ForgottenSpaces, OfATenantKeepTheirTotalsAlsoWhenTheyAreDeclared) {
  node.connect(0, "/");
  for (int i = 0; i < 3; ++i) node.connect(0, "/", "red").drop();
  node.connect(1, "/", "red").drop();
  node.run();
  EXPECT_EQ(node.hub(0).find({"red", "/"}), nullptr);
  EXPECT_THAT(lines(fetch("red")), ElementsAre());
  EXPECT_EQ(count({"red", "/"}).ever[0], 4u);
  node.connect(0, "/", "red");
  const NamespaceTotals again = count({"red", "/"});
  EXPECT_EQ(again.now[0], 1u);
  EXPECT_EQ(again.ever[0], 5u);
  EXPECT_TRUE(again.exact);
  EXPECT_EQ(count({{}, "/"}).ever[0], 1u);
}

TEST_F(ForgottenSpaces, ThatAreTooManyMakeTotalsInexact) {
  node.connect(0, "/", "red");
  for (std::size_t i = 0; i <= base::limits::kPastNamespacesPerTenantMax; ++i) node.connect(0, "/d" + std::to_string(i), "red").drop();
  node.connect(0, "/d0", "blue").drop();
  node.run();
  EXPECT_FALSE(count({"red", "/d1"}).exact);
  EXPECT_FALSE(count({"red", "/"}).exact) << "a tenant's copy may have been among them";
  EXPECT_TRUE(count({"blue", "/d0"}).exact);
  for (std::size_t i = 0; i <= base::limits::kPastNamespacesPerTenantMax; ++i) node.connect(0, "/d" + std::to_string(i)).drop();
  EXPECT_FALSE(count({{}, "/d1"}).exact);
  EXPECT_TRUE(count({{}, "/"}).exact) << "never forgotten";
}

}  // namespace
}  // namespace tidewire::hub
