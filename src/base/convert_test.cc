#include "tidewire/convert.h"

#include <gtest/gtest.h>

namespace shop {

struct Line {
  std::string article;
  int count = 0;
};
TIDEWIRE_FIELDS(Line, article, count)

struct Order {
  std::uint8_t id = 0;
  std::vector<Line> lines;
  std::optional<double> price;
  std::map<std::string, bool> flags;
  tidewire::Bytes receipt;
  tidewire::Value extra;
};
TIDEWIRE_FIELDS(Order, id, lines, price, flags, receipt, extra)

// A type with a form of its own.
struct Colour {
  int red = 0;
};
inline void write_json(tidewire::JsonOut& out, const Colour& colour) { out.string("#" + std::to_string(colour.red)); }
inline tidewire::Status read_json(const tidewire::Value& value, Colour& colour) {
  const auto text = value.as_string();
  if (!text || !text->starts_with('#')) return tidewire::wrong_kind("a colour", value);
  colour.red = std::stoi(std::string(text->substr(1)));
  return {};
}

}  // namespace shop

namespace tidewire {
namespace {

template <typename T>
std::string json_of(const T& value) {
  std::string text;
  JsonOut out(text);
  write_json(out, value);
  return text;
}

template <typename T>
std::string problem(std::string_view json) {
  const Result<T> result = Value::parse(json)->to<T>();
  return result.ok() ? "none" : result.status().message();
}

TEST(Convert, WritesWhatIsReadyHere) {
  EXPECT_EQ(json_of(true), "true");
  EXPECT_EQ(json_of(-5), "-5");
  EXPECT_EQ(json_of(std::uint64_t{1} << 63), "9223372036854775808");
  EXPECT_EQ(json_of(1.5f), "1.5");
  EXPECT_EQ(json_of("text"), "\"text\"");
  EXPECT_EQ(json_of(std::string("a\"b")), "\"a\\\"b\"");
  EXPECT_EQ(json_of(nullptr), "null");
  EXPECT_EQ(json_of(Bytes("hi")), "{\"$bytes\":\"aGk=\"}");
  EXPECT_EQ(json_of(std::vector<bool>{true, false}), "[true,false]");
  EXPECT_EQ(json_of(std::vector<std::vector<int>>{{1}, {}, {2, 3}}), "[[1],[],[2,3]]");
  EXPECT_EQ(json_of(std::map<std::string, std::optional<int>>{{"a", 1}, {"b", std::nullopt}}), "{\"a\":1,\"b\":null}");
  EXPECT_EQ(json_of(Value::array({1})), "[1]");
}

TEST(Convert, WritesOwnTypesAndReadsThemBack) {
  const shop::Order order{
      7, {{"tea", 2}, {"milk", 1}}, std::nullopt, {{"gift", true}}, Bytes("\x01\x02"), Value::array({1, "x"})};
  const Value value = Value::from(order);
  EXPECT_EQ(value.to_json(),
            "{\"id\":7,\"lines\":[{\"article\":\"tea\",\"count\":2},{\"article\":\"milk\",\"count\":1}],\"flags\":{"
            "\"gift\":true},"
            "\"receipt\":{\"$bytes\":\"AQI=\"},\"extra\":[1,\"x\"]}");
  const Result<shop::Order> back = value.to<shop::Order>();
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(back->lines.at(1).article, "milk");
  EXPECT_EQ(back->price, std::nullopt);
  EXPECT_EQ(back->receipt, Bytes("\x01\x02"));
  EXPECT_EQ(Value::from(*back), value);
  EXPECT_EQ(Value::from(shop::Colour{9}).to_json(), "\"#9\"");
  EXPECT_EQ(Value("#12").to<shop::Colour>()->red, 12);
}

TEST(Convert, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(problem<int>("\"x\""), "expected an integer in range, found a string");
  EXPECT_EQ(problem<int>("1.5"), "expected an integer in range, found a number 1.5");
  EXPECT_EQ(problem<std::uint8_t>("256"), "expected an integer in range, found a number 256");
  EXPECT_EQ(problem<std::uint8_t>("-1"), "expected an integer in range, found a number -1");
  EXPECT_EQ(problem<std::int8_t>("128"), "expected an integer in range, found a number 128");
  EXPECT_EQ(problem<bool>("0"), "expected a boolean, found a number 0");
  EXPECT_EQ(problem<std::string>("null"), "expected a string, found null");
  EXPECT_EQ(problem<double>("{}"), "expected a number, found an object");
  EXPECT_EQ(problem<float>("[]"), "expected a number, found an array");
  EXPECT_EQ(problem<Bytes>("true"), "expected bytes, found a boolean");
  EXPECT_EQ(problem<std::vector<int>>("[1,2,\"x\"]"), "element 2: expected an integer in range, found a string");
  EXPECT_EQ((problem<std::map<std::string, int>>("{\"a\":1,\"b\":[]}")),
            "member \"b\": expected an integer in range, found an array");
  EXPECT_EQ(problem<shop::Line>("[]"), "expected an object, found an array");
  EXPECT_EQ(problem<shop::Line>("{\"article\":\"x\"}"), "member \"count\": expected an integer in range, found null");
  EXPECT_EQ(problem<shop::Order>("{\"id\":1,\"lines\":[{\"article\":\"x\",\"count\":\"1\"}]}"),
            "member \"lines\": element 0: member \"count\": expected an integer in range, found a string");
  EXPECT_EQ(problem<std::optional<int>>("null"), "none");
  EXPECT_EQ(problem<std::optional<int>>("\"x\""), "expected an integer in range, found a string");
}

TEST(Convert, PutsCommasAndColonsItself) {
  std::string text = "42";
  JsonOut out(text);
  out.begin_array();
  out.string("event");
  out.begin_object();
  out.key("a");
  out.begin_array();
  out.end_array();
  out.key("b");
  out.null();
  out.end_object();
  out.raw("1,2");
  out.end_array();
  EXPECT_EQ(text, "42[\"event\",{\"a\":[],\"b\":null},1,2]");
}

}  // namespace
}  // namespace tidewire
