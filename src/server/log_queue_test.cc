#include "server/log_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidewire::server {
namespace {

using testing::ElementsAre;

std::vector<std::string> lines(const LogQueue& queue) {
  std::vector<std::string> out;
  queue.for_each([&](const LogLine& line) {
    std::string text = std::to_string(line.time_us) + " " + std::string(log_level_name(line.level)) + " " + std::string(line.message);
    for (const LogText& field : line.fields) text.append(" ").append(field.key).append("=").append(field.value);
    out.push_back(text);
  });
  return out;
}

TEST(LogQueue, GivesBackWhatItGotInOrder) {
  LogQueue queue;
  EXPECT_TRUE(queue.append(LogLevel::kInfo, 1, "one", {}));
  EXPECT_TRUE(queue.append(LogLevel::kError, 2, "", {{"a", "b"}, {"", ""}, {"c", std::string("\0", 1)}}));
  EXPECT_TRUE(queue.append(LogLevel::kTrace, -3, "three", {{"d", "e"}}));
  EXPECT_THAT(lines(queue), ElementsAre("1 info one", std::string("2 error  a=b = c=\0", 18), "-3 trace three d=e"));
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(lines(queue).empty());
}

TEST(LogQueue, CutsWhatIsLong) {
  LogQueue queue;
  ASSERT_TRUE(queue.append(LogLevel::kInfo, 0, std::string(1'000'000, 'm'),
                           {{std::string_view("0123456789012345678901234567890123456789012345678901234567890123456789"), std::string(1'000'000, 'v')}}));
  queue.for_each([](const LogLine& line) {
    EXPECT_EQ(line.message, std::string(LogQueue::kMessageBytesMax, 'm'));
    ASSERT_EQ(line.fields.size(), 1u);
    EXPECT_EQ(line.fields[0].key.size(), LogQueue::kKeyBytesMax);
    EXPECT_EQ(line.fields[0].value, std::string(LogQueue::kValueBytesMax, 'v'));
  });
}

TEST(LogQueue, KeepsSixteenFields) {
  LogQueue queue;
  ASSERT_TRUE(queue.append(LogLevel::kInfo, 0, "m", {{"1", ""}, {"2", ""}, {"3", ""}, {"4", ""}, {"5", ""}, {"6", ""}, {"7", ""}, {"8", ""},
                                                     {"9", ""}, {"10", ""}, {"11", ""}, {"12", ""}, {"13", ""}, {"14", ""}, {"15", ""},
                                                     {"16", ""}, {"17", ""}, {"18", ""}}));
  ASSERT_TRUE(queue.append(LogLevel::kInfo, 0, "next", {}));
  EXPECT_THAT(lines(queue), ElementsAre("0 info m 1= 2= 3= 4= 5= 6= 7= 8= 9= 10= 11= 12= 13= 14= 15= 16=", "0 info next"));
}

TEST(LogQueue, HoldsSoManyLinesAndSomeErrorsMore) {
  LogQueue queue;
  for (std::size_t i = 0; i < LogQueue::kLinesMax - LogQueue::kLinesForErrors; ++i) ASSERT_TRUE(queue.append(LogLevel::kWarn, 0, "m", {}));
  EXPECT_FALSE(queue.append(LogLevel::kWarn, 0, "m", {}));
  for (std::size_t i = 0; i < LogQueue::kLinesForErrors; ++i) ASSERT_TRUE(queue.append(LogLevel::kError, 0, "m", {}));
  EXPECT_FALSE(queue.append(LogLevel::kError, 0, "m", {}));
  EXPECT_EQ(queue.lines(), LogQueue::kLinesMax);
  EXPECT_EQ(queue.dropped(), 2u);
  queue.clear();
  EXPECT_EQ(queue.dropped(), 0u);
  EXPECT_TRUE(queue.append(LogLevel::kWarn, 0, "m", {}));
}

TEST(LogQueue, HoldsSoManyBytesAndSomeOfErrorsMore) {
  LogQueue queue;
  const std::string value(LogQueue::kValueBytesMax, 'v');
  const auto append = [&](LogLevel level) {
    return queue.append(level, 0, value, {{"a", value}, {"b", value}, {"c", value}, {"d", value}, {"e", value}, {"f", value}, {"g", value}});
  };
  while (append(LogLevel::kInfo)) {
  }
  const std::size_t lines = queue.lines();
  EXPECT_GT(lines * 8 * LogQueue::kValueBytesMax, (LogQueue::kBytesMax - LogQueue::kBytesForErrors) * 9 / 10);
  EXPECT_LT(lines * 8 * LogQueue::kValueBytesMax, LogQueue::kBytesMax - LogQueue::kBytesForErrors);
  while (append(LogLevel::kError)) {
  }
  EXPECT_GT(queue.lines(), lines);
  EXPECT_LT(queue.lines() * 8 * LogQueue::kValueBytesMax, LogQueue::kBytesMax);
  EXPECT_EQ(queue.dropped(), 2u);
}

TEST(CutText, EndsBetweenCharacters) {
  EXPECT_EQ(cut_text("abc", 3), "abc");
  EXPECT_EQ(cut_text("abcd", 3), "abc");
  EXPECT_EQ(cut_text("a\xc3\xa9", 2), "a");
  EXPECT_EQ(cut_text("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(cut_text("a\xf0\x9f\x98\x80", 4), "a");
  EXPECT_EQ(cut_text("a\xf0\x9f\x98\x80", 5), "a\xf0\x9f\x98\x80");
  EXPECT_EQ(cut_text("\xf0\x9f\x98\x80", 1), "");
  EXPECT_EQ(cut_text("", 0), "");
  EXPECT_EQ(cut_text("a", 0), "");
  EXPECT_EQ(cut_text(std::string(300, '\x80'), 256).size(), 253u) << "no text at all";
}

}  // namespace
}  // namespace tidewire::server
