#include "server/log_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidewire::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kStartUs = 1'700'000'000'000'000;
constexpr std::int64_t kSecondUs = LogLimit::kSecondUs;

class Limit : public testing::Test {
 protected:
  // How many of `lines` lines pass.
  int pass(int lines, std::string_view message, std::int64_t now_us, LogLevel level = LogLevel::kInfo) {
    int passed = 0;
    for (int i = 0; i < lines; ++i) passed += limit.admit(level, message, now_us) ? 1 : 0;
    return passed;
  }

  std::vector<std::string> reports;
  LogLimit limit{10, [this](const LogLimit::Summary& summary) {
                   reports.push_back(std::to_string(static_cast<int>(summary.level)) + " " + std::string(summary.message) + " " +
                                     std::to_string(summary.suppressed));
                 }};
};

TEST_F(Limit, LetsSoManyLinesOfAKindPassInASecond) {
  EXPECT_EQ(pass(100, "a", kStartUs), 10);
  EXPECT_EQ(pass(100, "a", kStartUs + kSecondUs - 1), 0);
  EXPECT_THAT(reports, IsEmpty());
  EXPECT_TRUE(limit.holds_back());
  EXPECT_EQ(pass(100, "a", kStartUs + kSecondUs), 10);
  EXPECT_THAT(reports, ElementsAre("2 a 190"));
}

TEST_F(Limit, CountsEachMessageAndLevelAlone) {
  EXPECT_EQ(pass(11, "a", kStartUs), 10);
  EXPECT_EQ(pass(10, "b", kStartUs), 10);
  EXPECT_EQ(pass(10, "", kStartUs), 10);
  EXPECT_EQ(pass(10, "a", kStartUs, LogLevel::kError), 10);
}

TEST_F(Limit, ReportsOnceWhenTheSecondIsOver) {
  pass(11, "a", kStartUs);
  limit.sweep(kStartUs + kSecondUs - 1);
  EXPECT_THAT(reports, IsEmpty());
  limit.sweep(kStartUs + kSecondUs);
  limit.sweep(kStartUs + 2 * kSecondUs);
  EXPECT_THAT(reports, ElementsAre("2 a 1"));
  EXPECT_FALSE(limit.holds_back());
}

TEST_F(Limit, ReportsNothingOfWhatPassed) {
  pass(10, "a", kStartUs);
  EXPECT_FALSE(limit.holds_back());
  limit.sweep(kStartUs + kSecondUs);
  limit.finish();
  EXPECT_THAT(reports, IsEmpty());
}

TEST_F(Limit, EndsEachKindInItsOwnTime) {
  pass(12, "a", kStartUs);
  pass(13, "b", kStartUs + kSecondUs / 2);
  limit.sweep(kStartUs + kSecondUs);
  EXPECT_THAT(reports, ElementsAre("2 a 2"));
  limit.sweep(kStartUs + kSecondUs * 3 / 2);
  EXPECT_THAT(reports, ElementsAre("2 a 2", "2 b 3"));
}

TEST_F(Limit, ReportsEverythingAtTheEnd) {
  pass(12, "a", kStartUs);
  limit.finish();
  EXPECT_THAT(reports, ElementsAre("2 a 2"));
  EXPECT_FALSE(limit.holds_back());
}

TEST_F(Limit, TakesALittleOlderLinesAsOfTheSameSecond) {
  pass(10, "a", kStartUs);
  EXPECT_EQ(pass(10, "a", kStartUs - 500), 0);
}

TEST_F(Limit, SurvivesAClockThatLeaps) {
  pass(12, "a", kStartUs);
  EXPECT_EQ(pass(12, "a", kStartUs - 3600 * kSecondUs), 10);
  EXPECT_THAT(reports, ElementsAre("2 a 2"));
  EXPECT_EQ(pass(12, "a", kStartUs + 3600 * kSecondUs), 10);
  EXPECT_THAT(reports, ElementsAre("2 a 2", "2 a 2"));
}

TEST_F(Limit, KnowsSoManyKindsAndNoMore) {
  for (std::size_t i = 0; i < LogLimit::kKindsMax; ++i) EXPECT_EQ(pass(10, "kind " + std::to_string(i), kStartUs), 10);
  int others = 0;
  for (int i = 0; i < 1'000; ++i) others += pass(1, "other " + std::to_string(i), kStartUs);
  EXPECT_EQ(others, 10);
  EXPECT_EQ(pass(10, "another", kStartUs, LogLevel::kError), 10) << "errors are no others";
  limit.sweep(kStartUs + kSecondUs);
  EXPECT_THAT(reports, ElementsAre("2 lines of other kinds 990"));
  EXPECT_EQ(pass(20, "other 1", kStartUs + kSecondUs), 10) << "there is room again";
}

TEST(NoLimit, LetsEverythingPass) {
  LogLimit limit(0, [](const LogLimit::Summary&) { FAIL(); });
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(limit.admit(LogLevel::kInfo, "a", kStartUs));
  limit.finish();
}

}  // namespace
}  // namespace tidewire::server
