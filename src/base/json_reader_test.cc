#include "base/json_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace tidewire::base {
namespace {

std::string unescaped(std::string_view raw, bool whole = true) {
  std::string out;
  EXPECT_EQ(unescape_json_string(raw, out), whole) << raw;
  return out;
}

TEST(JsonReader, UnescapesStrings) {
  EXPECT_EQ(unescaped(""), "");
  EXPECT_EQ(unescaped("plain"), "plain");
  EXPECT_EQ(unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(unescaped("a\\u0041\\u00e9\\u20AC\\ud83d\\ude00z"), "aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
  EXPECT_EQ(unescaped("\\u0000"), std::string(1, '\0'));
  EXPECT_EQ(unescaped("\\\\ud800"), "\\ud800");
}

TEST(JsonReader, KeepsHalfASurrogatePairAsItsEscape) {
  EXPECT_EQ(unescaped("\\ud83d", false), "\\ud83d");
  EXPECT_EQ(unescaped("\\uDE00x", false), "\\uDE00x");
  EXPECT_EQ(unescaped("\\ud83d\\ud83d\\ude00", false), "\\ud83d\xf0\x9f\x98\x80");
  EXPECT_EQ(unescaped("\\ud83d\\n", false), "\\ud83d\n");
  EXPECT_EQ(unescaped("\\ud83d\\u0041", false),
            "\\ud83d"
            "A");
}

TEST(JsonReader, ReadsNumbersAsJavaScript) {
  EXPECT_EQ(json_number("0"), 0);
  EXPECT_EQ(json_number("-12.5e1"), -125);
  EXPECT_EQ(json_number("1e400"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(json_number("-1E+400"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(json_number("1e-400"), 0);
  EXPECT_TRUE(std::signbit(json_number("-1e-400")));
  EXPECT_EQ(json_number("0e999"), 0);
  EXPECT_EQ(json_number("0e-999"), 0);
  EXPECT_EQ(json_number("5e-324"), std::numeric_limits<double>::denorm_min());
}

TEST(JsonReader, WalksArguments) {
  ArgumentCursor cursor("1 , \"a,]}\\\"\" ,{\"a\":[1,2],\"b\":\"}\"},[[],{}],true,null, -1.5e3");
  std::vector<std::string_view> seen;
  for (std::string_view argument; cursor.next(argument);) seen.push_back(argument);
  EXPECT_EQ(seen, (std::vector<std::string_view>{"1", "\"a,]}\\\"\"", "{\"a\":[1,2],\"b\":\"}\"}", "[[],{}]", "true",
                                                 "null", "-1.5e3"}));
  std::string_view none;
  EXPECT_FALSE(cursor.next(none));
  EXPECT_FALSE(ArgumentCursor("").next(none));
  EXPECT_FALSE(ArgumentCursor("  ").next(none));
}

TEST(JsonReader, WalksMembers) {
  MemberCursor cursor(" { \"a\" : 1 , \"b\\n\":{\"c\":[\"}\"]}, \"a\":\":\" } ");
  std::vector<std::pair<std::string_view, std::string_view>> seen;
  std::string_view key, value;
  while (cursor.next(key, value)) seen.emplace_back(key, value);
  EXPECT_EQ(seen, (std::vector<std::pair<std::string_view, std::string_view>>{
                      {"a", "1"}, {"b\\n", "{\"c\":[\"}\"]}"}, {"a", "\":\""}}));
  MemberCursor empty("{ }");
  EXPECT_FALSE(empty.next(key, value));
}

TEST(JsonReader, NamesTheKindByTheFirstCharacter) {
  EXPECT_EQ(json_kind(" null"), JsonKind::kNull);
  EXPECT_EQ(json_kind("true"), JsonKind::kBool);
  EXPECT_EQ(json_kind("false"), JsonKind::kBool);
  EXPECT_EQ(json_kind("-1"), JsonKind::kNumber);
  EXPECT_EQ(json_kind("\n\"\""), JsonKind::kString);
  EXPECT_EQ(json_kind("[]"), JsonKind::kArray);
  EXPECT_EQ(json_kind("{}"), JsonKind::kObject);
}

TEST(JsonReader, YieldsTokensAndTellsKeysFromStrings) {
  JsonReader reader("{\"a\" : [\"b\",1.5,true,false,null], \"c\":\"d\"}");
  std::string kinds;
  for (JsonToken token = reader.next(); token.kind != JsonToken::kEnd; token = reader.next()) {
    kinds += "EntfdskK[]{}"[token.kind == JsonToken::kNumber        ? 4
                            : token.kind == JsonToken::kString      ? 5
                            : token.kind == JsonToken::kKey         ? 6
                            : token.kind == JsonToken::kNull        ? 1
                            : token.kind == JsonToken::kTrue        ? 2
                            : token.kind == JsonToken::kFalse       ? 3
                            : token.kind == JsonToken::kBeginArray  ? 8
                            : token.kind == JsonToken::kEndArray    ? 9
                            : token.kind == JsonToken::kBeginObject ? 10
                                                                    : 11];
  }
  EXPECT_EQ(kinds, "{k[sdtfn]ks}");
  EXPECT_EQ(reader.next().kind, JsonToken::kEnd);
}

// The reader trusts the scan; were that trust misplaced, it must still stay inside the text.
TEST(JsonReader, StaysInsideATextThatWasNeverScanned) {
  const std::string good = "{\"a\\n\":[1,\"b\\\"\",{\"c\":null}],\"d\":-1.5e3}";
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    const std::string text = good.substr(0, cut);
    JsonReader reader(text);
    for (std::size_t steps = 0; reader.next().kind != JsonToken::kEnd; ++steps) ASSERT_LE(steps, good.size());
    ArgumentCursor cursor(text);
    std::string_view argument;
    for (std::size_t steps = 0; cursor.next(argument); ++steps) ASSERT_LE(steps, good.size());
  }
}

}  // namespace
}  // namespace tidewire::base
