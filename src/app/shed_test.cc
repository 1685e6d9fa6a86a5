#include "app/shed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "net/test_reactor.h"

namespace tidewire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A shard's queues of so many bytes each, and a budget of one megabyte.
class ShedTest : public testing::Test {
 protected:
  struct Queue {
    std::size_t bytes;
    base::Charge charge;
    std::vector<std::size_t>* given_up;
  };

  ShedTest() { base::forget_counted_bytes(); }
  ~ShedTest() override {
    queues_.clear();
    base::forget_counted_bytes();
  }

  Shed::Context context(std::uint32_t shard, std::uint32_t shard_count) {
    return {.reactor = reactor_,
            .budget = budget_,
            .board = board_,
            .shard = shard,
            .shard_count = shard_count,
            .soft_bytes = 100'000,
            .gather = [this](std::size_t bytes_min, std::vector<base::ShedCandidate>& found) { gather(bytes_min, found); },
            .wake = [this](std::uint32_t other) { woken_.push_back(other); }};
  }
  void queue(std::size_t bytes) {
    queues_.push_back({bytes, base::Charge(bytes), &given_up_});
    budget_.settle();
  }
  void gather(std::size_t bytes_min, std::vector<base::ShedCandidate>& found) {
    for (Queue& each : queues_) {
      if (each.bytes >= bytes_min) found.push_back({each.bytes, &each, give_up});
    }
  }
  static void give_up(void* owner) {
    auto& queue = *static_cast<Queue*>(owner);
    queue.given_up->push_back(std::exchange(queue.bytes, 0));
    queue.charge.set(0);
  }
  void look() {
    reactor_.advance(20);
    budget_.settle_now();
  }

  base::Budget budget_{1'000'000};
  ShedBoard board_;
  net::TestReactor reactor_;
  std::deque<Queue> queues_;
  std::vector<std::size_t> given_up_;
  std::vector<std::uint32_t> woken_;
};

TEST_F(ShedTest, AmpleMemoryCostsNobodyAnything) {
  Shed shed(context(0, 1));
  queue(700'000);
  shed.begin();
  look();
  EXPECT_THAT(given_up_, IsEmpty());
  EXPECT_FALSE(board_.active(0));
}

TEST_F(ShedTest, TightMemoryEndsWhatIsOverTheSoftLimit) {
  Shed shed(context(0, 1));
  for (const std::size_t bytes : {90'000, 150'000, 400'000, 100'000, 70'000}) queue(bytes);
  ASSERT_EQ(budget_.level(), base::Budget::Level::kTight);
  shed.begin();
  look();
  EXPECT_THAT(given_up_, ElementsAre(400'000, 150'000));
}

TEST_F(ShedTest, ShortMemoryEndsTheLargestUntilThereIsEnough) {
  Shed shed(context(0, 1));
  for (std::size_t i = 0; i < 18; ++i) queue(45'000 + i * 1'000);
  ASSERT_EQ(budget_.used_bytes(), 963'000u);
  shed.begin();
  look();
  EXPECT_THAT(given_up_, ElementsAre(62'000, 61'000));  // below 85 % again
  reactor_.advance(1'000);
  EXPECT_EQ(given_up_.size(), 2u);
  EXPECT_EQ(shed.count(), 2u);
  EXPECT_FALSE(!board_.active(0));  // still tight: it goes on looking
}

TEST_F(ShedTest, ASmallQueueIsSparedWhileAnotherShardHasALargeOne) {
  Shed shed(context(0, 2));
  base::Charge elsewhere(900'000);
  queue(40'000);
  queue(10'000);
  board_.set(1, true, 90'000);
  shed.begin();
  look();
  EXPECT_THAT(given_up_, IsEmpty());
  board_.set(1, true, 80'000);
  reactor_.advance(300);
  EXPECT_THAT(given_up_, ElementsAre(40'000));
}

TEST_F(ShedTest, TheOtherShardsAreWokenUntilTheyLookThemselves) {
  Shed shed(context(1, 3));
  queue(85'000);
  base::Charge elsewhere(760'000);
  budget_.settle();
  shed.begin();
  look();
  EXPECT_THAT(woken_, ElementsAre(0, 2));
  board_.set(0, true, 0);
  reactor_.advance(250);
  EXPECT_THAT(woken_, ElementsAre(0, 2, 2));
}

TEST_F(ShedTest, AReactorsTurnBeginsIt) {
  Shed shed(context(0, 1));
  reactor_.set_budget(budget_, [&] { shed.begin(); });
  reactor_.turn();
  queues_.push_back({850'000, base::Charge(850'000), &given_up_});
  reactor_.turn();
  reactor_.advance(20);
  EXPECT_THAT(given_up_, ElementsAre(850'000));
  reactor_.advance(300);
  EXPECT_FALSE(board_.active(0));
}

}  // namespace
}  // namespace tidewire
