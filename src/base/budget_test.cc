#include "base/budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/frame.h"
#include "base/out_queue.h"

namespace tidewire::base {
namespace {

using Level = Budget::Level;

constexpr std::size_t kMega = 1'000'000;

// Each test settles what others of this thread have left.
class BudgetTest : public testing::Test {
 protected:
  BudgetTest() { forget_counted_bytes(); }
  ~BudgetTest() override { forget_counted_bytes(); }
};

TEST_F(BudgetTest, LevelsFollowWhatIsUsed) {
  Budget budget(100 * kMega);
  Charge charge;
  const auto level_at = [&](std::size_t percent) {
    charge.set(percent * kMega);
    budget.settle();
    return budget.level();
  };
  EXPECT_EQ(level_at(79), Level::kAmple);
  EXPECT_EQ(level_at(80), Level::kTight);
  EXPECT_EQ(level_at(89), Level::kTight);
  EXPECT_EQ(level_at(90), Level::kShedding);
  EXPECT_EQ(level_at(94), Level::kShedding);
  EXPECT_EQ(level_at(95), Level::kRefusing);
  EXPECT_EQ(level_at(300), Level::kRefusing);
  EXPECT_EQ(level_at(10), Level::kAmple);
}

TEST_F(BudgetTest, WhatMustGoLeadsBelowTheSheddingLevel) {
  Budget budget(100 * kMega);
  Charge charge(89 * kMega);
  budget.settle();
  EXPECT_EQ(budget.excess_bytes(), 0u);
  charge.set(95 * kMega);
  budget.settle();
  EXPECT_EQ(budget.excess_bytes(), 10 * kMega);
}

TEST_F(BudgetTest, SmallChangesWaitForTheirStep) {
  Budget budget(100 * kMega);
  Charge charge(Budget::kStepBytes - 1);
  EXPECT_FALSE(budget.settle());
  EXPECT_EQ(budget.used_bytes(), 0u);
  charge.set(Budget::kStepBytes);
  EXPECT_FALSE(budget.settle());
  EXPECT_EQ(budget.used_bytes(), static_cast<std::size_t>(Budget::kStepBytes));
}

TEST_F(BudgetTest, SettlingTellsThatSomebodyShouldShed) {
  Budget budget(100 * kMega);
  Charge charge(81 * kMega);
  EXPECT_TRUE(budget.settle());
  EXPECT_FALSE(budget.settle());  // nothing new
}

TEST_F(BudgetTest, AFrameCountsOnceHoweverManyQueuesHoldIt) {
  std::vector<OutQueue> queues(1000);
  const std::int64_t before = unsettled_bytes;
  {
    const Frame frame = Frame::allocate(100'000);
    Frame writable = frame;
    writable.set_extent(0, 100'000);
    for (OutQueue& queue : queues) queue.push(frame, Lane::kNormal);
  }
  EXPECT_GE(unsettled_bytes - before, 100'000);
  EXPECT_LT(unsettled_bytes - before, 101'000);
  for (std::size_t i = 0; i + 1 < queues.size(); ++i) queues[i].clear();
  EXPECT_GE(unsettled_bytes - before, 100'000);
  queues.back().clear();
  EXPECT_EQ(unsettled_bytes, before);
}

TEST_F(BudgetTest, TheSlotsOfALongQueueCountToo) {
  const std::int64_t before = unsettled_bytes;
  {
    const Frame frame = Frame::copy("2");
    OutQueue queue;
    for (int i = 0; i < 10'000; ++i) queue.push(frame, Lane::kNormal);
    EXPECT_GE(unsettled_bytes - before, static_cast<std::int64_t>(10'000 * sizeof(Frame)));
  }
  // A few slots stay with the pool of backlogs.
  EXPECT_LT(unsettled_bytes - before, 8'000);
}

TEST_F(BudgetTest, AFrameFreedOnAnotherThreadIsGoneFromTheSum) {
  Budget budget(100 * kMega);
  Frame frame = Frame::allocate(kMega);
  budget.settle_now();
  EXPECT_GE(budget.used_bytes(), kMega);
  frame.share();
  std::thread([&budget, moved = std::move(frame)]() mutable {
    moved = Frame();
    budget.settle_now();
  }).join();
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST_F(BudgetTest, ManyThreadsAddUp) {
  Budget budget(100 * kMega);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&budget] {
      for (int round = 0; round < 1000; ++round) {
        const Charge charge(kMega);
        budget.settle();
      }
      budget.settle_now();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST_F(BudgetTest, AChargeMovesWithItsStore) {
  const std::int64_t before = unsettled_bytes;
  {
    Charge first(10);
    Charge second(std::move(first));
    EXPECT_EQ(second.bytes(), 10u);
    Charge third(5);
    third = std::move(second);
    EXPECT_EQ(third.bytes(), 10u);
    EXPECT_EQ(unsettled_bytes - before, 15);  // the five leave with `second`
  }
  EXPECT_EQ(unsettled_bytes, before);
}

TEST_F(BudgetTest, TheDefaultIsAShareOfTheMachine) {
  EXPECT_GT(Budget::default_limit(), 0u);
  EXPECT_LE(Budget().limit_bytes(), Budget::default_limit());
}

}  // namespace
}  // namespace tidewire::base
