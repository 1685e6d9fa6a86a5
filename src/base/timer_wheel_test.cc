#include "base/timer_wheel.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"

namespace tidewire::base {
namespace {

class TestTimer final : public Timer {
 public:
  explicit TestTimer(std::function<void(Milliseconds)> call) : call_(std::move(call)) {}

 private:
  void expired(Milliseconds now) override { call_(now); }
  std::function<void(Milliseconds)> call_;
};

TEST(TimerWheel, FiresNeverEarlyAndAtMostOneTickLate) {
  for (const Milliseconds delay : {1, 3, 4, 5, 1000, 1023, 1024, 1025, 5000, 262'143, 262'144, 300'000, 3'600'000}) {
    for (const Milliseconds begin : {0, 1, 1021, 262'140, 123'456'789}) {
      TimerWheel wheel(begin);
      Milliseconds fired = -1;
      TestTimer timer([&](Milliseconds now) { fired = now; });
      wheel.arm(timer, begin + delay);
      Milliseconds now = begin;
      while (fired < 0 && now < begin + delay + 100) {
        now += std::max<Milliseconds>(wheel.next_wait(now, 60'000), 1);
        wheel.advance(now);
      }
      EXPECT_GE(fired, begin + delay) << begin;
      EXPECT_LE(fired, begin + delay + TimerWheel::kTickMs) << begin;
    }
  }
}

TEST(TimerWheel, KeepsATimerBeyondItsHorizon) {
  constexpr Milliseconds kTwoDays = 2 * 24 * 3'600'000;
  TimerWheel wheel(7);
  Milliseconds fired = -1;
  TestTimer timer([&](Milliseconds now) { fired = now; });
  wheel.arm(timer, kTwoDays);
  for (Milliseconds now = 7; fired < 0 && now < 2 * kTwoDays; now += 1000) wheel.advance(now);
  EXPECT_GE(fired, kTwoDays);
  EXPECT_LE(fired, kTwoDays + 1000);
}

TEST(TimerWheel, ForgetsWhatIsCancelledRearmedOrDestroyed) {
  TimerWheel wheel(0);
  std::vector<int> fired;
  TestTimer cancelled([&](Milliseconds) { fired.push_back(1); });
  TestTimer rearmed([&](Milliseconds) { fired.push_back(2); });
  auto destroyed = std::make_unique<TestTimer>([&](Milliseconds) { fired.push_back(3); });
  wheel.arm(cancelled, 10);
  wheel.arm(rearmed, 10);
  wheel.arm(*destroyed, 10);
  cancelled.cancel();
  wheel.arm(rearmed, 500);
  destroyed.reset();
  EXPECT_FALSE(cancelled.armed());
  EXPECT_EQ(wheel.advance(400), 0u);
  EXPECT_EQ(wheel.advance(600), 1u);
  EXPECT_THAT(fired, testing::ElementsAre(2));
}

TEST(TimerWheel, LetsATimerRearmItselfAndDestroyItsNeighbour) {
  TimerWheel wheel(0);
  int fired = 0;
  auto neighbour = std::make_unique<TestTimer>([&](Milliseconds) { FAIL(); });
  TestTimer* self = nullptr;
  TestTimer timer([&](Milliseconds now) {
    neighbour.reset();
    if (++fired < 5) wheel.arm(*self, now);
  });
  self = &timer;
  wheel.arm(timer, 10);
  wheel.arm(*neighbour, 10);
  for (Milliseconds now = 0; now < 100; now += 4) wheel.advance(now);
  EXPECT_EQ(fired, 5);
}

TEST(TimerWheel, DisarmsWhatIsLeftWhenItDies) {
  TestTimer timer([](Milliseconds) { FAIL(); });
  {
    TimerWheel wheel(0);
    wheel.arm(timer, 10);
  }
  EXPECT_FALSE(timer.armed());
}

TEST(TimerWheel, SleepsNoLongerThanTheNextTimer) {
  TimerWheel wheel(1000);
  TestTimer timer([](Milliseconds) {});
  EXPECT_EQ(wheel.next_wait(1000, 10), 10);
  wheel.arm(timer, 1016);
  EXPECT_LE(wheel.next_wait(1000, 60'000), 16);
  EXPECT_EQ(wheel.next_wait(2000, 60'000), 0);
  timer.cancel();
  EXPECT_GT(wheel.next_wait(1000, 60'000), 16);
}

// Hundreds of timers armed, moved and cancelled at random behave as their deadlines say, over all levels.
TEST(TimerWheel, AgreesWithAListOfDeadlines) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    Milliseconds now = static_cast<Milliseconds>(random.below(1'000'000));
    TimerWheel wheel(now);
    std::vector<std::unique_ptr<TestTimer>> timers;
    std::vector<Milliseconds> deadlines(200, -1);  // -1: not armed
    for (std::size_t i = 0; i < deadlines.size(); ++i) {
      timers.push_back(std::make_unique<TestTimer>([&deadlines, i](Milliseconds at) {
        EXPECT_GE(at, deadlines[i]);
        deadlines[i] = -1;
      }));
    }
    for (int step = 0; step < 2000; ++step) {
      const std::size_t i = random.below(deadlines.size());
      if (random.below(4) == 0) {
        timers[i]->cancel();
        deadlines[i] = -1;
      } else {
        deadlines[i] = now + static_cast<Milliseconds>(random.below(std::uint64_t{1} << random.below(20)));
        wheel.arm(*timers[i], deadlines[i]);
      }
      now += static_cast<Milliseconds>(random.below(std::uint64_t{1} << random.below(14)));
      wheel.advance(now);
      for (const Milliseconds deadline : deadlines) EXPECT_TRUE(deadline == -1 || deadline > now - 2 * TimerWheel::kTickMs);
    }
  }
}

}  // namespace
}  // namespace tidewire::base
