#include "policy/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"

namespace tidewire::policy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Value parsed(std::string_view json) {
  Result<Value> value = Value::parse(json);
  EXPECT_TRUE(value.ok()) << json << ": " << value.status().message();
  return value.ok() ? *value : Value();
}

JsonSchema compiled(std::string_view schema) {
  Result<JsonSchema> result = JsonSchema::compile(parsed(schema));
  EXPECT_TRUE(result.ok()) << schema << ": " << result.status().message();
  return result.ok() ? *result : *JsonSchema::compile(Value(true));
}

// What is wrong with a schema.
std::string refused_value(const Value& schema) {
  const Result<JsonSchema> result = JsonSchema::compile(schema);
  EXPECT_FALSE(result.ok());
  return result.status().message();
}
std::string refused(std::string_view schema) { return refused_value(parsed(schema)); }

// "pointer|keyword|message", or "valid".
std::string verdict(const JsonSchema& schema, const Value& instance) {
  const std::optional<Violation> violation = schema.validate(instance);
  if (!violation) return "valid";
  EXPECT_LE(violation->message.size(), JsonSchemaLimits::kMessageBytesMax);
  EXPECT_LE(violation->pointer.size(), JsonSchemaLimits::kMessageBytesMax);
  EXPECT_TRUE(base::valid_utf8(violation->message));
  return violation->pointer + "|" + std::string(violation->keyword) + "|" + violation->message;
}
std::string verdict(std::string_view schema, std::string_view instance) {
  return verdict(compiled(schema), parsed(instance));
}

std::string repeated(std::string_view piece, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(JsonSchema, SaysWhereAndWhatAViolationIs) {
  EXPECT_EQ(verdict(R"({"type":"string"})", "1"), "|type|expected a string, found a number");
  EXPECT_EQ(verdict(R"({"type":["integer","null"]})", "\"x\""), "|type|expected null or an integer, found a string");
  EXPECT_EQ(verdict(R"({"type":["string","null","object"]})", "[]"), "|type|expected null, a string or an object, found an array");
  EXPECT_EQ(verdict(R"({"type":"integer"})", "1.5"), "|type|expected an integer, found 1.5");
  EXPECT_EQ(verdict(R"({"enum":["a",1,null]})", "\"b\""), "|enum|expected one of \"a\", 1, null");
  EXPECT_EQ(verdict(R"({"const":{"a":1}})", "{}"), "|const|expected {\"a\":1}");
  EXPECT_EQ(verdict(R"({"required":["b","a"]})", "{}"), "|required|the member \"b\" is missing");
  EXPECT_EQ(verdict(R"({"required":["b","a"]})", R"({"b":1})"), "|required|the member \"a\" is missing");
  EXPECT_EQ(verdict(R"({"properties":{"a":true},"additionalProperties":false})", R"({"a":1,"x":2})"),
            "|additionalProperties|the member \"x\" is not known");
  EXPECT_EQ(verdict(R"({"properties":{"a":false}})", R"({"a":1})"), "/a|false|nothing is allowed here");
  EXPECT_EQ(verdict(R"({"minLength":3})", "\"ab\""), "|minLength|expected at least 3 characters, found 2");
  EXPECT_EQ(verdict(R"({"maxItems":1})", "[1,2]"), "|maxItems|expected at most 1 items, found 2");
  EXPECT_EQ(verdict(R"({"minProperties":1})", "{}"), "|minProperties|expected at least 1 members, found 0");
  EXPECT_EQ(verdict(R"({"uniqueItems":true})", "[3,1,2,1.0]"), "|uniqueItems|items 1 and 3 are equal");
  EXPECT_EQ(verdict(R"({"pattern":"^a*$"})", "\"b\""), "|pattern|does not match the pattern ^a*$");
  EXPECT_EQ(verdict(R"({"minimum":1})", "0"), "|minimum|expected at least 1, found 0");
  EXPECT_EQ(verdict(R"({"maximum":1})", "1e9"), "|maximum|expected at most 1, found 1e9");
  EXPECT_EQ(verdict(R"({"exclusiveMinimum":1})", "1"), "|exclusiveMinimum|expected more than 1, found 1");
  EXPECT_EQ(verdict(R"({"exclusiveMaximum":1})", "1"), "|exclusiveMaximum|expected less than 1, found 1");
  EXPECT_EQ(verdict(R"({"multipleOf":0.01})", "0.005"), "|multipleOf|expected a multiple of 0.01, found 0.005");
  EXPECT_EQ(verdict(R"({"format":"date"})", "\"x\""), "|format|expected a date as 2026-01-31");
  EXPECT_EQ(verdict(R"({"anyOf":[{"type":"null"},{"type":"array"}]})", "1"), "|anyOf|matches none of the 2 alternatives");
  EXPECT_EQ(verdict(R"({"oneOf":[{"type":"null"},{"minimum":0},{"maximum":5}]})", "1"),
            "|oneOf|matches 2 of the 3 alternatives, expected exactly one");
  EXPECT_EQ(verdict(R"({"not":{"type":"null"}})", "null"), "|not|is what the contract excludes");
}

TEST(JsonSchema, PointsIntoTheInstance) {
  const std::string_view schema =
      R"({"properties":{"lines":{"items":{"properties":{"id":{"minimum":1}}}},"a/b~c":{"type":"null"}}})";
  EXPECT_THAT(verdict(schema, R"({"lines":[{"id":0}]})"), StartsWith("/lines/0/id|minimum|"));
  EXPECT_THAT(verdict(schema, R"({"lines":[{"id":1},{},{"id":-5}]})"), StartsWith("/lines/2/id|minimum|"));
  EXPECT_THAT(verdict(schema, R"({"a/b~c":1})"), StartsWith("/a~1b~0c|type|"));
  EXPECT_EQ(verdict(schema, R"({"lines":[{"id":1}],"a/b~c":null,"more":1})"), "valid");
}

TEST(JsonSchema, ShowsOnlyAShortCutOfThePayload) {
  const std::string secret(300, 's');
  EXPECT_EQ(verdict(R"({"additionalProperties":false})", "{\"" + secret + "\":1}"),
            "|additionalProperties|the member \"" + std::string(37, 's') + "...\" is not known");
  EXPECT_EQ(verdict(R"({"maxLength":3})", '"' + secret + '"'), "|maxLength|expected at most 3 characters, found 300");
  EXPECT_EQ(verdict(R"({"additionalProperties":false})", "{\"\\u001b[2J\\u0085\":1}"),
            "|additionalProperties|the member \"?[2J??\" is not known");
  EXPECT_THAT(verdict(R"({"additionalProperties":{"type":"null"}})", "{\"" + secret + "\":1}"),
              StartsWith("/" + std::string(196, 's') + "...|type"));
  EXPECT_THAT(verdict(R"({"additionalProperties":{"type":"null"}})", "{\"" + repeated("\xe2\x82\xac", 90) + "\":1}"),
              HasSubstr("\xe2\x82\xac...|type"));
}

TEST(JsonSchema, CountsCodePoints) {
  const std::string_view three = R"({"minLength":3,"maxLength":3})";
  EXPECT_EQ(verdict(three, "\"a\xe2\x82\xac\xf0\x9f\x98\x80\""), "valid");
  EXPECT_EQ(verdict(three, R"("\n\\\u20ac")"), "valid");
  // Half a pair of surrogates counts as one, a whole one beside it too.
  EXPECT_EQ(verdict(three, R"("\ud83dab")"), "valid");
  EXPECT_EQ(verdict(three, R"("\ud83d\ude00\ud83d\n")"), "valid");
  EXPECT_EQ(verdict(three, R"("\ude00\ude00\ud83d")"), "valid");
  EXPECT_THAT(verdict(three, R"("\\ud83d")"), HasSubstr("found 6"));
}

TEST(JsonSchema, SeesTheEscapeOfHalfASurrogatePair) {
  EXPECT_EQ(verdict(R"({"pattern":"^.ud83d$"})", R"("\ud83d")"), "valid");
  EXPECT_THAT(verdict(R"({"format":"date"})", R"("\ud83d")"), HasSubstr("format"));
  EXPECT_THAT(verdict(R"({"enum":["\\ud83d"]})", R"("\ud83d")"), HasSubstr("enum"));
  EXPECT_EQ(verdict(R"({"enum":["\ud83d"]})", R"("\ud83d")"), "valid");
  EXPECT_EQ(verdict(R"({"enum":["\\ud83d"]})", R"("\\ud83d")"), "valid");
  EXPECT_THAT(verdict(R"({"properties":{"\ud83d":{"type":"null"}}})", R"({"\ud83d":1})"), HasSubstr("type"));
  EXPECT_EQ(verdict(R"({"properties":{"\\ud83d":{"type":"null"}}})", R"({"\ud83d":1})"), "valid");
}

TEST(JsonSchema, ComparesNumbersExactly) {
  EXPECT_EQ(verdict(R"({"maximum":9007199254740992})", "9007199254740992"), "valid");
  EXPECT_THAT(verdict(R"({"maximum":9007199254740992})", "9007199254740993"), HasSubstr("maximum"));
  EXPECT_THAT(verdict(R"({"exclusiveMaximum":1e400})", "1e400"), HasSubstr("exclusiveMaximum"));
  EXPECT_EQ(verdict(R"({"maximum":1e400})", "1e399"), "valid");
  EXPECT_EQ(verdict(R"({"type":"integer"})", "1.0"), "valid");
  EXPECT_EQ(verdict(R"({"type":"integer"})", "12.5e1"), "valid");
  EXPECT_EQ(verdict(R"({"type":"integer"})", "12345678901234567890123456789012"), "valid");
  EXPECT_EQ(verdict(R"({"enum":[1]})", "1.0"), "valid");
}

TEST(JsonSchema, KnowsBytes) {
  const JsonSchema schema = compiled(R"({"properties":{"file":{"type":"bytes","minLength":2,"maxLength":4}}})");
  const auto with = [](Value file) { return Value::object({{"file", std::move(file)}}); };
  EXPECT_EQ(verdict(schema, with(Bytes("abcd"))), "valid");
  EXPECT_EQ(verdict(schema, with(Bytes("abcde"))), "/file|maxLength|expected at most 4 bytes, found 5");
  EXPECT_EQ(verdict(schema, with(Bytes())), "/file|minLength|expected at least 2 bytes, found 0");
  EXPECT_EQ(verdict(schema, with("abc")), "/file|type|expected bytes, found a string");
  EXPECT_EQ(verdict(compiled(R"({"type":["string","object"]})"), Value(Bytes("x"))),
            "|type|expected a string or an object, found bytes");
  EXPECT_EQ(verdict(compiled(R"({"uniqueItems":true})"), Value::array({Bytes("x"), "x", Bytes("y")})), "valid");
  EXPECT_THAT(verdict(compiled(R"({"uniqueItems":true})"), Value::array({Bytes("x"), Bytes("x")})), HasSubstr("0 and 1"));
}

TEST(JsonSchema, ChecksItemsByPlace) {
  for (const std::string_view schema : {R"({"prefixItems":[{"type":"string"},{"type":"null"}],"items":{"type":"integer"}})",
                                        R"({"items":[{"type":"string"},{"type":"null"}],"additionalItems":{"type":"integer"}})"}) {
    EXPECT_EQ(verdict(schema, R"(["a",null,1,2])"), "valid");
    EXPECT_EQ(verdict(schema, R"(["a"])"), "valid");
    EXPECT_THAT(verdict(schema, R"(["a",1])"), StartsWith("/1|type"));
    EXPECT_THAT(verdict(schema, R"(["a",null,1,null])"), StartsWith("/3|type"));
  }
}

TEST(JsonSchema, FollowsRecursion) {
  const JsonSchema tree = compiled(
      R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","required":["v"],)"
      R"("properties":{"v":{"type":"integer"},"sub":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}})");
  EXPECT_EQ(verdict(tree, parsed(R"({"v":1,"sub":[{"v":2},{"v":3,"sub":[]}]})")), "valid");
  EXPECT_THAT(verdict(tree, parsed(R"({"v":1,"sub":[{"v":2},{"v":3,"sub":[{}]}]})")), StartsWith("/sub/1/sub/0|required"));
  const JsonSchema nested = compiled(R"({"items":{"$ref":"#"},"type":"array"})");
  EXPECT_EQ(verdict(nested, parsed(std::string(512, '[') + std::string(512, ']'))), "valid");
  EXPECT_THAT(verdict(nested, parsed(std::string(511, '[') + "1" + std::string(511, ']'))), HasSubstr("|type|expected an array"));
}

TEST(JsonSchema, CountsKeywordsBesideAReference) {
  const std::string_view schema = R"({"$defs":{"s":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/s","maxLength":2}}})";
  EXPECT_EQ(verdict(schema, R"({"a":"ab"})"), "valid");
  EXPECT_THAT(verdict(schema, R"({"a":"abc"})"), StartsWith("/a|maxLength"));
  EXPECT_THAT(verdict(schema, R"({"a":1})"), StartsWith("/a|type"));
}

TEST(JsonSchema, RefusesUnknownKeywordsAndNamesTheNearest) {
  EXPECT_EQ(refused(R"({"properties":{"id":{"minLenght":1}}})"),
            "#/properties/id/minLenght: unknown keyword \"minLenght\"; the nearest known one is \"minLength\"");
  EXPECT_THAT(refused(R"({"require":["a"]})"), HasSubstr("\"required\""));
  EXPECT_THAT(refused(R"({"patternProperties":{}})"), HasSubstr("unknown keyword \"patternProperties\""));
  EXPECT_THAT(refused(R"({"if":true})"), StartsWith("#/if: "));
  EXPECT_THAT(refused("{\"" + std::string(5'000, 'x') + "\":1}"), testing::SizeIs(testing::Lt(300u)));
}

TEST(JsonSchema, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refused("3"), "#: expected a schema, that is an object or a boolean, found a number");
  EXPECT_EQ(refused(R"({"properties":{"a":[]}})"),
            "#/properties/a: expected a schema, that is an object or a boolean, found an array");
  for (const std::string_view schema :
       {R"({"type":"int"})", R"({"type":[]})", R"({"type":3})", R"({"type":["string",1]})", R"({"enum":[]})", R"({"enum":1})",
        R"({"required":"a"})", R"({"required":[1]})", R"({"required":["a","a"]})", R"({"required":["\ud83d"]})",
        R"({"properties":[]})", R"({"additionalProperties":1})", R"({"items":1})", R"({"items":[]})",
        R"({"prefixItems":{}})", R"({"prefixItems":[true],"items":[true]})", R"({"additionalItems":false})",
        R"({"items":{},"additionalItems":false})", R"({"minItems":-1})", R"({"maxItems":1.5})", R"({"minLength":"1"})",
        R"({"maxLength":1e30})", R"({"minProperties":null})", R"({"uniqueItems":1})", R"({"pattern":1})", R"J({"pattern":"("})J",
        R"J({"pattern":"(?=a)"})J", R"J({"pattern":"(a)\\1"})J", R"({"format":"ipv7"})", R"({"format":1})", R"({"minimum":"1"})",
        R"({"exclusiveMinimum":true})", R"({"multipleOf":0})", R"({"multipleOf":-1})", R"({"multipleOf":"1"})", R"({"allOf":[]})",
        R"({"anyOf":{}})", R"({"oneOf":[1]})", R"({"not":null})", R"({"$ref":1})", R"({"$ref":"other.json"})",
        R"({"$ref":"#/nothing"})", R"({"$ref":"#anchor"})", R"({"$ref":"#/%zz"})", R"({"$ref":"#/%2"})",
        R"({"$ref":"#/properties","properties":{}})", R"({"$ref":"#/allOf/1","allOf":[true]})",
        R"({"$ref":"#/allOf/0x","allOf":[true]})", R"({"definitions":[]})", R"({"$defs":{"a":1}})", R"({"title":1})",
        R"({"properties":{"a":{"$id":"http://example.org/a"}}})"}) {
    EXPECT_THAT(refused(schema), testing::AllOf(StartsWith("#"), HasSubstr(": "))) << schema;
  }
}

TEST(JsonSchema, RefusesReferencesThatConsumeNothing) {
  for (const std::string_view schema :
       {R"({"$ref":"#"})", R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})", R"({"allOf":[{"$ref":"#"}]})",
        R"({"anyOf":[true,{"not":{"$ref":"#"}}]})", R"({"oneOf":[{"$ref":"#/oneOf/0"}]})"}) {
    EXPECT_THAT(refused(schema), HasSubstr("without going into the value")) << schema;
  }
}

TEST(JsonSchema, AllowsAnnotations) {
  EXPECT_EQ(verdict(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x","title":"t","description":"d",)"
                    R"("default":{"minLenght":1},"examples":[1],"$comment":"c","deprecated":true,"readOnly":true})",
                    "1"),
            "valid");
}

TEST(JsonSchema, BoundsTheSchema) {
  const auto nested = [](std::size_t depth) {
    return parsed(repeated(R"({"not":)", depth - 1) + "{}" + std::string(depth - 1, '}'));
  };
  EXPECT_TRUE(JsonSchema::compile(nested(JsonSchemaLimits::kDepthMax)).ok());
  EXPECT_THAT(refused_value(nested(JsonSchemaLimits::kDepthMax + 1)), HasSubstr("64 schemas within each other"));

  const auto wide = [](std::size_t count) {
    Value list = Value::array();
    for (std::size_t i = 0; i < count; ++i) list.push_back(true);
    return Value::object({{"allOf", list}});
  };
  EXPECT_TRUE(JsonSchema::compile(wide(JsonSchemaLimits::kNodesMax - 1)).ok());
  EXPECT_THAT(refused_value(wide(JsonSchemaLimits::kNodesMax)), HasSubstr("more than 1000 schemas"));

  const auto numbers = [](std::string_view keyword, std::size_t count) {
    Value list = Value::array();
    for (std::size_t i = 0; i < count; ++i) list.push_back(i);
    return Value::object({{keyword, list}});
  };
  EXPECT_TRUE(JsonSchema::compile(numbers("enum", JsonSchemaLimits::kEnumMax)).ok());
  EXPECT_THAT(refused_value(numbers("enum", JsonSchemaLimits::kEnumMax + 1)), HasSubstr("more than 1000 values"));
  EXPECT_TRUE(JsonSchema::compile(numbers("default", JsonSchemaLimits::kValuesMax - 2)).ok());
  EXPECT_THAT(refused_value(numbers("default", JsonSchemaLimits::kValuesMax - 1)), HasSubstr("more than 20000 JSON values"));

  const auto patterns = [](std::size_t count) {
    Value list = Value::array();
    for (std::size_t i = 0; i < count; ++i) list.push_back(Value::object({{"pattern", "a"}}));
    return Value::object({{"allOf", list}});
  };
  EXPECT_TRUE(JsonSchema::compile(patterns(JsonSchemaLimits::kPatternsMax)).ok());
  EXPECT_THAT(refused_value(patterns(JsonSchemaLimits::kPatternsMax + 1)), HasSubstr("more than 64 patterns"));
  EXPECT_THAT(refused(R"({"pattern":"((a{100}){100}){100}"})"), HasSubstr("not a pattern of RE2"));
  EXPECT_THAT(refused(R"({"pattern":"^\\p{L}{1,32}$"})"), HasSubstr("too large a pattern"));
  EXPECT_EQ(verdict(R"({"pattern":"^[\\p{L}\\p{N}_]+$","maxLength":32})", "\"\xc3\xa9t\xc3\xa9_1\""), "valid");
}

TEST(JsonSchema, BoundsTheWork) {
  // 2^17 ways through alternatives, all of which fail at the innermost value.
  Value doubling = parsed(R"({"$defs":{"d0":{"type":"null"}}})");
  Value definitions = doubling["$defs"];
  for (int i = 1; i <= 17; ++i) {
    const Value below = Value::object({{"$ref", "#/$defs/d" + std::to_string(i - 1)}});
    definitions.set("d" + std::to_string(i), Value::object({{"anyOf", Value::array({below, below})}}));
  }
  doubling.set("$defs", definitions);
  for (const std::string_view turned : {"d17", "not"}) {
    Value whole = doubling;
    const Value top = Value::object({{"$ref", "#/$defs/d17"}});
    turned == "not" ? whole.set("not", top) : whole.set("anyOf", Value::array({top}));
    EXPECT_EQ(verdict(*JsonSchema::compile(whole), Value(1)), "|limit|too complex to be validated");
    EXPECT_EQ(verdict(*JsonSchema::compile(whole), Value()) == "valid", turned != "not");
  }

  const auto list_of = [](std::size_t count) {
    Value list = Value::array();
    for (std::size_t i = 0; i < count; ++i) list.push_back(true);
    return list;
  };
  const JsonSchema booleans = compiled(R"({"items":{"type":"boolean"}})");
  EXPECT_EQ(verdict(booleans, list_of(JsonSchemaLimits::kStepsMax - 1)), "valid");
  EXPECT_EQ(verdict(booleans, list_of(JsonSchemaLimits::kStepsMax)), "/99999|limit|too complex to be validated");
}

TEST(JsonSchema, BoundsTheWorkOfEqualHashes) {
  // Different integers with one and the same double: each must be compared with each.
  const JsonSchema schema = compiled(R"({"uniqueItems":true})");
  std::string json = "[";
  for (int i = 0; i < 2'000; ++i) json += (i == 0 ? "" : ",") + std::to_string(i + 10'000) + "00000000000000000" + std::to_string(i + 10'000);
  for (int i = 0; i < 2'000; ++i) json += ",1000000000000000000000000000" + std::to_string(i + 1'000);
  EXPECT_EQ(verdict(schema, parsed(json + "]")), "|limit|too complex to be validated");
}

TEST(JsonSchema, BoundsTheWorkOfPatterns) {
  // What counts is the length times the size of the pattern.
  const std::string text(100'000, 'x');
  const JsonSchema small = compiled(R"({"pattern":"^[a-z]+$"})"), large = compiled(R"({"pattern":"^(x|y|z|[ab]+c){150}$"})");
  EXPECT_EQ(verdict(small, Value(text)), "valid");
  EXPECT_EQ(verdict(large, Value(text.substr(0, 150))), "valid");
  EXPECT_THAT(verdict(large, Value(text.substr(0, 1'000))), HasSubstr("|pattern|"));
  EXPECT_EQ(verdict(large, Value(text)), "|limit|too complex to be validated");
}

TEST(JsonSchema, BoundsTheDepthOfEvaluation) {
  // Sixty calls for each level of the instance.
  std::string inner = R"({"items":{"$ref":"#"}})";
  for (int i = 0; i < 60; ++i) inner = R"({"allOf":[)" + inner + "]}";
  const JsonSchema schema = compiled(inner);
  EXPECT_EQ(verdict(schema, parsed(std::string(10, '[') + std::string(10, ']'))), "valid");
  EXPECT_THAT(verdict(schema, parsed(std::string(20, '[') + std::string(20, ']'))), HasSubstr("|limit|"));
}

TEST(JsonSchema, LooksUpManyMembersQuickly) {
  Value properties = Value::object(), instance = Value::object(), required = Value::array();
  for (int i = 0; i < 900; ++i) {
    properties.set("member" + std::to_string(i), Value::object({{"const", i}}));
    instance.set("member" + std::to_string(i), i);
    required.push_back("member" + std::to_string(899 - i));
  }
  const JsonSchema schema = *JsonSchema::compile(
      Value::object({{"properties", properties}, {"required", required}, {"additionalProperties", false}}));
  EXPECT_EQ(verdict(schema, instance), "valid");
  instance.set("member555", 0);
  EXPECT_EQ(verdict(schema, instance), "/member555|const|expected 555");
}

TEST(JsonSchema, IsSharedByCopies) {
  const JsonSchema copy = [] {
    const JsonSchema original = compiled(R"({"enum":["a","b"]})");
    return JsonSchema(original);
  }();
  EXPECT_EQ(verdict(copy, Value("b")), "valid");
  EXPECT_THAT(verdict(copy, Value("c")), HasSubstr("enum"));
}

// ---- the short way

TEST(Accepts, WhatMostMessagesAre) {
  const auto schema = JsonSchema::compile(*Value::parse(R"({"type":"object","required":["id","kind"],"additionalProperties":false,"properties":{
    "id":{"type":"string","minLength":1,"maxLength":4},"kind":{"enum":["a","bc"]},"count":{"type":"integer","minimum":0,"maximum":9},
    "tags":{"type":"array","maxItems":2,"items":{"type":"string"}},"at":{"type":"object","properties":{"x":{"type":"number"}}},"any":{},"when":{"format":"date-time"}}})"));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const std::string_view good[] = {
      R"({"id":"1","kind":"a"})", R"( { "kind" : "bc" , "id" : "äöüß" , "count" : 1e0 } )", R"({"id":"1","kind":"a","tags":[],"any":[[{"a":[1]}],{}]})",
      R"({"id":"1","kind":"a","at":{"x":-1.5,"y":{"z":[]}},"any":null,"when":7})", R"({"id":"1","kind":"a","when":"2026-01-31T12:00:00Z","tags":["x","y"]})"};
  for (const std::string_view json : good) {
    EXPECT_TRUE(schema->accepts(json)) << json;
    EXPECT_FALSE(schema->validate(*Value::parse(json))) << json;
  }
  const std::string_view bad[] = {
      R"({"id":"1"})", R"({"id":"","kind":"a"})", R"({"id":"12345","kind":"a"})", R"({"id":1,"kind":"a"})", R"({"id":"1","kind":"b"})",
      R"({"id":"1","kind":"a","count":10})", R"({"id":"1","kind":"a","count":-1})", R"({"id":"1","kind":"a","count":1.5})",
      R"({"id":"1","kind":"a","tags":["x","y","z"]})", R"({"id":"1","kind":"a","tags":[1]})", R"({"id":"1","kind":"a","tags":{}})",
      R"({"id":"1","kind":"a","at":{"x":"1"}})", R"({"id":"1","kind":"a","more":1})", R"({"id":"1","kind":"a","when":"soon"})",
      "[]", "null", "7", R"("text")", "true"};
  for (const std::string_view json : bad) {
    EXPECT_FALSE(schema->accepts(json)) << json;
    EXPECT_TRUE(schema->validate(*Value::parse(json))) << json;
  }
}

TEST(Accepts, LeavesTheRareToTheLongWay) {
  const auto schema = [](std::string_view text) { return *JsonSchema::compile(*Value::parse(text)); };
  const JsonSchema object = schema(R"({"properties":{"a":{"type":"string"}},"required":["a"]})");
  for (const std::string_view json : {R"({"a":"\u0041"})", R"({"\u0061":"x"})", R"({"a":1,"a":"x"})"}) {
    EXPECT_FALSE(object.accepts(json)) << json;
    EXPECT_FALSE(object.validate(*Value::parse(json))) << json;
  }
  EXPECT_FALSE(object.accepts(R"({"a":"x","a":1})"));
  for (const std::string_view text : {R"({"const":1})", R"({"enum":[1]})", R"({"anyOf":[{}]})", R"({"not":false})", R"({"minProperties":0})", R"({"uniqueItems":true})"}) {
    EXPECT_FALSE(schema(text).accepts("1")) << text;
  }
  EXPECT_FALSE(schema(R"({"pattern":"^a"})").accepts(R"("a")"));
  std::string many = "[true";
  for (int i = 1; i < 100'000; ++i) many += ",true";
  many += "]";
  EXPECT_FALSE(schema(R"({"items":{"type":"boolean"}})").accepts(many)) << "which would be too much work";
  EXPECT_TRUE(schema(R"({"items":{"type":"boolean"}})").validate(*Value::parse(many)));
  std::string deep = "1";
  for (int i = 0; i < 100; ++i) deep = "[" + deep + "]";
  EXPECT_FALSE(schema(R"({"items":{"$ref":"#"}})").accepts(deep)) << "its own depth is bounded";
  EXPECT_FALSE(schema(R"({"items":{"$ref":"#"}})").validate(*Value::parse(deep)));
}

}  // namespace
}  // namespace tidewire::policy
