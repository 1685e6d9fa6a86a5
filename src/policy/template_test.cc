#include "policy/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/room_pattern.h"

namespace tidewire::policy {
namespace {

using testing::HasSubstr;
using Use = Template::Use;

Template compiled(std::string_view text, Use use = Use::kRoom) {
  const Result<Template> result = Template::compile(text, use);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? *result : *Template::compile("x", Use::kText);
}

std::string refused(std::string_view text, Use use = Use::kRoom) {
  const Result<Template> result = Template::compile(text, use);
  EXPECT_FALSE(result.ok()) << text;
  return result.status().message();
}

Result<std::string> filled(std::string_view text, const Value& values, Use use = Use::kRoom) {
  return compiled(text, use).fill([&values](std::string_view path) { return value_at(values, path); });
}

// Why it cannot be filled with this `v`.
std::string blamed(const Value& v, std::string_view text = "r:{v}", Use use = Use::kRoom) {
  const Result<std::string> result = filled(text, Value::object({{"v", v}}), use);
  EXPECT_FALSE(result.ok()) << v.to_json();
  return result.status().message();
}

TEST(Template, IsFilledFromAMessage) {
  const Value values = Value::object({{"projectId", 7},
                                      {"sender", Value::object({{"id", "u-1"}, {"name", "Ann: the first"}})},
                                      {"payload", Value::object({{"room", "lobby"}})}});
  EXPECT_EQ(*filled("project:{projectId}", values), "project:7");
  EXPECT_EQ(*filled("user:{sender.id}", values), "user:u-1");
  EXPECT_EQ(*filled("{payload.room}", values), "lobby");
  EXPECT_EQ(*filled("doc-{projectId}:{sender.id}:x", values), "doc-7:u-1:x");
  EXPECT_EQ(*filled("global", values), "global");
  EXPECT_EQ(*filled("{sender.name} of {projectId}{projectId}!", values, Use::kText), "Ann: the first of 77!");
}

TEST(Template, ErrorsNameThePosition) {
  EXPECT_EQ(refused("user:{id"), "\"user:{id\": byte 5: the '{' is never closed");
  EXPECT_THAT(refused("a}b"), HasSubstr("byte 1: a '}' without a '{'"));
  EXPECT_THAT(refused("a:{b}}"), HasSubstr("byte 5: "));
  EXPECT_THAT(refused("{a}{b}"), HasSubstr("byte 3: in a room's name"));
  EXPECT_THAT(refused("{a}x"), HasSubstr("byte 3: in a room's name"));
  EXPECT_THAT(refused(""), HasSubstr("is empty"));
  EXPECT_THAT(refused("a\x01"), HasSubstr("control characters"));
  EXPECT_THAT(refused("a\xff"), HasSubstr("UTF-8"));
  for (const std::string_view bad : {"{}", "{.}", "{a.}", "{.a}", "{a..b}", "{a b}", "{{a}}", "{a{b}", "{a:b}", "{a[0]}", "{\xc3\xa9}"}) {
    EXPECT_THAT(refused(bad, Use::kText), HasSubstr("byte 0: ")) << bad;
  }
}

TEST(Template, BoundsTheText) {
  const std::string path(Template::kPathBytesMax, 'p');
  compiled("{" + path + "}");
  EXPECT_THAT(refused("{" + path + "p}"), HasSubstr("64 bytes"));
  compiled(std::string(127, 'x') + "{a}", Use::kText);
  EXPECT_THAT(refused(std::string(128, 'x') + "{a}"), HasSubstr("within 128 bytes"));
  EXPECT_THAT(refused(std::string(513, 'x')), HasSubstr("512 bytes"));
  std::string places;
  for (std::size_t i = 0; i < Template::kPiecesMax; ++i) places += "{a}";
  compiled(places, Use::kText);
  EXPECT_THAT(refused(places + "{a}", Use::kText), HasSubstr("byte 48: more than 16 places"));
}

TEST(Template, TakesOnlyShortPlainValues) {
  EXPECT_EQ(blamed(Value()), "{v} is missing, or neither a string nor an integer");
  for (const Value& bad : {Value(true), Value(1.5), Value::array({1}), Value::object({{"id", 1}}), Value(Bytes("x"))}) {
    EXPECT_THAT(blamed(bad), HasSubstr("is missing, or neither")) << bad.to_json();
  }
  EXPECT_THAT(blamed(*Value::parse(R"("\ud83d")")), HasSubstr("is missing, or neither"));
  EXPECT_EQ(*filled("{v}", *Value::parse(R"({"v":"\\ud83d"})")), "\\ud83d");
  EXPECT_EQ(*filled("{v}", *Value::parse(R"({"v":-12345678901234567890})")), "-12345678901234567890");
  EXPECT_EQ(blamed(""), "{v} is empty");
  EXPECT_EQ(blamed(std::string(129, 'x'), "{v}"), "{v} is longer than 128 bytes");
  EXPECT_EQ(filled("{v}", Value::object({{"v", std::string(128, 'x')}}))->size(), 128u);
  for (const std::string_view control : {std::string_view("a\nb"), std::string_view("\0", 1), std::string_view("\x7f"), std::string_view("\xc2\x85")}) {
    EXPECT_THAT(blamed(control), HasSubstr("control characters"));
  }
  EXPECT_EQ(compiled("{v}").fill([](std::string_view) { return std::optional<std::string>("\xc3\x28"); }).status().message(),
            "{v} is not valid UTF-8");
  EXPECT_THAT(blamed(std::string(127, 'x'), "r:{v}"), HasSubstr("is longer than 128 bytes when filled"));
}

TEST(Template, AValueCannotChangeTheShapeOfARoom) {
  for (const std::string_view text : {"doc:{v}", "{v}", "a:{v}:b"}) {
    for (const std::string_view value : {"7:secret", ":", ":7", "7:"}) EXPECT_THAT(blamed(value, text), HasSubstr("has a ':'"));
  }
  // What is filled, the pattern of the same text takes apart again.
  for (const std::string_view text : {"doc:{a}:{b}", "x-{a}:y-{b}", "{a}:{b}"}) {
    const Result<RoomPattern> pattern = RoomPattern::compile(text);
    ASSERT_TRUE(pattern.ok());
    for (const std::string_view value : {"7", "{a}", "x-", "*", "..", "a b", "\xe2\x82\xac"}) {
      const Result<std::string> room = filled(text, Value::object({{"a", value}, {"b", "2"}}));
      ASSERT_TRUE(room.ok());
      const std::optional<RoomMatch> match = (*pattern).match(*room);
      ASSERT_TRUE(match) << *room;
      EXPECT_EQ((*match)["a"], value);
      EXPECT_EQ((*match)["b"], "2");
    }
  }
}

TEST(ValueAt, WalksByNames) {
  const Value root = *Value::parse(R"({"a":{"b":{"c":"x"},"":1},"list":["x"],"a.b":"dotted"})");
  EXPECT_EQ(value_at(root, "a.b.c"), "x");
  EXPECT_EQ(value_at(root, "a.b"), std::nullopt);
  EXPECT_EQ(value_at(root, "a.b.c.d"), std::nullopt);
  EXPECT_EQ(value_at(root, "list.0"), std::nullopt);
  EXPECT_EQ(value_at(root, "nothing"), std::nullopt);
  EXPECT_EQ(value_at(Value("x"), ""), "x");
}

}  // namespace
}  // namespace tidewire::policy
