#include "auth/strict_json.h"

#include <gtest/gtest.h>

#include <string>

namespace tidewire::auth {
namespace {

StrictJsonError error_of(std::string_view json) {
  Value out;
  return parse_strict_object(json, out);
}

TEST(StrictJson, ReadsObjects) {
  Value out;
  ASSERT_EQ(parse_strict_object("{\r\n \"a\":[{\"b\":1},{\"b\":2}],\"c\":\"\\ud83d\\ude00\",\"d\":\"\\u0000\"}", out),
            StrictJsonError::kOk);
  EXPECT_EQ(out["a"][1]["b"].as_int64(), 2);
  EXPECT_EQ(error_of("{}"), StrictJsonError::kOk);
}

TEST(StrictJson, RefusesAMemberThatComesTwiceAtAnyDepthHoweverSpelled) {
  for (const std::string_view bad :
       {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"({"a":1,"\u0061":2})", R"({"":1,"":2})",
        R"({"x":{"a":1,"a":2}})", R"({"x":[{"a":1},{"a":1,"b":1,"a":2}]})", R"({"x":{"a":{"y":1}},"x":{"z":1}})",
        R"({"a":1,"b":{"c":1,"c":{"d":1}}})"}) {
    EXPECT_EQ(error_of(bad), StrictJsonError::kRepeatedMember) << bad;
  }
  EXPECT_EQ(error_of(R"({"a":{"a":{"a":"a"}},"A":["a","a"]})"), StrictJsonError::kOk);
}

TEST(StrictJson, RefusesHalfSurrogates) {
  for (const std::string_view bad : {R"({"a":"\ud800"})", R"({"\udc00":1})", R"({"a":["x\ud800\ud800"]})"}) {
    EXPECT_EQ(error_of(bad), StrictJsonError::kHalfSurrogate) << bad;
  }
}

TEST(StrictJson, RefusesWhatIsNoObject) {
  for (const std::string_view bad : {"[]", "1", "\"{}\"", "null", " [{}]"})
    EXPECT_EQ(error_of(bad), StrictJsonError::kNotAnObject) << bad;
  for (const std::string_view bad : {"", " ", "{", "{\"a\":1}}", "{\"a\":1} x", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}",
                                     "{'a':1}", "{\"a\":NaN}", "{\"a\":01}"}) {
    EXPECT_EQ(error_of(bad), StrictJsonError::kNotJson) << bad;
  }
  EXPECT_EQ(error_of(std::string("{\"a\":\"\0\"}", 9)), StrictJsonError::kNotJson);
}

TEST(StrictJson, GoesSoDeep) {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_EQ(error_of(nested(kAuthJsonDepthMax)), StrictJsonError::kOk);
  EXPECT_EQ(error_of(nested(kAuthJsonDepthMax + 1)), StrictJsonError::kNotJson);
}

}  // namespace
}  // namespace tidewire::auth
