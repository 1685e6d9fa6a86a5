#include "policy/token_bucket.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidewire::policy {
namespace {

// Takes as many as there are.
int drain(TokenBucket& bucket, const Rate& rate, base::Milliseconds now) {
  int taken = 0;
  while (taken < 10'000 && bucket.take(rate, now)) ++taken;
  return taken;
}

TEST(TokenBucket, IsFullAtFirstAndRefillsEvenly) {
  const Rate rate{.count = 10, .interval_ms = 1'000, .burst = 20};
  TokenBucket bucket(rate, 5'000);
  EXPECT_TRUE(bucket.full(rate, 5'000));
  EXPECT_EQ(drain(bucket, rate, 5'000), 20);
  EXPECT_FALSE(bucket.full(rate, 5'000));
  EXPECT_FALSE(bucket.take(rate, 5'099));
  EXPECT_TRUE(bucket.take(rate, 5'100));
  EXPECT_FALSE(bucket.take(rate, 5'100));
  EXPECT_EQ(drain(bucket, rate, 6'100), 10);
  EXPECT_EQ(drain(bucket, rate, 1'000'000), 20);
  EXPECT_FALSE(bucket.full(rate, 1'001'999));
  EXPECT_TRUE(bucket.full(rate, 1'002'000));
}

TEST(TokenBucket, TakesAllOrNothing) {
  const Rate rate{.count = 1, .interval_ms = 100, .burst = 5};
  TokenBucket bucket(rate, 0);
  EXPECT_FALSE(bucket.take(rate, 0, 6));
  EXPECT_TRUE(bucket.take(rate, 0, 3));
  EXPECT_FALSE(bucket.take(rate, 0, 3));
  EXPECT_TRUE(bucket.take(rate, 0, 2));
  EXPECT_FALSE(bucket.take(rate, 1'000'000, std::numeric_limits<std::uint32_t>::max()));
  EXPECT_TRUE(bucket.take(rate, 1'000'000, 0));
}

TEST(TokenBucket, DoesNotDrift) {
  // 7 in 3 seconds divide into no milliseconds; asked each millisecond, still not one too many.
  const Rate rate{.count = 7, .interval_ms = 3'000, .burst = 1};
  TokenBucket bucket(rate, 0);
  EXPECT_TRUE(bucket.take(rate, 0));
  std::int64_t taken = 0;
  for (base::Milliseconds now = 1; now <= 3'000'000; ++now) taken += bucket.take(rate, now) ? 1 : 0;
  // What a full bucket is brought on top, part of a token, is lost: so a burst of one may fall short.
  EXPECT_LE(taken, 7'000);
  EXPECT_GE(taken, 6'986);

  const Rate roomy{.count = 7, .interval_ms = 3'000, .burst = 2};
  TokenBucket other(roomy, 0);
  EXPECT_EQ(drain(other, roomy, 0), 2);
  taken = 0;
  for (base::Milliseconds now = 1; now <= 3'000'000; ++now) taken += other.take(roomy, now) ? 1 : 0;
  EXPECT_EQ(taken, 7'000);
}

TEST(TokenBucket, SaysWhenToComeAgain) {
  const Rate rate{.count = 3, .interval_ms = 1'000, .burst = 3};
  TokenBucket bucket(rate, 0);
  EXPECT_EQ(bucket.wait_ms(rate, 0, 3), 0);
  EXPECT_EQ(drain(bucket, rate, 0), 3);
  EXPECT_EQ(bucket.wait_ms(rate, 0), 334);
  EXPECT_EQ(bucket.wait_ms(rate, 0, 3), 1'000);
  EXPECT_FALSE(bucket.take(rate, 333));
  EXPECT_EQ(bucket.wait_ms(rate, 333), 1);
  EXPECT_TRUE(bucket.take(rate, 334));
}

TEST(TokenBucket, AClockThatStepsBackIsHarmless) {
  const Rate rate{.count = 10, .interval_ms = 1'000, .burst = 10};
  TokenBucket bucket(rate, 3'600'000);
  EXPECT_EQ(drain(bucket, rate, 3'600'000), 10);
  EXPECT_FALSE(bucket.take(rate, 0));
  EXPECT_EQ(drain(bucket, rate, 500), 5);  // it is not dead for an hour
  EXPECT_EQ(drain(bucket, rate, -1'000), 0);
  EXPECT_EQ(drain(bucket, rate, std::numeric_limits<std::int64_t>::max() / 2), 10);
  EXPECT_EQ(drain(bucket, rate, std::numeric_limits<std::int64_t>::min() / 4), 0);
}

TEST(TokenBucket, HoldsTheLargestRate) {
  const Rate rate{.count = Rate::kCountMax, .interval_ms = Rate::kIntervalMsMax, .burst = Rate::kCountMax};
  TokenBucket bucket(rate, 0);
  EXPECT_TRUE(bucket.take(rate, 0, Rate::kCountMax));
  EXPECT_EQ(bucket.wait_ms(rate, 0, Rate::kCountMax), Rate::kIntervalMsMax);
  EXPECT_TRUE(bucket.take(rate, Rate::kIntervalMsMax, Rate::kCountMax));
  const Rate slow{.count = 1, .interval_ms = Rate::kIntervalMsMax, .burst = Rate::kCountMax};
  TokenBucket other(slow, 0);
  EXPECT_TRUE(other.take(slow, 0, Rate::kCountMax));
  EXPECT_EQ(drain(other, slow, std::int64_t{Rate::kIntervalMsMax} * 3), 3);
  EXPECT_TRUE(other.full(slow, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace
}  // namespace tidewire::policy
