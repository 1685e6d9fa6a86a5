#include "policy/json_string.h"

#include <gtest/gtest.h>

namespace tidewire::policy {
namespace {

TEST(JsonString, CountsCodePoints) {
  for (const auto& [json, length] : {std::pair{R"("")", 0u}, std::pair{R"("abc")", 3u}, std::pair{"\"\xe2\x82\xac\xf0\x9f\x98\x80\"", 2u},
                                     std::pair{R"("\ud83d\ude00")", 1u}, std::pair{R"("\ud83d")", 1u}, std::pair{R"("\ud83d\ud83d\ude00")", 2u},
                                     std::pair{R"("\ude00\ud83d")", 2u}, std::pair{R"("\ud83d\n\ude00\\")", 4u}, std::pair{R"("\uD83Dx\uDE00")", 3u},
                                     std::pair{R"("\\ud83d")", 6u}, std::pair{"\"\xc3\xa9\\ud83d\"", 2u}}) {
    const Value value = *Value::parse(json);
    EXPECT_EQ(json_string(value).length(), length) << json;
  }
}

TEST(JsonString, IsReadableWithTheEscapeOfHalfAPair) {
  const Value half = *Value::parse(R"("a\n\ud83d")"), plain = *Value::parse(R"("a\n\\ud83d")");
  std::string scratch = "before";
  EXPECT_TRUE(json_string(half).escaped);
  EXPECT_EQ(json_string(half).readable(scratch), "a\n\\ud83d");
  EXPECT_FALSE(json_string(plain).escaped);
  EXPECT_EQ(json_string(plain).readable(scratch), "a\n\\ud83d");
}

}  // namespace
}  // namespace tidewire::policy
