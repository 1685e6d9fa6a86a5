#include "policy/rate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::policy {
namespace {

Rate parsed(std::string_view text) {
  const Result<Rate> rate = Rate::parse(text);
  EXPECT_TRUE(rate.ok()) << rate.status().message();
  return rate.value_or(Rate());
}

TEST(Rate, IsReadFromText) {
  EXPECT_EQ(parsed("10/s"), (Rate{10, 1'000, 10}));
  EXPECT_EQ(parsed("100/min"), (Rate{100, 60'000, 100}));
  EXPECT_EQ(parsed("1000/h"), (Rate{1'000, 3'600'000, 1'000}));
  EXPECT_EQ(parsed("5/10s"), (Rate{5, 10'000, 5}));
  EXPECT_EQ(parsed("10/s burst 20"), (Rate{10, 1'000, 20}));
  EXPECT_EQ(parsed("1/d"), (Rate{1, 86'400'000, 1}));
  EXPECT_EQ(parsed("3/250ms burst 1"), (Rate{3, 250, 1}));
  EXPECT_EQ(parsed("1000000/ms burst 1000000"), (Rate{1'000'000, 1, 1'000'000}));
  EXPECT_EQ(parsed("1/86400000ms"), (Rate{1, 86'400'000, 1}));
}

TEST(Rate, IsWrittenAsItIsRead) {
  for (const std::string_view text : {"10/s", "100/min", "5/10s", "10/s burst 20", "1/d", "3/250ms burst 1", "7/90s", "1/12h"}) {
    EXPECT_EQ(parsed(text).to_text(), text);
  }
  EXPECT_EQ(parsed("6/60s burst 6").to_text(), "6/min");
}

TEST(Rate, SaysWhatIsWrong) {
  for (const std::string_view text : {"", "/s", "10", "ten/s", "0/s", "-1/s", "+1/s", "1.5/s", " 1/s", "1000001/s", "99999999999/s", "10s", "10 /s",
                                      "10/", "10/m", "10/S", "10/sec", "10/ s", "10/0s", "10/25h", "10/2d", "10/86400001ms", "10/99999999999s",
                                      "10/s ", "10/s burst", "10/s burst ", "10/s burst 0", "10/s burst x", "10/s burst 1000001", "10/s burst 5x",
                                      "10/s  burst 5", "10/s bursts 5"}) {
    const Result<Rate> rate = Rate::parse(text);
    EXPECT_FALSE(rate.ok()) << text;
    EXPECT_THAT(rate.status().message(), testing::HasSubstr(": expected ")) << text;
  }
  EXPECT_EQ(Rate::parse("10/x").status().message(), "\"10/x\": expected ms, s, min, h or d after the '/'");
  EXPECT_THAT(Rate::parse(std::string(5'000, 'x')).status().message(), testing::SizeIs(testing::Lt(150u)));
}

}  // namespace
}  // namespace tidewire::policy
