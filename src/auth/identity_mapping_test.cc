#include "auth/identity_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Result<Identity> map(std::string_view json, const ClaimMapping& mapping = {}) {
  return map_claims(*Value::parse(json), mapping);
}

std::string why(std::string_view json, const ClaimMapping& mapping = {}) {
  const Result<Identity> identity = map(json, mapping);
  return identity.ok() ? "taken" : identity.status().message();
}

std::string list_of(std::size_t count) {
  std::string json = "[";
  for (std::size_t i = 0; i < count; ++i) json += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + "\"";
  return json + "]";
}

TEST(IdentityMapping, ReadsTheUsualClaims) {
  const Result<Identity> identity =
      map(R"({"sub":"7","email":"a@b.example","name":"Ann","tenant":"t","role":"user","roles":["admin"],)"
          R"("projects":["x",3],"jti":"j","iss":"i","iat":5,"exp":10.5,"more":1})");
  ASSERT_TRUE(identity.ok()) << identity.status().message();
  EXPECT_EQ(identity->user_id, "7");
  EXPECT_EQ(identity->email, "a@b.example");
  EXPECT_EQ(identity->name, "Ann");
  EXPECT_EQ(identity->tenant, "t");
  EXPECT_THAT(identity->roles, ElementsAre("user", "admin"));
  EXPECT_THAT(identity->projects, ElementsAre("x", "3"));
  EXPECT_EQ(identity->token_id, "j");
  EXPECT_EQ(identity->issuer, "i");
  EXPECT_EQ(identity->issued_at_s, 5);
  EXPECT_EQ(identity->expires_at_s, 11);
  EXPECT_EQ(identity->claims["more"].as_int64(), 1);
  EXPECT_FALSE(identity->anonymous());
  EXPECT_TRUE(identity->has_role("admin"));
  EXPECT_FALSE(identity->has_role("Admin"));
}

TEST(IdentityMapping, TheFirstClaimThatIsThereNamesTheUser) {
  EXPECT_EQ(map(R"({"sub":"s","userId":"u"})")->user_id, "u");
  EXPECT_EQ(map(R"({"sub":"s","userId":null})")->user_id, "s");
  EXPECT_EQ(map(R"({"sub":"s","userId":""})")->user_id, "s");
  EXPECT_EQ(map(R"({"sub":42})")->user_id, "42");
  EXPECT_EQ(map(R"({"sub":12345678901234567890})")->user_id, "12345678901234567890");
  EXPECT_TRUE(map("{}")->anonymous());
  EXPECT_TRUE(map(R"({"sub":""})")->anonymous());
  EXPECT_EQ(map(R"({"uid":"x","sub":"s"})", {.user_id = {"uid"}})->user_id, "x");
}

TEST(IdentityMapping, ANameIsLookedUpAsItStandsThenAsAPath) {
  const ClaimMapping mapping{.user_id = {"user.id"}, .roles = {"realm_access.roles", "https://example.com/roles"}};
  const Result<Identity> identity = map(R"({"user":{"id":"deep"},"realm_access":{"roles":["a"]},)"
                                        R"("https://example.com/roles":["b"]})",
                                        mapping);
  EXPECT_EQ(identity->user_id, "deep");
  EXPECT_THAT(identity->roles, ElementsAre("a", "b"));
  EXPECT_EQ(map(R"({"user":{"id":"deep"},"user.id":"flat"})", mapping)->user_id, "flat");
  for (const std::string_view json :
       {R"({"user":"x"})", R"({"user":{"id":null}})", R"({"user":[{"id":1}]})", R"({"user":{}})"}) {
    EXPECT_TRUE(map(json, mapping)->anonymous()) << json;
  }
  for (const std::string& odd :
       {std::string("."), std::string(".."), std::string(), std::string("a..b"), std::string(1000, '.')}) {
    EXPECT_TRUE(map(R"({"a":{"b":"x"}})", {.user_id = {odd}})->anonymous()) << odd;
  }
}

TEST(IdentityMapping, RolesAreWordsOrAList) {
  EXPECT_THAT(map(R"({"role":"a, b  c,,a "})")->roles, ElementsAre("a", "b", "c"));
  EXPECT_THAT(map(R"({"roles":["a b","c,d",""]})")->roles, ElementsAre("a b", "c,d")) << "an element is one role";
  EXPECT_THAT(map(R"({"role":["a"],"roles":"a b"})")->roles, ElementsAre("a", "b"));
  EXPECT_THAT(map(R"({"role":" , ","roles":[]})")->roles, IsEmpty());
  EXPECT_THAT(map(R"({"projects":"a b, 7 ,c"})")->projects, ElementsAre("a b", "7", "c"));
  EXPECT_THAT(map(R"({"projects":7})")->projects, ElementsAre("7"));
  for (const std::string_view bad : {R"({"role":7})", R"({"roles":[7]})", R"({"roles":{"a":true}})",
                                     R"({"roles":[["a"]]})", R"({"roles":[null]})", R"({"roles":true})"}) {
    EXPECT_THAT(why(bad), HasSubstr("claim \"role")) << bad;
  }
  for (const std::string_view bad :
       {R"({"projects":1.5})", R"({"projects":[1.5]})", R"({"projects":[1e3]})", R"({"projects":[{}]})"}) {
    EXPECT_THAT(why(bad), HasSubstr("claim \"projects\"")) << bad;
  }
}

TEST(IdentityMapping, AWrongKindIsAnErrorThatNamesTheClaimOnly) {
  for (const std::string_view bad : {R"({"sub":1.5})", R"({"sub":1e3})", R"({"sub":["hidden"]})", R"({"sub":{}})",
                                     R"({"sub":true})", R"({"email":7})", R"({"name":["hidden"]})", R"({"tenant":1})",
                                     R"({"jti":1})", R"({"iss":[]})", R"({"exp":"hidden"})", R"({"iat":-1})"}) {
    EXPECT_THAT(why(bad), HasSubstr("claim \"")) << bad;
    EXPECT_THAT(why(bad), Not(HasSubstr("hidden"))) << bad;
  }
  EXPECT_FALSE(map("[]").ok());
}

TEST(IdentityMapping, HasBoundsAndCutsNothing) {
  const auto text_of = [](std::string_view claim, std::size_t size) {
    return "{\"" + std::string(claim) + "\":\"" + std::string(size, 'x') + "\"}";
  };
  for (const std::string_view claim : {"sub", "tenant", "role", "projects"}) {
    EXPECT_EQ(why(text_of(claim, 128)), "taken") << claim;
    EXPECT_THAT(why(text_of(claim, 129)), HasSubstr("longer than 128 bytes")) << claim;
  }
  for (const std::string_view claim : {"email", "name", "jti", "iss"}) {
    EXPECT_EQ(why(text_of(claim, 256)), "taken") << claim;
    EXPECT_THAT(why(text_of(claim, 257)), HasSubstr("longer than 256 bytes")) << claim;
  }
  EXPECT_EQ(map("{\"roles\":" + list_of(64) + "}")->roles.size(), 64u);
  EXPECT_THAT(why("{\"roles\":" + list_of(65) + "}"), HasSubstr("more than 64"));
  EXPECT_THAT(why("{\"role\":\"one\",\"roles\":" + list_of(64) + "}"), HasSubstr("more than 64"))
      << "all claims together";
  EXPECT_EQ(map("{\"projects\":" + list_of(1024) + "}")->projects.size(), 1024u);
  EXPECT_THAT(why("{\"projects\":" + list_of(1025) + "}"), HasSubstr("more than 1024"));
}

TEST(IdentityMapping, RefusesControlCharacters) {
  for (const std::string_view claim : {"sub", "email", "name", "tenant", "role", "projects", "jti", "iss"}) {
    for (const std::string_view bad : {"a\\u0000", "\\n", "a\\u001fb", "\\u007f", "\\u0080", "x\\u009f"}) {
      EXPECT_THAT(why("{\"" + std::string(claim) + "\":\"" + std::string(bad) + "\"}"), HasSubstr("control character"))
          << claim << bad;
    }
    EXPECT_EQ(why("{\"" + std::string(claim) + "\":\"\\u00a0\\u00e9\\ud83d\\ude00\"}"), "taken") << claim;
  }
}

}  // namespace
}  // namespace tidewire::auth
