#include "base/out_queue.h"

#include <gtest/gtest.h>
#include <sys/uio.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/random.h"

namespace tidewire::base {
namespace {

std::string gathered(const OutQueue& queue, std::size_t parts_max = 64) {
  std::vector<iovec> parts(parts_max);
  const std::size_t count = queue.gather(parts);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return bytes;
}

void push(OutQueue& queue, std::string_view bytes, Lane lane = Lane::kNormal) { queue.push(Frame::copy(bytes), lane); }

TEST(OutQueue, IsEightBytesAndStartsEmpty) {
  static_assert(sizeof(OutQueue) == 8);
  const OutQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(gathered(queue), "");
  EXPECT_EQ(queue.only_frame(), "");
}

TEST(OutQueue, ShowsALoneFrameOnTheFastPath) {
  OutQueue queue;
  push(queue, "alone");
  EXPECT_EQ(queue.only_frame(), "alone");
  EXPECT_EQ(queue.frame_count(), 1u);
  queue.consume(5);
  EXPECT_TRUE(queue.empty());
}

TEST(OutQueue, ServesHigherLanesFirstAndKeepsOrderInside) {
  OutQueue queue;
  push(queue, "n1 ");
  push(queue, "l1 ", Lane::kLow);
  push(queue, "c1 ", Lane::kControl);
  push(queue, "h1 ", Lane::kHigh);
  push(queue, "n2 ");
  push(queue, "c2 ", Lane::kControl);
  EXPECT_EQ(gathered(queue), "c1 c2 h1 n1 n2 l1 ");
  EXPECT_EQ(gathered(queue, 2), "c1 c2 ");
  EXPECT_EQ(queue.frame_count(), 6u);
  EXPECT_EQ(queue.bytes(), 18u);
}

TEST(OutQueue, FinishesAFrameThatHasBegunBeforeAHigherLane) {
  OutQueue queue;
  push(queue, "normal");
  queue.consume(2);
  push(queue, "control", Lane::kControl);
  EXPECT_EQ(gathered(queue), "rmalcontrol");
  EXPECT_EQ(queue.only_frame(), "");
  queue.consume(4);
  EXPECT_EQ(gathered(queue), "control");
}

TEST(OutQueue, PopsWholeFramesInOrder) {
  OutQueue queue;
  push(queue, "a");
  push(queue, "b", Lane::kHigh);
  EXPECT_EQ(queue.pop().wire(), "b");
  EXPECT_EQ(queue.pop().wire(), "a");
  EXPECT_TRUE(queue.empty());
  push(queue, "lone");
  EXPECT_EQ(queue.pop().wire(), "lone");
}

TEST(OutQueue, RemembersSinceWhenItIsBlockedUntilItIsEmpty) {
  OutQueue queue;
  push(queue, "waits");
  EXPECT_EQ(queue.blocked_since(), 0);
  queue.set_blocked_since(77);
  EXPECT_EQ(queue.blocked_since(), 77);
  EXPECT_EQ(gathered(queue), "waits");
  queue.consume(5);
  push(queue, "next");
  push(queue, "next");
  EXPECT_EQ(queue.blocked_since(), 0);
}

TEST(OutQueue, DropsAllButTheFrameThatHasBegun) {
  OutQueue queue;
  push(queue, "begun");
  push(queue, "second");
  queue.consume(2);
  push(queue, "control", Lane::kControl);
  queue.drop_rest();
  EXPECT_EQ(queue.bytes(), 3u);
  EXPECT_EQ(queue.frame_count(), 1u);
  push(queue, "close", Lane::kControl);
  EXPECT_EQ(gathered(queue), "gunclose");
  queue.consume(4);
  EXPECT_EQ(gathered(queue), "lose");
  queue.consume(4);
  EXPECT_TRUE(queue.empty());
}

TEST(OutQueue, DropsEverythingWhenNothingHasBegun) {
  OutQueue queue;
  queue.drop_rest();
  push(queue, "lone");
  queue.drop_rest();
  EXPECT_TRUE(queue.empty());
  push(queue, "first");
  push(queue, "low", Lane::kLow);
  queue.drop_rest();
  EXPECT_TRUE(queue.empty());
}

TEST(OutQueue, MovesWithItsFrames) {
  OutQueue from;
  push(from, "a");
  push(from, "b");
  OutQueue to(std::move(from));
  EXPECT_EQ(gathered(to), "ab");
  OutQueue third;
  push(third, "gone");
  third = std::move(to);
  EXPECT_EQ(gathered(third), "ab");
  third.clear();
  EXPECT_TRUE(third.empty());
}

// Random pushes and partial consumption give the bytes that four plain lists with the rule of the head frame give.
TEST(OutQueue, AgreesWithFourLists) {
  SeededRandom random(11);
  OutQueue queue;
  std::array<std::deque<std::string>, kLaneCount> lanes;
  std::size_t begun = kLaneCount;
  char next = 'a';
  for (int step = 0; step < 20'000; ++step) {
    if (random.below(2) == 0) {
      const std::size_t lane = random.below(kLaneCount);
      lanes[lane].emplace_back(1 + random.below(20), next);
      push(queue, lanes[lane].back(), static_cast<Lane>(lane));
      next = next == 'z' ? 'a' : static_cast<char>(next + 1);
    } else {
      std::size_t count = std::min<std::size_t>(random.below(60), queue.bytes());
      const std::string head = gathered(queue, 4).substr(0, count);
      count = head.size();
      queue.consume(count);
      std::string expected;
      while (expected.size() < count) {
        std::size_t lane = begun;
        if (lane == kLaneCount) {
          for (lane = 0; lanes[lane].empty();) ++lane;
        }
        std::string& front = lanes[lane].front();
        const std::size_t taken = std::min(front.size(), count - expected.size());
        expected += front.substr(0, taken);
        front.erase(0, taken);
        begun = front.empty() ? kLaneCount : lane;
        if (front.empty()) lanes[lane].pop_front();
      }
      EXPECT_EQ(head, expected);
    }
    std::size_t bytes = 0;
    for (const auto& lane : lanes) {
      for (const std::string& frame : lane) bytes += frame.size();
    }
    ASSERT_EQ(queue.bytes(), bytes);
    ASSERT_EQ(queue.empty(), bytes == 0);
  }
}

}  // namespace
}  // namespace tidewire::base
