#include "base/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace tidewire::base {
namespace {

TEST(Frame, HoldsItsBytesForEveryHolder) {
  Frame second;
  {
    const Frame first = Frame::copy("shared bytes");
    second = first;
    EXPECT_TRUE(first == second);
  }
  EXPECT_EQ(second.wire(), "shared bytes");
}

TEST(Frame, HoldsEverySize) {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 129u, 512u, 513u, 1536u, 4608u, 4609u, 1'000'000u}) {
    const std::string bytes(size, 'x');
    EXPECT_EQ(Frame::copy(bytes).wire(), bytes);
    EXPECT_GE(Frame::allocate(size).capacity(), size);
  }
}

TEST(Frame, ShowsTheExtentThatWasSet) {
  Frame frame = Frame::allocate(10);
  std::memcpy(frame.data(), "0123456789", 10);
  frame.set_extent(3, 4);
  EXPECT_EQ(frame.wire(), "3456");
}

TEST(Frame, StartsCleanWhenItsBlockIsUsedAgain) {
  for (int i = 0; i < 3; ++i) {
    Frame frame = Frame::copy("again");
    EXPECT_EQ(frame.packet_count(), 0);
    EXPECT_TRUE(frame.compressible());
    int made = 0;
    frame.twin(Frame::kPolling, [&](const Frame&) { ++made; return Frame::copy("twin"); });
    EXPECT_EQ(made, 1);
    frame.set_packet_count(3);
    frame.set_compressible(false);
  }
}

TEST(Frame, MakesATwinOnceAndSharesIt) {
  const Frame frame = Frame::copy("original");
  int made = 0;
  const auto make = [&](const Frame& of) {
    ++made;
    return Frame::copy("twin of " + std::string(of.wire()));
  };
  const Frame twin = frame.twin(Frame::kDeflated, make);
  EXPECT_EQ(twin.wire(), "twin of original");
  EXPECT_TRUE(frame.twin(Frame::kDeflated, make) == twin);
  EXPECT_EQ(made, 1);
}

TEST(Frame, CrossesThreadsWithItsTwins) {
  for (int round = 0; round < 50; ++round) {
    Frame frame = Frame::copy("crosses");
    frame.twin(Frame::kPolling, [](const Frame&) { return Frame::copy("twin"); });
    frame.share();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([frame] {
        for (int j = 0; j < 200; ++j) {
          const Frame copy = frame;
          const Frame twin = copy.twin(Frame::kPolling, [](const Frame&) { return Frame(); });
          EXPECT_EQ(twin.wire(), "twin");
          const Frame own = copy.twin(Frame::kDeflated, [](const Frame&) { return Frame::copy("own"); });
          EXPECT_EQ(own.wire(), "own");
        }
      });
    }
    frame = Frame();
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(Frame, KeepsItsReferenceThroughAHandle) {
  Frame frame = Frame::copy("tagged");
  void* handle = frame.release_handle();
  EXPECT_FALSE(frame);
  EXPECT_EQ(Frame::wire_of_handle(handle), "tagged");
  EXPECT_EQ(Frame::from_handle(handle).wire(), "tagged");
}

}  // namespace
}  // namespace tidewire::base
