#include "base/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace tidewire::base {
namespace {

TEST(Mailbox, AsksForAWakeUpOncePerBatch) {
  Mailbox<int> mailbox;
  int item = 1;
  EXPECT_EQ(mailbox.push(item), PushResult::kQueuedWake);
  EXPECT_EQ(mailbox.push(item), PushResult::kQueued);
  EXPECT_EQ(mailbox.take().size(), 2u);
  EXPECT_EQ(mailbox.push(item), PushResult::kQueuedWake);
}

TEST(Mailbox, LeavesTheItemAloneWhenFull) {
  Mailbox<std::unique_ptr<int>> mailbox(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(mailbox.push(first), PushResult::kQueuedWake);
  EXPECT_EQ(mailbox.push(second), PushResult::kFull);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
  EXPECT_EQ(*mailbox.take().front(), 1);
  EXPECT_EQ(mailbox.push(second), PushResult::kQueuedWake);
}

TEST(Mailbox, TakesWhatGoesBeyondItsBound) {
  Mailbox<int> mailbox(1);
  std::vector<int> items = {1, 2, 3};
  EXPECT_EQ(mailbox.push(items[0]), PushResult::kQueuedWake);
  EXPECT_EQ(mailbox.push(items[1], true), PushResult::kQueued);
  EXPECT_EQ(mailbox.push(items[2]), PushResult::kFull);
  EXPECT_EQ(mailbox.take(), (std::vector<int>{1, 2}));
}

TEST(Mailbox, TakesNothingOnceItIsClosed) {
  Mailbox<std::unique_ptr<int>> mailbox;
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(mailbox.push(first), PushResult::kQueuedWake);
  EXPECT_EQ(mailbox.close().size(), 1u);
  EXPECT_EQ(mailbox.push(second), PushResult::kClosed);
  EXPECT_EQ(mailbox.push(second, true), PushResult::kClosed);
  ASSERT_NE(second, nullptr) << "untouched";
  EXPECT_TRUE(mailbox.take().empty());
  EXPECT_TRUE(mailbox.close().empty());
}

TEST(Mailbox, KeepsTheOrderOfEachSender) {
  constexpr std::size_t kSenders = 4;
  constexpr int kItems = 5000;
  Mailbox<std::pair<std::size_t, int>> mailbox;
  std::vector<std::thread> senders;
  for (std::size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&mailbox, sender] {
      for (int i = 0; i < kItems; ++i) {
        std::pair item(sender, i);
        EXPECT_NE(mailbox.push(item), PushResult::kFull);
      }
    });
  }
  std::vector<int> next(kSenders, 0);
  std::size_t received = 0;
  while (received < kSenders * kItems) {
    for (const auto& [sender, item] : mailbox.take()) {
      EXPECT_EQ(item, next[sender]++);
      ++received;
    }
    std::this_thread::yield();
  }
  for (std::thread& sender : senders) sender.join();
}

}  // namespace
}  // namespace tidewire::base
