#include "base/json_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json_reader.h"

namespace tidewire::base {
namespace {

using enum JsonError;

std::string repeat(std::string_view part, std::size_t times) {
  std::string out;
  while (times-- != 0) out.append(part);
  return out;
}

JsonError verdict(std::string_view text, const JsonLimits& limits = {}) { return scan_json(text, limits); }

// A text is good whole, wherever it lies in memory, with blanks around, and inside an array; and no beginning of it is
// good, but for numbers.
void expect_good(const std::string& text) {
  SCOPED_TRACE(text.substr(0, 80));
  EXPECT_EQ(verdict(text), kOk);
  EXPECT_EQ(verdict(" \t\r\n" + text + " \n"), kOk);
  EXPECT_EQ(verdict("[" + text + "," + text + "]"), kOk);
  EXPECT_EQ(verdict("{\"k\":" + text + "}"), kOk);
  EXPECT_EQ(verdict(text + " x"), kTrailingData);
  ArgumentsText arguments;
  EXPECT_EQ(scan_arguments("[ " + text + " , 1 ]", {}, arguments), kOk);
  EXPECT_EQ(arguments.count, 2u);
  const char first = text[0];
  if (first == '-' || (first >= '0' && first <= '9')) return;
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const std::string part = text.substr(0, cut);  // an allocation of its own: reading beyond it is seen
    EXPECT_EQ(verdict(part), cut == 0 ? kEmpty : kTruncated) << part;
  }
}

TEST(JsonScanner, AcceptsWhatJsonParseAccepts) {
  for (const char* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-0",
                           "-1",
                           "1.5",
                           "1e5",
                           "1E+5",
                           "1e-5",
                           "0e0",
                           "0.0",
                           "-0.0e-0",
                           "1e400",
                           "-1e400",
                           "12345678901234567890",
                           "0.1e1",
                           "\"\"",
                           "\"a\"",
                           "[]",
                           "{}",
                           "[ ]",
                           "{ }",
                           "[[]]",
                           "[{}]",
                           "{\"\":0}",
                           "{\"a\":{\"b\":[]}}",
                           "[1,2,3]",
                           "[1 , 2\n,\t3]",
                           "{\"a\":1,\"a\":2}",
                           "{\"__proto__\":1}",
                           "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                           "\"\\u0000\"",
                           "\"\\uD83D\\uDE00\"",
                           "\"\\ud800\"",
                           "\"\\udfff\\ud800\"",
                           "\"\\uABCD\\uabcd\"",
                           "\"\x7f\"",
                           "\"\xe2\x80\xa8\"",
                           "\"\xf0\x9f\x98\x80\"",
                           "[\"a\",null,true,false,-1.5e3,{},[],{\"k\":[{}]}]",
                           "\"exactly sixteen!\"",
                           "\"a good deal longer than sixteen bytes\"",
                           "\"sixteen bytes..\\n and sixteen more\\u0041\"",
                           "[\"\",\"\",\"\"]"}) {
    expect_good(text);
  }
}

struct Bad {
  std::string text;
  JsonError error;
};

TEST(JsonScanner, RefusesWhatJsonParseRefusesAndNamesTheCause) {
  const std::vector<Bad> table = {{"", kEmpty},
                                  {" \n", kEmpty},
                                  {"NaN", kUnexpected},
                                  {"-NaN", kBadNumber},
                                  {"Infinity", kUnexpected},
                                  {"-Infinity", kBadNumber},
                                  {"nul", kTruncated},
                                  {"nulL", kBadLiteral},
                                  {"True", kUnexpected},
                                  {"truee", kTrailingData},
                                  {"undefined", kUnexpected},
                                  {"'a'", kUnexpected},
                                  {"\"a", kTruncated},
                                  {"\"a\n\"", kControlCharacter},
                                  {std::string("\"\0\"", 3), kControlCharacter},
                                  {"\"\x1f\"", kControlCharacter},
                                  {"\"\t\"", kControlCharacter},
                                  {"\"\\x\"", kBadEscape},
                                  {"\"\\0\"", kBadEscape},
                                  {std::string("\"\\\0\"", 4), kBadEscape},
                                  {"\"\\u12\"", kBadEscape},
                                  {"\"\\u12G4\"", kBadEscape},
                                  {"\"\\U0041\"", kBadEscape},
                                  {"\"\\'\"", kBadEscape},
                                  {"\"\\", kTruncated},
                                  {"\"\\u00", kTruncated},
                                  {"\"\\\"", kTruncated},
                                  {"01", kBadNumber},
                                  {"-01", kBadNumber},
                                  {"00", kBadNumber},
                                  {"+1", kUnexpected},
                                  {".5", kUnexpected},
                                  {"1.", kTruncated},
                                  {"[1.]", kBadNumber},
                                  {"[1.e1]", kBadNumber},
                                  {"-", kTruncated},
                                  {"[-]", kBadNumber},
                                  {"--1", kBadNumber},
                                  {"1e", kTruncated},
                                  {"[1e]", kBadNumber},
                                  {"[1e+]", kBadNumber},
                                  {"[1ee2]", kBadNumber},
                                  {"1.2.3", kBadNumber},
                                  {"0x1", kTrailingData},
                                  {"1_000", kTrailingData},
                                  {"1 2", kTrailingData},
                                  {"[1 2]", kUnexpected},
                                  {"[1,]", kUnexpected},
                                  {"[,1]", kUnexpected},
                                  {"[,]", kUnexpected},
                                  {"[1,,2]", kUnexpected},
                                  {"[", kTruncated},
                                  {"[1", kTruncated},
                                  {"[1,", kTruncated},
                                  {"]", kUnexpected},
                                  {"[]]", kTrailingData},
                                  {"[1}", kUnexpected},
                                  {"{\"a\":1]", kUnexpected},
                                  {"{", kTruncated},
                                  {"{\"a\"", kTruncated},
                                  {"{\"a\":", kTruncated},
                                  {"{\"a\":1", kTruncated},
                                  {"{\"a\":1,", kTruncated},
                                  {"{\"a\":1,}", kKeyExpected},
                                  {"{,}", kKeyExpected},
                                  {"{1:2}", kKeyExpected},
                                  {"{a:1}", kKeyExpected},
                                  {"{\"a\" 1}", kColonExpected},
                                  {"{\"a\",1}", kColonExpected},
                                  {"{\"a\"::1}", kUnexpected},
                                  {"{\"a\":}", kUnexpected},
                                  {"{\"a\":1 \"b\":2}", kUnexpected},
                                  {"{\"a\":1,,\"b\":2}", kKeyExpected},
                                  {"\xef\xbb\xbf[]", kUnexpected},
                                  {"[]\xef\xbb\xbf", kTrailingData},
                                  {"\xc2\xa0"
                                   "1",
                                   kUnexpected},
                                  {"[\f1]", kUnexpected},
                                  {"[\v1]", kUnexpected},
                                  {"[]\x0c", kTrailingData},
                                  {"// c\n1", kUnexpected},
                                  {"[1/* c */]", kUnexpected},
                                  {"[1]#", kTrailingData},
                                  {std::string("1\0", 2), kTrailingData},
                                  {"[\"a\"\"b\"]", kUnexpected},
                                  {"[\"a\":1]", kUnexpected},
                                  {"{}{}", kTrailingData}};
  for (const Bad& bad : table) {
    EXPECT_EQ(verdict(bad.text), bad.error) << bad.text << ": " << json_error_text(verdict(bad.text));
    EXPECT_NE(verdict("[0," + bad.text + ",0]"), kOk) << bad.text;
  }
}

TEST(JsonScanner, BoundsTheDepth) {
  EXPECT_EQ(verdict(repeat("[", 64) + repeat("]", 64)), kOk);
  EXPECT_EQ(verdict(repeat("[", 65) + repeat("]", 65)), kTooDeep);
  EXPECT_EQ(verdict(repeat("{\"a\":", 64) + "1" + repeat("}", 64)), kOk);
  EXPECT_EQ(verdict(repeat("{\"a\":", 65) + "1" + repeat("}", 65)), kTooDeep);
  EXPECT_EQ(verdict(repeat("[{\"a\":", 256) + "1" + repeat("}]", 256), {.depth = 512}), kOk);
  EXPECT_EQ(verdict(repeat("[{\"a\":", 256) + "[]" + repeat("}]", 256), {.depth = 512}), kTooDeep);
  EXPECT_EQ(verdict(repeat("[", 513) + repeat("]", 513), {.depth = 100'000}), kTooDeep);
  EXPECT_EQ(verdict(repeat("[", 200'000), {.depth = 100'000}), kTooDeep);
  EXPECT_EQ(verdict("1", {.depth = 0}), kOk);
  EXPECT_EQ(verdict("[]", {.depth = 0}), kTooDeep);
}

TEST(JsonScanner, CountsTheEventArrayAsOneLevel) {
  EventArray event;
  EXPECT_EQ(scan_event("[\"e\"," + repeat("[", 63) + repeat("]", 63) + "]", {}, event), kOk);
  EXPECT_EQ(scan_event("[\"e\"," + repeat("[", 64) + repeat("]", 64) + "]", {}, event), kTooDeep);
  ArgumentsText arguments;
  EXPECT_EQ(scan_arguments("[" + repeat("[", 64) + repeat("]", 64) + "]", {}, arguments), kTooDeep);
}

TEST(JsonScanner, TellsArraysFromObjectsAtEveryDepth) {
  for (std::size_t depth = 1; depth < 200; ++depth) {
    std::string open, close;
    for (std::size_t i = 0; i < depth; ++i) {
      const bool object = i * 7 % 3 == 1;
      open += object ? "{\"k\":" : "[";
      close.insert(0, object ? "}" : "]");
    }
    EXPECT_EQ(verdict(open + "0" + close, {.depth = 512}), kOk);
    std::string wrong = close;
    wrong[depth / 2] = wrong[depth / 2] == '}' ? ']' : '}';
    EXPECT_EQ(verdict(open + "0" + wrong, {.depth = 512}), kUnexpected);
  }
}

TEST(JsonScanner, BoundsTheNodesKeysNotCounted) {
  EXPECT_EQ(verdict("[1,2,{\"a\":3}]", {.nodes = 5}), kOk);
  EXPECT_EQ(verdict("[1,2,{\"a\":3}]", {.nodes = 4}), kTooManyNodes);
  EXPECT_EQ(verdict("1", {.nodes = 0}), kTooManyNodes);
}

TEST(JsonScanner, BoundsTheLengthOfOneNumber) {
  EXPECT_EQ(verdict("[" + repeat("1", 32) + "]"), kOk);
  EXPECT_EQ(verdict("[" + repeat("1", 33) + "]"), kNumberTooLong);
  EXPECT_EQ(verdict("[-" + repeat("1", 31) + "]"), kOk);
  EXPECT_EQ(verdict("0." + repeat("1", 31)), kNumberTooLong);
  EXPECT_EQ(verdict("\"" + repeat("1", 33) + "\""), kOk);
}

TEST(JsonScanner, YieldsNameAndArgumentsOfAnEvent) {
  EventArray event;
  ASSERT_EQ(scan_event("[\"say\",\"room\",{\"n\":1e400}, [1,2] ]", {}, event), kOk);
  EXPECT_EQ(event.name, "say");
  EXPECT_FALSE(event.name_is_number);
  EXPECT_FALSE(event.name_has_escapes);
  EXPECT_EQ(event.arguments.text, "\"room\",{\"n\":1e400}, [1,2]");
  EXPECT_EQ(event.arguments.count, 3u);

  ASSERT_EQ(scan_event(" [ \"alone\" ] ", {}, event), kOk);
  EXPECT_EQ(event.name, "alone");
  EXPECT_EQ(event.arguments.count, 0u);
  EXPECT_EQ(event.arguments.text, "");

  ASSERT_EQ(scan_event("[\"\",1]", {}, event), kOk);
  EXPECT_EQ(event.name, "");
}

TEST(JsonScanner, RefusesWhatIsNoEvent) {
  EventArray event;
  const std::vector<Bad> table = {{"", kEmpty},
                                  {"  ", kEmpty},
                                  {"{}", kNotAnArray},
                                  {"\"a\"", kNotAnArray},
                                  {"[]", kNoEventName},
                                  {"[ ]", kNoEventName},
                                  {"[null]", kNoEventName},
                                  {"[{}]", kNoEventName},
                                  {"[[\"a\"]]", kNoEventName},
                                  {"[true]", kNoEventName},
                                  {"[\"a\",]", kUnexpected},
                                  {"[\"a\"", kTruncated},
                                  {"[\"a\",", kTruncated},
                                  {"[", kTruncated},
                                  {"[\"a", kTruncated},
                                  {"[\"a\" 1]", kUnexpected},
                                  {"[\"a\",1 2]", kUnexpected},
                                  {"[\"a\",1", kTruncated},
                                  {"[\"a\"] x", kTrailingData},
                                  {"[\"a\",1]]", kTrailingData},
                                  {"[\"a\":1]", kUnexpected},
                                  {"[-]", kBadNumber},
                                  {"[\"a\n\"]", kControlCharacter}};
  for (const Bad& bad : table) EXPECT_EQ(scan_event(bad.text, {}, event), bad.error) << bad.text;
  const std::string good = "[\"a\",1,\"b\",{\"c\":[]}]";
  for (std::size_t cut = 0; cut < good.size(); ++cut) EXPECT_NE(scan_event(good.substr(0, cut), {}, event), kOk) << cut;
}

TEST(JsonScanner, FindsHandlersByTheNameJavaScriptWouldSee) {
  const auto name = [](std::string_view text) {
    EventArray event;
    std::string scratch;
    EXPECT_EQ(scan_event(text, {}, event), kOk);
    return std::string(event_name(event, scratch));
  };
  EXPECT_EQ(name("[\"plain\"]"), "plain");
  EXPECT_EQ(name("[\"caf\\u00e9\"]"), "caf\xc3\xa9");
  EXPECT_EQ(name("[\"a\\/b\\n\"]"), "a/b\n");
  EXPECT_EQ(name("[\"\\ud83d\"]"), "\\ud83d");
  EXPECT_EQ(name("[42]"), "42");
  EXPECT_EQ(name("[1.0,\"x\"]"), "1");
  EXPECT_EQ(name("[1e2]"), "100");
  EXPECT_EQ(name("[-0]"), "0");
  EXPECT_EQ(name("[1e400]"), "1e400");
}

TEST(JsonScanner, TakesAThirdOfAMillionArguments) {
  const std::string text = "[\"e\"" + repeat(",12", 333'000) + "]";
  EventArray event;
  ASSERT_EQ(scan_event(text, {}, event), kOk);
  EXPECT_EQ(event.arguments.count, 333'000u);
  ArgumentCursor cursor(event.arguments.text);
  std::size_t seen = 0;
  for (std::string_view argument; cursor.next(argument); ++seen) ASSERT_EQ(argument, "12");
  EXPECT_EQ(seen, 333'000u);
}

TEST(JsonScanner, YieldsTheArgumentsOfAnAck) {
  ArgumentsText arguments;
  ASSERT_EQ(scan_arguments("[]", {}, arguments), kOk);
  EXPECT_EQ(arguments.count, 0u);
  ASSERT_EQ(scan_arguments(" [ null ] ", {}, arguments), kOk);
  EXPECT_EQ(arguments.count, 1u);
  EXPECT_EQ(arguments.text, "null");
  EXPECT_EQ(scan_arguments("{}", {}, arguments), kNotAnArray);
  EXPECT_EQ(scan_arguments("", {}, arguments), kEmpty);
  EXPECT_EQ(scan_arguments("[1,]", {}, arguments), kUnexpected);
  EXPECT_EQ(scan_arguments("[1] 2", {}, arguments), kTrailingData);
  EXPECT_EQ(scan_arguments("[ ", {}, arguments), kTruncated);
}

TEST(JsonScanner, HasATextForEveryError) {
  for (int error = 0; error <= static_cast<int>(kNoEventName); ++error) {
    EXPECT_FALSE(json_error_text(static_cast<JsonError>(error)).empty());
  }
}

}  // namespace
}  // namespace tidewire::base
