#include "outbound/breaker.h"

#include <gtest/gtest.h>

namespace tidewire::outbound {
namespace {

using State = Breaker::State;
constexpr BreakerOptions kOptions{.failures_max = 3, .cool_down_ms = 1'000, .cool_down_max_ms = 3'000};

void fail(Breaker& breaker, int times, base::Milliseconds now) {
  for (int i = 0; i < times; ++i) breaker.failed(breaker.try_acquire(now).value(), now);
}

TEST(Breaker, OpensAfterSoManyFailuresInARow) {
  Breaker breaker(kOptions);
  fail(breaker, 2, 0);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.succeeded(breaker.try_acquire(0).value());
  fail(breaker, 2, 0);
  EXPECT_EQ(breaker.state(), State::kClosed) << "a success in between counts the row anew";
  fail(breaker, 1, 0);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_FALSE(breaker.try_acquire(0));
  EXPECT_EQ(breaker.wait_ms(400), 600);
}

TEST(Breaker, LetsOneProbeThroughAfterTheCoolDown) {
  Breaker breaker(kOptions);
  fail(breaker, 3, 0);
  EXPECT_FALSE(breaker.try_acquire(999));
  const auto probe = breaker.try_acquire(1'000);
  ASSERT_TRUE(probe);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.try_acquire(1'000));
  EXPECT_FALSE(breaker.try_acquire(100'000));
  EXPECT_EQ(breaker.wait_ms(1'000), 0);
  breaker.succeeded(*probe);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_TRUE(breaker.try_acquire(1'000));
}

TEST(Breaker, DoublesTheCoolDownUpToItsMaximum) {
  Breaker breaker(kOptions);
  fail(breaker, 3, 0);
  base::Milliseconds now = 0;
  for (const base::Milliseconds cool_down : {1'000, 2'000, 3'000, 3'000}) {
    EXPECT_EQ(breaker.wait_ms(now), cool_down);
    now += cool_down;
    fail(breaker, 1, now);
    EXPECT_EQ(breaker.state(), State::kOpen);
  }
}

TEST(Breaker, ForgetsTheLongCoolDownWhenTheBackEndIsBack) {
  Breaker breaker(kOptions);
  fail(breaker, 3, 0);
  fail(breaker, 1, 1'000);
  breaker.succeeded(breaker.try_acquire(3'000).value());
  fail(breaker, 3, 4'000);
  EXPECT_EQ(breaker.wait_ms(4'000), 1'000);
}

TEST(Breaker, ManyCallsThatFailTogetherOpenItOnce) {
  Breaker breaker(kOptions);
  const auto early = breaker.try_acquire(0);
  fail(breaker, 3, 0);
  breaker.failed(*early, 900);
  EXPECT_EQ(breaker.wait_ms(900), 100);
  breaker.succeeded(*early);
  EXPECT_EQ(breaker.state(), State::kOpen) << "an answer from before is no probe";
}

TEST(Breaker, OnlyTheProbeDecides) {
  Breaker breaker(kOptions);
  const auto early = breaker.try_acquire(0);
  fail(breaker, 3, 0);
  const auto probe = breaker.try_acquire(1'000);
  breaker.failed(*early, 1'000);
  breaker.abandoned(*early);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  breaker.succeeded(*probe);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(Breaker, AnAbandonedProbeIsTriedAgain) {
  Breaker breaker(kOptions);
  fail(breaker, 3, 0);
  breaker.abandoned(breaker.try_acquire(1'000).value());
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.wait_ms(1'000), 0);
  EXPECT_TRUE(breaker.try_acquire(1'000));
}

TEST(Breaker, AnAbandonedCallSaysNothing) {
  Breaker breaker(kOptions);
  fail(breaker, 2, 0);
  breaker.abandoned(breaker.try_acquire(0).value());
  EXPECT_EQ(breaker.state(), State::kClosed);
  fail(breaker, 1, 0);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(Breaker, HasNamesForItsStates) {
  EXPECT_EQ(breaker_state_text(State::kClosed), "closed");
  EXPECT_EQ(breaker_state_text(State::kOpen), "open");
  EXPECT_EQ(breaker_state_text(State::kHalfOpen), "half-open");
}

}  // namespace
}  // namespace tidewire::outbound
