// The chat from many seeds. TIDEWIRE_SEEDS=N runs N of them per number of shards, TIDEWIRE_SEED=S only that one.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "sim/chat.h"

namespace tidewire::sim {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class ChatOverShards : public testing::TestWithParam<std::uint32_t> {
 protected:
  ChatOutcome run(std::uint64_t seed) {
    ChatOutcome outcome = Chat(seed, GetParam()).run();
    for (const std::string& violation : outcome.violations) {
      ADD_FAILURE() << "seed " << seed << ", " << violation << "\nplay again: TIDEWIRE_SEED=" << seed
                    << " sim_test --gtest_filter='*HoldsForEverySeed/" << GetParam() << "'";
    }
    return outcome;
  }
};

TEST_P(ChatOverShards, HoldsForEverySeed) {
  const std::uint64_t only = from_environment("TIDEWIRE_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : from_environment("TIDEWIRE_SEEDS", 100);
  ChatOutcome total;
  for (std::uint64_t seed = first; seed <= last && !HasFailure(); ++seed) {
    const ChatOutcome outcome = run(seed);
    total.heard += outcome.heard;
    total.slow += outcome.slow;
    total.upgrades += outcome.upgrades;
    total.handed_over += outcome.handed_over;
    total.trace ^= outcome.trace;
  }
  std::cout << total.heard << " messages heard, " << total.slow << " slow people cut off, " << total.upgrades << " upgrades, "
            << total.handed_over << " connections handed over, trace " << total.trace << "\n";
  if (only != 0) return;
  // The scenario is worth its name.
  EXPECT_GT(total.heard, 0u);
  EXPECT_GT(total.handed_over, 0u);
  EXPECT_GT(total.slow, 0u);
  EXPECT_GT(total.upgrades, 0u);
}

TEST_P(ChatOverShards, TellsTheSameStoryFromTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(run(seed).trace, run(seed).trace) << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Simulated, ChatOverShards, testing::Values(2u, 3u), testing::PrintToStringParamName());

}  // namespace
}  // namespace tidewire::sim
