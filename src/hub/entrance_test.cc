// Who comes in as whom: the authenticator's answer, the tenant it chooses, and the end of an identity by the wall clock.
#include "hub/entrance.h"

#include <limits>
#include <stdexcept>

#include "hub/test_hub.h"

namespace tidewire::hub {
namespace {

using test::TestNode;
using test::TestSink;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Answer = UniqueFunction<void(Verdict)>;

std::shared_ptr<const Identity> identity(Identity who) { return std::make_shared<const Identity>(std::move(who)); }

TEST(Entrance, AnIdentityIsTheMembersBeforeItsMiddlewareRuns) {
  TestNode node(1, {}, [](const Credentials& credentials, Answer answer) {
    EXPECT_EQ(credentials.namespace_name, "/");
    EXPECT_EQ(credentials.auth, R"({"token":"t"})");
    EXPECT_EQ(credentials.sink.facts().address, "10.0.0.1");
    answer({.identity = identity({.user_id = "ada"}), .keep_auth = false});
  });
  std::string seen;
  node.of("/")->middlewares.add(
      [&](Member& member, Next next) {
        seen = member.identity()->user_id;
        EXPECT_EQ(member.extras().auth, nullptr);
        next(nullptr);
      },
      1);
  TestSink& sink = node.connect(0, "/", R"({"token":"t"})");
  EXPECT_EQ(seen, "ada");
  EXPECT_THAT(sink.outcome, ElementsAre("admitted", "settled"));
}

TEST(Entrance, ARefusalComesBeforeAnybodyLooksForTheNamespace) {
  TestNode node(1, {}, [](const Credentials&, Answer answer) {
    answer({.refusal = Refusal{"unauthorized", R"({"code":"token_invalid"})", 4001}});
  });
  TestSink& sink = node.connect(0, "/nobody-declared-this");
  EXPECT_THAT(sink.outcome, ElementsAre(R"(refused:unauthorized:{"code":"token_invalid"})"));
  EXPECT_EQ(node.hub().statistics().refusals, 1u);
  EXPECT_THAT(node.hub().namespaces(), IsEmpty());
}

TEST(Entrance, AnAuthenticatorMayAnswerLaterAndOnlyOnce) {
  std::vector<std::shared_ptr<Answer>> waiting;
  TestNode node(1, {}, [&](const Credentials&, Answer answer) { waiting.push_back(std::make_shared<Answer>(std::move(answer))); });
  node.of("/");
  TestSink& patient = node.connect();
  TestSink& gone = node.connect();
  EXPECT_THAT(patient.outcome, IsEmpty());
  gone.drop();
  (*waiting[0])({.identity = identity({.user_id = "ada"})});
  (*waiting[0])({.refusal = Refusal{"second thoughts"}});
  (*waiting[1])({.identity = identity({.user_id = "eve"})});
  EXPECT_THAT(patient.outcome, ElementsAre("admitted", "settled"));
  EXPECT_THAT(gone.outcome, IsEmpty());
  EXPECT_EQ(node.space().members().size(), 1u);
}

TEST(Entrance, AnAuthenticatorThatThrowsLetsNobodyIn) {
  TestNode node(1, {}, [](const Credentials&, const Answer&) { throw std::runtime_error("no keys"); });
  node.of("/");
  EXPECT_THAT(node.connect().outcome, ElementsAre("refused:internal error:"));
}

TEST(Entrance, AnAuthenticatorMayThrowWhateverItLikes) {
  TestNode node(1, {}, [](const Credentials&, const Answer&) { throw 42; });
  node.of("/");
  EXPECT_THAT(node.connect().outcome, ElementsAre("refused:internal error:"));
}

TEST(Entrance, TenantsHaveTheirOwnCopyOfANamespace) {
  TestNode node(2, {}, [](const Credentials& credentials, Answer answer) {
    answer({.identity = identity({.user_id = "u", .tenant = std::string(credentials.auth)})});
  });
  node.of("/");
  TestSink& red = node.connect(0, "/", "red");
  TestSink& far_red = node.connect(1, "/", "red");
  TestSink& blue = node.connect(0, "/", "blue");
  for (TestSink* sink : {&red, &far_red, &blue}) EXPECT_TRUE(sink->member->home().join(*sink->member, "room").ok());
  broadcast(node.space(0, "/", "red"), {.rooms = {"room"}}, node.event("hi"));
  node.run();
  EXPECT_THAT(red.take(), ElementsAre("hi[]"));
  EXPECT_THAT(far_red.take(), ElementsAre("hi[]"));
  EXPECT_THAT(blue.take(), IsEmpty());
}

// ---- the end of an identity

class Expiry : public ::testing::Test {
 protected:
  std::int64_t wall_s() const { return node.wall_clock_ms / 1'000; }
  TestSink& connect_for(std::int64_t seconds) {
    end_s = wall_s() + seconds;
    TestSink& sink = node.connect();
    EXPECT_TRUE(sink.member->home().join(*sink.member, "room").ok());
    return sink;
  }
  std::int64_t end_s = 0;
  TestNode node{1, {}, [this](const Credentials&, Answer answer) {
    answer({.identity = identity({.user_id = "ada", .expires_at_s = end_s})});
  }};
  std::shared_ptr<NamespaceDefinition> definition = node.of("/");
};

TEST_F(Expiry, WarnsThenTakesItOutOfItsRoomsAndClosesWith4002) {
  TestSink& sink = connect_for(60);
  std::vector<std::string> rooms_at_the_end{"not called"};
  definition->handlers.disconnecting.add(
      [&](Member& member, DisconnectReason) {
        rooms_at_the_end.clear();
        if (node.space().room("room") != nullptr) rooms_at_the_end.emplace_back("room");
        EXPECT_EQ(node.space().room_count_of(member), 0u);
      },
      1);
  node.advance(29'000);
  EXPECT_THAT(sink.take(), IsEmpty());
  node.advance(2'000);
  EXPECT_THAT(sink.take(), ElementsAre(HasSubstr("auth_expiring[{\"expiresAt\":" + std::to_string(end_s))));
  node.advance(28'000);
  EXPECT_TRUE(sink.member->connected());
  node.advance(2'000);
  EXPECT_FALSE(sink.member->connected());
  EXPECT_THAT(sink.endings, ElementsAre(4002));
  EXPECT_THAT(rooms_at_the_end, IsEmpty());
  EXPECT_EQ(node.hub().statistics().identities_expired, 1u);
}

TEST_F(Expiry, WhoComesInLateIsNotWarned) {
  TestSink& sink = connect_for(3);
  node.advance(4'000);
  EXPECT_THAT(sink.take(), IsEmpty());
  EXPECT_THAT(sink.endings, ElementsAre(4002));
}

TEST_F(Expiry, ARefreshedIdentityLivesOn) {
  TestSink& sink = connect_for(40);
  node.advance(20'000);
  node.hub().set_identity(*sink.member, identity({.user_id = "ada", .expires_at_s = wall_s() + 100}));
  node.advance(60'000);
  EXPECT_TRUE(sink.member->connected());
  node.advance(41'000);
  EXPECT_FALSE(sink.member->connected());
}

TEST_F(Expiry, FollowsAStepOfTheWallClockEitherWay) {
  TestSink& early = connect_for(3'000);
  TestSink& late = connect_for(10);
  node.wall_clock_ms -= 3'600'000;  // an hour back: nobody's time is up
  node.advance(20'000);
  EXPECT_TRUE(late.member->connected());
  node.wall_clock_ms += 7'200'000;  // an hour ahead: everybody's is
  node.advance(1'000);
  EXPECT_FALSE(early.member->connected());
  EXPECT_FALSE(late.member->connected());
}

TEST_F(Expiry, WhoLeavesIsForgotten) {
  for (int i = 0; i < 100; ++i) connect_for(1'000).drop();
  TestSink& sink = connect_for(1);
  node.advance(2'000);
  EXPECT_THAT(sink.endings, ElementsAre(4002));
  node.advance(1'200'000);  // a forgotten entry would be a dangling one
  EXPECT_EQ(node.hub().statistics().identities_expired, 1u);
}

TEST_F(Expiry, WhoGetsMoreTimeFromAnothersEndIsSpared) {
  TestSink& first = connect_for(10);
  TestSink& second = connect_for(10);
  const auto spare_the_others = [&](Member& gone, DisconnectReason) {
    for (TestSink* sink : {&first, &second}) {
      if (&*sink->member != &gone && sink->member->connected()) {
        node.hub().set_identity(*sink->member, identity({.user_id = "ada", .expires_at_s = wall_s() + 1'000}));
      }
    }
  };
  definition->handlers.disconnect.add(spare_the_others, 1);
  node.advance(11'000);
  EXPECT_NE(first.member->connected(), second.member->connected()) << "one ended, and renewed the other";
  node.advance(900'000);
  EXPECT_NE(first.member->connected(), second.member->connected());
  node.advance(100'000);
  EXPECT_FALSE(first.member->connected() || second.member->connected());
}

TEST_F(Expiry, WhoHasNoEndAnyMoreIsNeitherWarnedNorEnded) {
  TestSink& ending = connect_for(60);
  node.advance(25'000);
  TestSink& warned = connect_for(35);
  node.hub().set_identity(*ending.member, identity({.user_id = "ada", .expires_at_s = wall_s() + 5}));
  definition->handlers.disconnect.add(
      [&](Member&, DisconnectReason) {
        if (warned.member->connected()) node.hub().set_identity(*warned.member, identity({.user_id = "ada"}));
      },
      1);
  node.wall_clock_ms += 6'000;  // both in one tick
  node.advance(1'000);
  EXPECT_FALSE(ending.member->connected());
  EXPECT_THAT(warned.take(), IsEmpty());
  node.advance(100'000);
  EXPECT_TRUE(warned.member->connected());
}

TEST_F(Expiry, AnEndThatNoClockReachesIsNoEndAndOneBeforeAllTimeIsNow) {
  end_s = std::numeric_limits<std::int64_t>::max();
  TestSink& never = node.connect();
  end_s = std::numeric_limits<std::int64_t>::min();
  TestSink& long_ago = node.connect();
  node.advance(1'000);
  EXPECT_TRUE(never.member->connected());
  EXPECT_THAT(never.take(), IsEmpty());
  EXPECT_FALSE(long_ago.member->connected());
}

// ---- what nobody listens to

TEST(Unheard, HearsOnlyWhatNobodyElseDoes) {
  TestNode node;
  std::vector<std::string> unheard;
  const auto definition = node.of("/");
  definition->handlers.listeners("known").add([](InboundEvent&) {}, 1);
  definition->handlers.unheard.add([&](InboundEvent& event) { unheard.emplace_back(event.name()); }, 2);
  TestSink& sink = node.connect();
  EXPECT_TRUE(node.hub().hears(*sink.member, "known"));
  EXPECT_TRUE(node.hub().hears(*sink.member, "stranger")) << "somebody answers for it";
  node.hub().dispatch(*sink.member, "known", {}, nullptr);
  node.hub().dispatch(*sink.member, "stranger", {}, nullptr);
  EXPECT_THAT(unheard, ElementsAre("stranger"));
  sink.member->extras().handlers().any.add([](InboundEvent&) {}, 1);
  node.hub().dispatch(*sink.member, "stranger", {}, nullptr);
  EXPECT_THAT(unheard, ElementsAre("stranger"));
  EXPECT_EQ(node.hub().statistics().unheard, 0u);
}

TEST(Unheard, IsCountedWhereNobodyAnswersForIt) {
  TestNode node;
  node.of("/");
  TestSink& sink = node.connect();
  EXPECT_FALSE(node.hub().hears(*sink.member, "stranger"));
  node.hub().dispatch(*sink.member, "stranger", {}, nullptr);
  EXPECT_EQ(node.hub().statistics().unheard, 1u);
}

}  // namespace
}  // namespace tidewire::hub
