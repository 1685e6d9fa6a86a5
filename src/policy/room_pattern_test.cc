#include "policy/room_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::policy {
namespace {

using testing::HasSubstr;

RoomPattern compiled(std::string_view text) {
  const Result<RoomPattern> result = RoomPattern::compile(text);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *result : *RoomPattern::compile("x");
}

// "name=value ..." or "no".
std::string matched(std::string_view pattern, std::string_view room) {
  const RoomPattern compiled_pattern = compiled(pattern);
  const std::optional<RoomMatch> match = compiled_pattern.match(room);
  if (!match) return "no";
  std::string text;
  for (const auto& [name, value] : match->values()) text.append(name).append("=").append(value).append(" ");
  return text;
}

TEST(RoomPattern, MatchesSegmentBySegment) {
  EXPECT_EQ(matched("global", "global"), "");
  EXPECT_EQ(matched("global", "globa"), "no");
  EXPECT_EQ(matched("global", "global:"), "no");
  EXPECT_EQ(matched("a:b", "a:b"), "");
  EXPECT_EQ(matched("user:{id}", "user:42"), "id=42 ");
  EXPECT_EQ(matched("user:{id}", "user:{id}"), "id={id} ");
  EXPECT_EQ(matched("user:{id}", "user:"), "no");
  EXPECT_EQ(matched("user:{id}", "user:42:x"), "no");
  EXPECT_EQ(matched("user:{id}", "user:42:"), "no");
  EXPECT_EQ(matched("user:{id}", "user::42"), "no");
  EXPECT_EQ(matched("user:{id}", "User:42"), "no");
  EXPECT_EQ(matched("user:{id}", "xuser:42"), "no");
  EXPECT_EQ(matched("user:{id}", "user"), "no");
  EXPECT_EQ(matched("doc:{project}:{id}", "doc:a:b"), "project=a id=b ");
  EXPECT_EQ(matched("doc:{project}:{id}", "doc:a"), "no");
  EXPECT_EQ(matched("doc:{project}:{id}", "doc::b"), "no");
  EXPECT_EQ(matched("doc:{project}:{id}", "doc:a:b:c"), "no");
  EXPECT_EQ(matched("lobby-{n}", "lobby-1-2"), "n=1-2 ");
  EXPECT_EQ(matched("lobby-{n}", "lobby-"), "no");
  EXPECT_EQ(matched("{any}", "x"), "any=x ");
  EXPECT_EQ(matched("{any}", "x:y"), "no");
  EXPECT_EQ(matched("{t}:private", "7:private"), "t=7 ");
  EXPECT_EQ(matched("{t}:private", "7:privatee"), "no");
  EXPECT_EQ(matched("a::{x}", "a::1"), "x=1 ");
}

TEST(RoomPattern, AnswersByName) {
  const RoomPattern pattern = compiled("doc:{project}:{id}");
  EXPECT_THAT(pattern.names(), testing::ElementsAre("project", "id"));
  EXPECT_FALSE(pattern.exact());
  const std::optional<RoomMatch> match = pattern.match("doc:p:7");
  ASSERT_TRUE(match);
  EXPECT_EQ((*match)["id"], "7");
  EXPECT_EQ((*match)["project"], "p");
  EXPECT_EQ((*match)["other"], "");
  EXPECT_TRUE(compiled("global").exact());
}

TEST(RoomPattern, RefusesWhatWouldBeAmbiguous) {
  for (const auto& [text, why] : {std::pair{"{a}{b}", "byte 3"}, std::pair{"{a}-{b}", "byte 3"}, std::pair{"x:{a}y", "byte 5"},
                                  std::pair{"{a}:{a}", "comes twice"}, std::pair{"", "is empty"}, std::pair{"user:{", "never closed"},
                                  std::pair{"a\n", "control characters"}, std::pair{"{a}:{b}:{c}:{d}:{e}:{f}:{g}:{h}:{i}", "8 places"}}) {
    const Result<RoomPattern> result = RoomPattern::compile(text);
    EXPECT_FALSE(result.ok()) << text;
    EXPECT_THAT(result.status().message(), HasSubstr(why));
  }
  EXPECT_TRUE(RoomPattern::compile("{a}:{b}:{c}:{d}:{e}:{f}:{g}:{h}").ok());
  EXPECT_TRUE(RoomPattern::compile(std::string(128, 'x')).ok());
  EXPECT_FALSE(RoomPattern::compile(std::string(129, 'x')).ok());
}

TEST(RoomPatternTable, PrefersTheMostParticular) {
  const std::vector<std::string> patterns = {"{any}", "user:{id}", "user:me", "{kind}:42", "user:4{rest}", "{a}:{b}", "{kind}:settings", "project:{id}:chat"};
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"user:me", "user:me"},        {"user:7", "user:{id}"},   {"user:42", "user:4{rest}"},           {"user:4", "user:{id}"}, {"doc:42", "{kind}:42"},
      {"doc:43", "{a}:{b}"},         {"lobby", "{any}"},        {"user:settings", "{kind}:settings"},  {"project:1:chat", "project:{id}:chat"}};
  for (std::size_t turn = 0; turn < patterns.size(); ++turn) {  // whatever the order of adding
    RoomPatternTable<std::string> table;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const std::string& text = patterns[(i * 3 + turn) % patterns.size()];
      EXPECT_TRUE(table.add(compiled(text), text).ok());
    }
    EXPECT_EQ(table.size(), patterns.size());
    for (const auto& [room, pattern] : expected) {
      const auto found = table.find(room);
      ASSERT_TRUE(found) << room;
      EXPECT_EQ(*found->value, pattern) << room;
    }
    EXPECT_FALSE(table.find("a:b:c"));
    EXPECT_EQ(table.find("user:7")->match["id"], "7");
  }
}

TEST(RoomPatternTable, OfEqualWeightTheEarlierLiteralWins) {
  for (const bool turned : {false, true}) {
    RoomPatternTable<int> table;
    EXPECT_TRUE(table.add(compiled(turned ? "a:{x}" : "{x}:a"), turned ? 1 : 2).ok());
    EXPECT_TRUE(table.add(compiled(turned ? "{x}:a" : "a:{x}"), turned ? 2 : 1).ok());
    EXPECT_EQ(*table.find("a:a")->value, 1);
  }
}

TEST(RoomPatternTable, RefusesTwoOfOneShape) {
  RoomPatternTable<int> table;
  EXPECT_TRUE(table.add(compiled("user:{id}"), 1).ok());
  EXPECT_TRUE(table.add(compiled("user:{id}:x"), 1).ok());
  EXPECT_TRUE(table.add(compiled("users:{id}"), 1).ok());
  EXPECT_TRUE(table.add(compiled("global"), 1).ok());
  EXPECT_EQ(table.add(compiled("user:{name}"), 2).message(), "the room patterns user:{id} and user:{name} match the same rooms");
  EXPECT_EQ(table.add(compiled("global"), 2).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(table.size(), 4u);
}

TEST(RoomPatternTable, IsBounded) {
  RoomPatternTable<int> table;
  for (std::size_t i = 0; i < table.kPatternsMax; ++i) EXPECT_TRUE(table.add(compiled("r" + std::to_string(i) + ":{x}"), 1).ok());
  EXPECT_EQ(table.add(compiled("more"), 1).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(table.find("r999:x"));
}

TEST(RoomName, IsShortPlainText) {
  for (const std::string& good : {std::string("a"), std::string(128, 'x'), std::string("\xf0\x9f\x98\x80"), std::string("<img src=x>")}) {
    EXPECT_TRUE(valid_room_name(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string(129, 'x'), std::string("a\nb"), std::string(1, '\0'), std::string("\x7f"),
                                 std::string("\xc2\x80"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80")}) {
    EXPECT_FALSE(valid_room_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace tidewire::policy
