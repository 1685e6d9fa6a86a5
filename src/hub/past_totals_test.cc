#include "hub/past_totals.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace tidewire::hub {
namespace {

namespace limits = base::limits;

DialectTotals totals(std::uint64_t first) { return {first, 1, 0, 0}; }

TEST(PastTotals, KeepsWhatItIsGivenUntilItIsTaken) {
  PastTotals past;
  past.keep({"red", "/a"}, totals(7));
  EXPECT_EQ(past.find({"red", "/a"}), totals(7));
  EXPECT_EQ(past.find({"blue", "/a"}), DialectTotals{});
  EXPECT_EQ(past.take({"red", "/b"}), DialectTotals{});
  EXPECT_EQ(past.take({"red", "/a"}), totals(7));
  EXPECT_EQ(past.take({"red", "/a"}), DialectTotals{});
  EXPECT_FALSE(past.lost("red"));
}

TEST(PastTotals, LosesWhatIsBeyondTheBoundOfATenantAndSaysSo) {
  PastTotals past;
  for (std::size_t i = 0; i < limits::kPastNamespacesPerTenantMax; ++i) past.keep({"red", "/" + std::to_string(i)}, totals(1));
  EXPECT_FALSE(past.lost("red"));
  past.keep({"red", "/more"}, DialectTotals{});
  EXPECT_FALSE(past.lost("red")) << "nothing is no loss";
  past.keep({"red", "/more"}, totals(1));
  past.keep({"blue", "/a"}, totals(2));
  EXPECT_TRUE(past.lost("red"));
  EXPECT_FALSE(past.lost("blue"));
  EXPECT_EQ(past.find({"red", "/more"}), DialectTotals{});
  EXPECT_EQ(past.find({"red", "/0"}), totals(1));
  EXPECT_EQ(past.find({"blue", "/a"}), totals(2));
}

TEST(PastTotals, LosesWhatIsBeyondTheBoundOfTenantsAndSaysSo) {
  PastTotals past;
  for (std::size_t i = 0; i < limits::kPastTenantsMax; ++i) past.keep({std::to_string(i), "/a"}, totals(1));
  EXPECT_FALSE(past.lost("one more"));
  past.keep({"one more", "/a"}, totals(1));
  EXPECT_TRUE(past.lost("one more"));
  EXPECT_FALSE(past.lost("0"));
  EXPECT_EQ(past.take({"0", "/a"}), totals(1));
  past.keep({"one more", "/b"}, totals(3));
  EXPECT_EQ(past.find({"one more", "/b"}), totals(3)) << "there is room again";
}

}  // namespace
}  // namespace tidewire::hub
