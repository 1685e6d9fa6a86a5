#include "tidewire/value.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidewire {
namespace {

Value parsed(std::string_view json) {
  Result<Value> value = Value::parse(json);
  EXPECT_TRUE(value.ok()) << json << ": " << value.status().message();
  return value.ok() ? *value : Value();
}

std::string round_trip(std::string_view json) { return parsed(json).to_json(); }

TEST(Value, IsBuiltAsItReads) {
  const Value value =
      Value::object({{"ok", true}, {"n", 3}, {"list", Value::array({1, "two", nullptr, 2.5})}, {"b", Bytes("hi")}});
  EXPECT_EQ(value.to_json(), "{\"ok\":true,\"n\":3,\"list\":[1,\"two\",null,2.5],\"b\":{\"$bytes\":\"aGk=\"}}");
  EXPECT_EQ(Value::array().to_json(), "[]");
  EXPECT_EQ(Value::object().to_json(), "{}");
  EXPECT_EQ(Value(std::uint64_t{18446744073709551615u}).to_json(), "18446744073709551615");
  EXPECT_EQ(Value(std::nan("")).to_json(), "null");
  EXPECT_EQ(Value::object({{"a", 1}, {"b", 2}, {"a", 3}}).to_json(), "{\"a\":3,\"b\":2}");
}

TEST(Value, WritesBackWhatItRead) {
  for (const char* json :
       {"null", "true", "false", "1e400", "-0", "0.10", "12345678901234567890123456789012", "\"\"", "\"a\\\"\\\\\\n\"",
        "[]", "{}", "[1,[2,[3,{}]]]", "{\"b\":1,\"a\":{\"c\":[null]}}", "\"\\ud83d\"", "{\"\\udc00x\":\"\\uD83D\\n\"}",
        "{\"__proto__\":1,\"\":2}", "\"\xf0\x9f\x98\x80\""}) {
    EXPECT_EQ(round_trip(json), json);
  }
  EXPECT_EQ(round_trip(" [ 1 , { \"a\" : \"\\u0041\\/\" } ] "), "[1,{\"a\":\"A/\"}]");
}

TEST(Value, TakesTheLastOfEqualKeysAtThePlaceOfTheFirst) {
  EXPECT_EQ(round_trip("{\"a\":1,\"b\":2,\"\\u0061\":3}"), "{\"a\":3,\"b\":2}");
  EXPECT_EQ(round_trip("{\"a\":1,\"a\":2,\"a\":3}"), "{\"a\":3}");
  std::string json = "{", expected = "{";
  for (int i = 0; i < 100; ++i) json += (i == 0 ? "\"k" : ",\"k") + std::to_string(i % 40) + "\":" + std::to_string(i);
  for (int i = 0; i < 40; ++i) {
    expected += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i < 20 ? i + 80 : i + 40);
  }
  EXPECT_EQ(round_trip(json + "}"), expected + "}");
}

TEST(Value, RefusesWhatIsNoJson) {
  for (const std::string_view bad : {"", "[1,]", "nul", "{\"a\":1}}", "\"\xff\"",
                                     "\xef\xbb\xbf"
                                     "1",
                                     "[123456789012345678901234567890123]"}) {
    const Result<Value> value = Value::parse(bad);
    EXPECT_FALSE(value.ok()) << bad;
    EXPECT_FALSE(value.status().message().empty());
  }
  EXPECT_TRUE(Value::parse(std::string(512, '[') + std::string(512, ']')).ok());
  EXPECT_FALSE(Value::parse(std::string(513, '[') + std::string(513, ']')).ok());
}

TEST(Value, AnswersWithNothingWhereTheKindIsWrong) {
  const Value value = parsed("{\"s\":\"x\",\"n\":-3,\"f\":1.5,\"t\":true,\"l\":[7]}");
  EXPECT_EQ(value["s"].as_string(), "x");
  EXPECT_EQ(value["n"].as_int64(), -3);
  EXPECT_EQ(value["n"].as_uint64(), std::nullopt);
  EXPECT_EQ(value["f"].as_int64(), std::nullopt);
  EXPECT_EQ(value["f"].as_double(), 1.5);
  EXPECT_EQ(value["t"].as_bool(), true);
  EXPECT_EQ(value["l"][0].as_int64(), 7);
  EXPECT_EQ(value["l"].size(), 1u);
  EXPECT_TRUE(value["l"][1].is_null());
  EXPECT_TRUE(value["absent"]["deeper"][3].is_null());
  EXPECT_EQ(value.find("absent"), nullptr);
  EXPECT_EQ(value["s"].as_double(), std::nullopt);
  EXPECT_EQ(value["s"].as_bool(), std::nullopt);
  EXPECT_EQ(value["n"].as_string(), std::nullopt);
  EXPECT_EQ(value["n"].as_bytes(), std::nullopt);
  EXPECT_EQ(value["s"].number_text(), std::nullopt);
  EXPECT_TRUE(value["s"].items().empty());
  EXPECT_TRUE(value["s"].members().empty());
  EXPECT_EQ(value["s"].size(), 0u);
}

TEST(Value, ReadsIntegersHoweverTheyAreWritten) {
  EXPECT_EQ(parsed("9223372036854775807").as_int64(), 9223372036854775807);
  EXPECT_EQ(parsed("9223372036854775808").as_int64(), std::nullopt);
  EXPECT_EQ(parsed("18446744073709551615").as_uint64(), 18446744073709551615u);
  EXPECT_EQ(parsed("1.0").as_int64(), 1);
  EXPECT_EQ(parsed("-1e3").as_int64(), -1000);
  EXPECT_EQ(parsed("-1e3").as_uint64(), std::nullopt);
  EXPECT_EQ(parsed("1e17").as_int64(), std::nullopt);
  EXPECT_EQ(parsed("1e400").as_int64(), std::nullopt);
  EXPECT_TRUE(std::isinf(*parsed("1e400").as_double()));
  EXPECT_TRUE(parsed("-5").is_integer());
  EXPECT_FALSE(parsed("5.0").is_integer());
  EXPECT_FALSE(parsed("\"5\"").is_integer());
}

TEST(Value, ComparesByMeaning) {
  EXPECT_EQ(parsed("{\"a\":1,\"b\":[2]}"), parsed("{\"b\":[2.0],\"a\":1}"));
  EXPECT_NE(parsed("{\"a\":1}"), parsed("{\"a\":1,\"b\":2}"));
  EXPECT_NE(parsed("{\"a\":1}"), parsed("{\"b\":1}"));
  EXPECT_NE(parsed("[1,2]"), parsed("[2,1]"));
  EXPECT_NE(parsed("9007199254740993"), parsed("9007199254740992"));
  EXPECT_NE(parsed("null"), parsed("false"));
  EXPECT_EQ(parsed("\"\\u0041\""), Value("A"));
  EXPECT_NE(parsed("\"\\ud800\""), Value("\\ud800"));
  EXPECT_EQ(Value(Bytes("x")), Value(Bytes("x")));
}

TEST(Value, KeepsHalfASurrogatePairAndNeverTakesItForItsSpelling) {
  const Value value = parsed("{\"\\ud800\":1,\"\\\\ud800\":2}");
  ASSERT_EQ(value.size(), 2u);
  EXPECT_EQ(value["\\ud800"].as_int64(), 2);
  EXPECT_EQ(value.to_json(), "{\"\\ud800\":1,\"\\\\ud800\":2}");
  EXPECT_TRUE(value.members()[0].key.escaped);
  EXPECT_FALSE(value.members()[0].key == "\\ud800");
}

TEST(Value, GrowsByMembersAndElements) {
  Value value;
  value.set("a", 1).set("b", "x").set("a", 2);
  value.set("list", Value().push_back(1).push_back("two"));
  EXPECT_EQ(value.to_json(), "{\"a\":2,\"b\":\"x\",\"list\":[1,\"two\"]}");
  Value copy = value;
  copy.set("a", nullptr);
  EXPECT_EQ(value["a"].as_int64(), 2);
  copy = copy["list"];
  EXPECT_EQ(copy.to_json(), "[1,\"two\"]");
}

TEST(Value, PutsAttachmentsWhereThePlaceholdersStand) {
  const std::vector<Bytes> attachments{Bytes("zero"), Bytes("one")};
  const auto value =
      Value::parse("[{\"_placeholder\":true,\"num\":1},{\"x\":{\"num\":0,\"_placeholder\":true}}]", attachments);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ((*value)[0].as_bytes(), Bytes("one"));
  EXPECT_EQ((*value)[1]["x"].as_bytes(), Bytes("zero"));
  EXPECT_FALSE(Value::parse("{\"_placeholder\":true,\"num\":2}", attachments).ok());
  EXPECT_FALSE(Value::parse("{\"_placeholder\":true,\"num\":0.5}", attachments).ok());
  EXPECT_TRUE(Value::parse("{\"_placeholder\":true,\"num\":2}")->is_object());

  std::vector<Bytes> out;
  EXPECT_EQ(value->to_json(out), "[{\"_placeholder\":true,\"num\":0},{\"x\":{\"_placeholder\":true,\"num\":1}}]");
  EXPECT_EQ(out, (std::vector<Bytes>{Bytes("one"), Bytes("zero")}));
}

TEST(Value, NamesAnAttachmentOnceHoweverOftenItStandsThere) {
  const Bytes picture("octets");
  std::vector<Bytes> out;
  EXPECT_EQ(Value::array({picture, picture}).to_json(out),
            "[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]");
  EXPECT_EQ(out.size(), 1u);
}

// Somebody's data may look like a placeholder. Beside real attachments the recipient would fail on it.
TEST(Value, BlotsOutLookalikesOnlyBesideAttachments) {
  const Value lookalike = parsed("{\"_placeholder\":true,\"num\":7}");
  std::vector<Bytes> out;
  EXPECT_EQ(Value::array({lookalike}).to_json(out), "[{\"_placeholder\":true,\"num\":7}]");
  EXPECT_EQ(Value::array({lookalike, Bytes("b"), lookalike}).to_json(out),
            "[{\"_placeholder\":1   ,\"num\":7},{\"_placeholder\":true,\"num\":0},{\"_placeholder\":1,\"num\":7}]");
}

TEST(Value, TakesDeepAndWideTextsInStride) {
  std::string deep = "1";
  for (int i = 0; i < 256; ++i) deep = "[{\"k\":" + deep + "}]";
  EXPECT_EQ(round_trip(deep), deep);
  std::string wide = "{\"k0\":0";
  for (int i = 1; i < 50'000; ++i) wide += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
  wide += "}";
  EXPECT_EQ(round_trip(wide), wide);
  EXPECT_EQ(parsed(wide), parsed(wide));
}

}  // namespace
}  // namespace tidewire
