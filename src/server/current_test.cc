#include "server/current.h"

#include <gtest/gtest.h>

#include <thread>

namespace tidewire::server {
namespace {

std::shared_ptr<const int> number(int value) { return std::make_shared<const int>(value); }

TEST(Current, IsTakenOverByEachShardWhenItLooks) {
  Current<int> current(number(1), 2);
  const int& before = *current.on_shard(0);
  current.replace(number(2));
  EXPECT_EQ(before, 1) << "a shard in the middle of something keeps what it has";
  EXPECT_EQ(*current.get(), 2);
  EXPECT_EQ(*current.on_shard(0), 2);
  EXPECT_EQ(*current.on_shard(1), 2);
  EXPECT_EQ(current.on_shard(1), current.on_shard(0)) << "one value for all";
}

TEST(Current, IsFreedWhenTheLastShardHasLetGo) {
  const auto first = std::make_shared<const int>(1);
  Current<int> current(first, 2);
  static_cast<void>(current.on_shard(0));
  static_cast<void>(current.on_shard(1));
  current.replace(number(2));
  static_cast<void>(current.on_shard(0));
  EXPECT_EQ(first.use_count(), 2);
  static_cast<void>(current.on_shard(1));
  EXPECT_EQ(first.use_count(), 1);
}

TEST(Current, IsReadWhileItIsReplaced) {
  constexpr int kLast = 10'000;
  Current<int> current(number(0), 2);
  const auto read = [&current](std::uint32_t shard) {
    for (int seen = 0; seen < kLast;) {
      const int now = *current.on_shard(shard);
      ASSERT_GE(now, seen) << "never back to an older one";
      seen = now;
    }
  };
  std::thread one(read, 0);
  std::thread other(read, 1);
  for (int i = 1; i <= kLast; ++i) current.replace(number(i));
  one.join();
  other.join();
}

}  // namespace
}  // namespace tidewire::server
