// What waits for a shard that is far behind: in order, counted, and dropped when memory is short.
#include "app/spill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/test_reactor.h"

namespace tidewire {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SpillTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kLimit = 10'000'000;
  SpillTest() {
    base::forget_counted_bytes();
    reactor.set_budget(budget, [this] { ++pressed; });
  }
  ~SpillTest() override { base::forget_counted_bytes(); }

  net::Task write(const std::string& text) {
    return [this, text] { heard.push_back(text); };
  }
  // One whose owner, when it is dropped, has something to post.
  net::Task owned(const std::string& last_words) {
    auto owner = std::shared_ptr<void>(nullptr, [this, last_words](void*) {
      died.push_back(last_words);
      spill.post(write(last_words));
    });
    return [this, owner] { heard.emplace_back("owned"); };
  }
  bool message(const std::string& text) { return spill.post_message(write(text), false); }
  void make_short() { held.set(kLimit / 100 * 96); }
  // The other shard has room for so many tasks, and they are tried again.
  void turn(std::size_t takes) {
    room = takes;
    reactor.advance(20);
    room = 0;
  }

  base::Budget budget{kLimit};
  base::Charge held;
  net::TestReactor reactor;
  std::atomic<std::uint64_t> dropped{0};
  std::size_t room = 0;
  bool gone = false;  // the other shard has stopped
  int tries = 0;
  int pressed = 0;
  std::vector<std::string> heard;
  std::vector<std::string> died;
  Spill spill{{.reactor = reactor,
               .budget = budget,
               .dropped = dropped,
               .deliver =
                   [this](net::Task& task) {
                     ++tries;
                     if (gone) return net::PostResult::kGone;
                     if (room == 0) return net::PostResult::kFull;
                     --room;
                     task();
                     return net::PostResult::kPosted;
                   },
               .loss = [this] { heard.emplace_back("loss"); }}};
};

TEST_F(SpillTest, KeepsTheOrderOfWhatWaits) {
  room = 1;
  spill.post(write("a"));
  EXPECT_TRUE(message("b"));
  spill.post(write("c"));
  room = 1;
  EXPECT_TRUE(message("d")) << "behind what waits, though there is room";
  EXPECT_THAT(heard, ElementsAre("a"));
  turn(2);
  EXPECT_THAT(heard, ElementsAre("a", "b", "c"));
  turn(9);
  EXPECT_THAT(heard, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(dropped, 0u);
}

TEST_F(SpillTest, CountsWhatWaits) {
  budget.settle_now();
  for (int i = 0; i < 1'000; ++i) spill.post(write("x"));
  budget.settle_now();
  EXPECT_EQ(budget.used_bytes(), 256'000u);
  turn(1'000);
  budget.settle_now();
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST_F(SpillTest, DropsMessagesWhenMemoryIsShortAndTellsOfTheLossOnce) {
  EXPECT_TRUE(message("1"));
  make_short();
  EXPECT_FALSE(message("2"));
  EXPECT_FALSE(message("3"));
  EXPECT_EQ(pressed, 1) << "the turn's shortage is told where it is found";
  EXPECT_EQ(dropped, 2u);
  turn(9);
  EXPECT_THAT(heard, ElementsAre("1", "loss"));
}

TEST_F(SpillTest, TellsOfEachLossBehindWhatWasKept) {
  EXPECT_TRUE(message("1"));
  make_short();
  EXPECT_FALSE(message("2"));
  spill.post(write("request"));
  EXPECT_FALSE(message("3"));
  held.set(0);
  EXPECT_TRUE(message("4"));
  make_short();
  EXPECT_FALSE(message("5"));
  turn(9);
  EXPECT_THAT(heard, ElementsAre("1", "loss", "request", "loss", "4", "loss"));
}

TEST_F(SpillTest, NeverDropsARequest) {
  make_short();
  for (const char* text : {"a", "b"}) spill.post(write(text));
  turn(9);
  EXPECT_THAT(heard, ElementsAre("a", "b"));
  EXPECT_EQ(dropped, 0u);
}

TEST_F(SpillTest, DropsNothingForAShardThatKeepsUp) {
  make_short();
  room = 1;
  EXPECT_TRUE(message("1"));
  EXPECT_THAT(heard, ElementsAre("1"));
}

TEST_F(SpillTest, SleepsLongerAndLongerWhileNothingIsTaken) {
  spill.post(write("a"));
  reactor.advance(100);
  const int at_first = std::exchange(tries, 0);
  EXPECT_GT(at_first, 6);
  EXPECT_LT(at_first, 14);
  reactor.advance(1'000);
  EXPECT_GE(tries, 1'000 / 20);
  EXPECT_LE(tries, 1'000 / 16) << "and not each turn";
  spill.post(write("b"));
  turn(1);
  EXPECT_THAT(heard, ElementsAre("a"));
  room = 1;
  reactor.advance(8);
  EXPECT_THAT(heard, ElementsAre("a", "b")) << "soon, as the other one takes again";
  EXPECT_EQ(reactor.timers().armed_count(), 0u);
}

TEST_F(SpillTest, LetsTasksForAStoppedShardDie) {
  gone = true;
  spill.post(owned("request"));
  EXPECT_THAT(died, ElementsAre("request"));
  EXPECT_FALSE(message("1")) << "so that who asked need not wait";
  EXPECT_EQ(dropped, 0u) << "memory was not short";
  EXPECT_EQ(reactor.timers().armed_count(), 0u);
}

TEST_F(SpillTest, LetsWhatWaitsDieWhenTheShardStops) {
  spill.post(owned("first"));
  EXPECT_TRUE(message("1"));
  spill.post(owned("second"));
  gone = true;
  reactor.advance(20);
  EXPECT_THAT(died, ElementsAre("first", "second"));
  EXPECT_THAT(heard, IsEmpty());
  EXPECT_EQ(reactor.timers().armed_count(), 0u) << "nothing is tried again";
  budget.settle_now();
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST_F(SpillTest, LetsWhatWaitsDieWhenItIsTold) {
  spill.post(owned("request"));
  gone = true;
  spill.drop_all();
  EXPECT_THAT(died, ElementsAre("request"));
  EXPECT_EQ(reactor.timers().armed_count(), 0u);
}

TEST_F(SpillTest, LosesVolatileMessagesWithoutAWord) {
  EXPECT_TRUE(message("1"));
  make_short();
  EXPECT_FALSE(spill.post_message(write("2"), true));
  EXPECT_EQ(dropped, 1u);
  turn(9);
  EXPECT_THAT(heard, ElementsAre("1"));
}

}  // namespace
}  // namespace tidewire
