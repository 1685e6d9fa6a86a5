#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidewire::base {
namespace {

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <typename T>
std::string number(T value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

TEST(JsonWriter, EscapesAsJsonStringify) {
  EXPECT_EQ(as_json(""), "\"\"");
  EXPECT_EQ(as_json("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  EXPECT_EQ(as_json("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
  EXPECT_EQ(as_json(std::string_view("\0\x01\x0b\x0f\x10\x1f\x7f", 7)),
            "\"\\u0000\\u0001\\u000b\\u000f\\u0010\\u001f\x7f\"");
  EXPECT_EQ(as_json("\xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xa8"), "\"\xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xa8\"");
  for (std::size_t place = 0; place < 40; ++place) {
    std::string text(40, 'x'), expected(40, 'x');
    text[place] = '\n';
    expected.replace(place, 1, "\\n");
    EXPECT_EQ(as_json(text), "\"" + expected + "\"");
  }
}

TEST(JsonWriter, NeverWritesInvalidUtf8) {
  EXPECT_EQ(as_json("a\xff"
                    "b"),
            "\"a\xef\xbf\xbd"
            "b\"");
  EXPECT_EQ(as_json("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(as_json("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(as_json("\xe2\x82\xac\xe2\"\n"), "\"\xe2\x82\xac\xef\xbf\xbd\\\"\\n\"");
}

TEST(JsonWriter, WritesIntegers) {
  EXPECT_EQ(number(std::int64_t{0}), "0");
  EXPECT_EQ(number(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(number(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

TEST(JsonWriter, WritesDoublesAsJavaScript) {
  EXPECT_EQ(number(0.0), "0");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(1.0), "1");
  EXPECT_EQ(number(-1.5), "-1.5");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number(100.0), "100");
  EXPECT_EQ(number(123456.789), "123456.789");
  EXPECT_EQ(number(0.000001), "0.000001");
  EXPECT_EQ(number(0.0000001), "1e-7");
  EXPECT_EQ(number(1.25e-7), "1.25e-7");
  EXPECT_EQ(number(1e20), "100000000000000000000");
  EXPECT_EQ(number(123456789012345680000.0), "123456789012345680000");
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(-1.5e300), "-1.5e+300");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "null");
}

}  // namespace
}  // namespace tidewire::base
