#include "policy/rate_table.h"

#include <gtest/gtest.h>

namespace tidewire::policy {
namespace {

constexpr Rate kTwoPerSecond{.count = 2, .interval_ms = 1'000, .burst = 2};

TEST(RateTable, KeepsKeysApart) {
  RateTable table(kTwoPerSecond);
  EXPECT_TRUE(table.take("a", 0));
  EXPECT_TRUE(table.take("a", 0));
  EXPECT_FALSE(table.take("a", 0));
  EXPECT_TRUE(table.take("b", 0, 2));
  EXPECT_FALSE(table.take("b", 0));
  EXPECT_TRUE(table.take("a", 500));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.wait_ms("a", 500), 500);
  EXPECT_EQ(table.wait_ms("b", 500), 0);
  EXPECT_EQ(table.wait_ms("never seen", 500, 2), 0);
  EXPECT_EQ(table.size(), 2u);
}

TEST(RateTable, EvictsTheLongestUnusedFullBucketFirst) {
  RateTable table(kTwoPerSecond, 3);
  table.take("drained", 0, 2);
  table.take("first full", 200);
  table.take("second full", 210);
  // At 750 the oldest has one and a half tokens, the other two are full again.
  EXPECT_TRUE(table.take("new", 750, 2));
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.wait_ms("drained", 750, 2), 250);  // still there
  EXPECT_FALSE(table.take("new", 750));
  // "first full" is gone and comes back in place of "second full": the only full one.
  EXPECT_TRUE(table.take("first full", 750, 2));
  EXPECT_EQ(table.wait_ms("drained", 750, 2), 250);
  EXPECT_EQ(table.wait_ms("new", 750, 2), 1'000);
}

TEST(RateTable, EvictsTheOldestWhenNoneIsFull) {
  RateTable table(kTwoPerSecond, 3);
  for (const char* key : {"a", "b", "c"}) table.take(key, 0, 2);
  table.take("a", 1);  // refused, but used
  EXPECT_TRUE(table.take("d", 2, 2));
  EXPECT_GT(table.wait_ms("a", 2), 0);
  EXPECT_GT(table.wait_ms("c", 2), 0);
  EXPECT_EQ(table.wait_ms("b", 2), 0);  // forgotten
  EXPECT_EQ(table.size(), 3u);
}

TEST(RateTable, StaysWithinItsBound) {
  RateTable table(kTwoPerSecond, 100);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(table.take("key" + std::to_string(i), i / 10));
    EXPECT_LE(table.size(), 100u);
  }
  for (int i = 9'900; i < 10'000; ++i) EXPECT_GT(table.wait_ms("key" + std::to_string(i), 999, 2), 0) << i;
  RateTable smallest(kTwoPerSecond, 0);
  EXPECT_TRUE(smallest.take("a", 0));
  EXPECT_TRUE(smallest.take("b", 0));
  EXPECT_TRUE(smallest.take("a", 0, 2));
  EXPECT_EQ(smallest.size(), 1u);
}

TEST(RateTable, CutsLongKeys) {
  RateTable table(kTwoPerSecond);
  const std::string key(RateTable::kKeyBytesMax, 'k');
  EXPECT_TRUE(table.take(key + "1", 0, 2));
  EXPECT_FALSE(table.take(key + "2", 0));
  EXPECT_GT(table.wait_ms(key + "3", 0), 0);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.take("", 0, 2));
  EXPECT_FALSE(table.take("", 0));
}

TEST(RateTable, CountsWhatStrangersMakeItHold) {
  const std::int64_t before = base::unsettled_bytes;
  {
    RateTable table(kTwoPerSecond, 10);
    for (int i = 0; i < 100; ++i) table.take(std::string(200, 'x') + std::to_string(i), 0);
    const std::int64_t held = base::unsettled_bytes - before;
    EXPECT_GT(held, 10 * 200);
    EXPECT_LT(held, 10 * 300);
  }
  EXPECT_EQ(base::unsettled_bytes, before);
}

TEST(AddressKey, IsTheNetworkOfOneCustomer) {
  EXPECT_EQ(address_key("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(address_key("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(address_key("2001:db8:0:1::5"), "2001:db8:0:1::/64");
  EXPECT_EQ(address_key("2001:0DB8:0:1:ffff:ffff:ffff:ffff"), "2001:db8:0:1::/64");
  EXPECT_NE(address_key("2001:db8:0:2::5"), address_key("2001:db8:0:1::5"));
  EXPECT_EQ(address_key("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(address_key("::1"), "::/64");
  EXPECT_EQ(address_key("unix"), "unix");
  EXPECT_EQ(address_key(""), "");
}

}  // namespace
}  // namespace tidewire::policy
