#include "server/api_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::server {
namespace {

using ::testing::HasSubstr;

std::vector<ApiEndpoint> table() {
  using Type = ApiParameter::Type;
  std::vector<ApiEndpoint> rows;
  rows.push_back({.method = "GET", .path = "/api/rooms", .tag = "t", .summary = "s", .right = ApiRight::kRole, .role = "read",
                  .query = {{.name = "limit", .text = "", .type = Type::kInteger, .least = 1, .most = 1000, .otherwise = "100"},
                            {.name = "prefix", .text = "", .most = 8}, {.name = "deep", .text = "", .type = Type::kFlag}}});
  rows.push_back({.method = "GET", .path = "/api/rooms/{room}/members", .tag = "t", .summary = "s"});
  rows.push_back({.method = "POST", .path = "/api/rooms/{room}/members", .tag = "t", .summary = "s",
                  .body = R"({"type":"object","required":["n"],"additionalProperties":false,"properties":{"n":{"type":"integer"}}})"});
  return rows;
}

class ApiRouterTest : public ::testing::Test {
 protected:
  std::optional<ApiProblem> query(std::string_view text) {
    read.clear();
    return ApiRouter::read_query(router.endpoints()[0], text, read);
  }
  std::optional<ApiProblem> body(std::string_view text, std::string_view type = "application/json") {
    return router.read_body(router.endpoints()[2], type, text, {.bytes_max = 40, .depth_max = 4}, value);
  }
  std::string value_of(std::string_view name) {
    for (const auto& [key, text] : read) {
      if (key == name) return text;
    }
    return "(none)";
  }
  const ApiRouter router{table()};
  ApiRouter::Places read;
  Value value;
};

TEST_F(ApiRouterTest, FindsTheRowOfMethodAndPath) {
  EXPECT_EQ(router.find("GET", "/api/rooms").endpoint, &router.endpoints()[0]);
  EXPECT_EQ(router.find("HEAD", "/api/rooms").endpoint, &router.endpoints()[0]);
  const auto match = router.find("POST", "/api/rooms/a%2Fb%20c/members");
  EXPECT_EQ(match.endpoint, &router.endpoints()[2]);
  ASSERT_EQ(match.places.size(), 1u);
  EXPECT_EQ(match.places[0].first, "room");
  EXPECT_EQ(match.places[0].second, "a/b c");
}

TEST_F(ApiRouterTest, KnowsWhichMethodsAPathHas) {
  const auto match = router.find("PUT", "/api/rooms/x/members");
  EXPECT_EQ(match.endpoint, nullptr);
  EXPECT_EQ(match.methods, "GET, HEAD, POST, OPTIONS");
  for (const std::string_view path : {"/api", "/api/rooms/", "/api/rooms/x", "/api/rooms/x/members/", "/api//rooms", "", "/",
                                      "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18"}) {
    EXPECT_TRUE(router.find("GET", path).methods.empty()) << path;
  }
}

TEST_F(ApiRouterTest, RefusesNamesThatCannotBeDecoded) {
  for (const std::string& name : {std::string("%"), std::string("%4"), std::string("%zz"), std::string("%ff"), std::string("%00"),
                                  std::string("a%0Ab"), std::string(257, 'a'), std::string()}) {
    EXPECT_FALSE(router.find("GET", "/api/rooms/" + name + "/members").failure.empty()) << name;
  }
  EXPECT_TRUE(router.find("GET", "/api/rooms/" + std::string(256, 'a') + "/members").failure.empty());
}

TEST_F(ApiRouterTest, ReadsParametersAndFillsInTheirDefaults) {
  EXPECT_FALSE(query(""));
  EXPECT_EQ(value_of("limit"), "100");
  EXPECT_EQ(value_of("prefix"), "(none)");
  EXPECT_FALSE(query("prefix=a+b%3D&limit=1000&deep=true&tenant=x"));
  EXPECT_EQ(value_of("prefix"), "a b=");
  EXPECT_EQ(value_of("limit"), "1000");
  EXPECT_EQ(value_of("tenant"), "x");
}

TEST_F(ApiRouterTest, RefusesParametersThatAreWrong) {
  for (const std::string_view text : {"limit=0", "limit=1001", "limit=-1", "limit=1x", "limit=", "limit=99999999999999999999", "limit=+5",
                                      "prefix=123456789", "prefix=%00", "prefix=%ff", "prefix=%", "deep=1", "limit=1&limit=2", "%zz=1"}) {
    const auto problem = query(text);
    ASSERT_TRUE(problem) << text;
    EXPECT_EQ(problem->status, 400);
    EXPECT_EQ(problem->problem.code, "invalid_parameter") << text;
  }
}

TEST_F(ApiRouterTest, SuggestsTheParameterThatWasMeant) {
  const auto problem = query("limt=1");
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->problem.code, "unknown_parameter");
  EXPECT_THAT(problem->problem.message, HasSubstr("did you mean \"limit\""));
}

TEST_F(ApiRouterTest, ReadsABodyThatFitsItsSchema) {
  EXPECT_FALSE(body(R"({"n":1})"));
  EXPECT_EQ(value["n"].as_int64(), 1);
  EXPECT_FALSE(body(R"({"n":1})", "Application/JSON; charset=UTF-8"));
}

TEST_F(ApiRouterTest, RefusesBodiesThatAreWrong) {
  struct Case {
    std::string text, type, code;
    int status;
  };
  const std::string json = "application/json";
  for (const Case& wrong : {Case{R"({"n":1})", "text/plain", "unsupported_media_type", 415}, Case{R"({"n":1})", "", "unsupported_media_type", 415},
                            Case{R"({"n":1})", "application/json; charset=latin1", "unsupported_media_type", 415},
                            Case{R"({"n":1})", "application/jsonx", "unsupported_media_type", 415},
                            Case{"{\"n\":1" + std::string(40, ' ') + "}", json, "body_too_large", 413}, Case{"", json, "invalid_json", 400},
                            Case{"{", json, "invalid_json", 400}, Case{R"({"n":1}x)", json, "invalid_json", 400},
                            Case{R"([[[[[1]]]]])", json, "invalid_json", 400}, Case{"[]", json, "invalid_body", 400},
                            Case{R"({"n":"1"})", json, "invalid_body", 400}, Case{R"({"n":1,"m":2})", json, "invalid_body", 400},
                            Case{"{}", json, "invalid_body", 400}}) {
    const auto problem = body(wrong.text, wrong.type);
    ASSERT_TRUE(problem) << wrong.text;
    EXPECT_EQ(problem->status, wrong.status) << wrong.text;
    EXPECT_EQ(problem->problem.code, wrong.code) << wrong.text;
  }
}

TEST_F(ApiRouterTest, RefusesABodyWhereNoneIsTaken) {
  Value ignored;
  EXPECT_FALSE(router.read_body(router.endpoints()[0], "", "", {40, 4}, ignored));
  EXPECT_TRUE(router.read_body(router.endpoints()[0], "application/json", "{}", {40, 4}, ignored));
}

}  // namespace
}  // namespace tidewire::server
