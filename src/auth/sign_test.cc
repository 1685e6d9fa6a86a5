#include "auth/sign.h"

#include <gtest/gtest.h>

#include "auth/test_tokens.h"
#include "auth/token.h"

namespace tidewire::auth {
namespace {

TEST(Sign, WritesATokenThatReadsBack) {
  const Key key = test_key(Algorithm::kEdDsa, "k");
  const Value claims = Value::object({{"sub", "\xc3\xa9"}, {"n", Value::array({1, nullptr})}});
  Token token;
  const Result<std::string> named = sign(claims, key, Algorithm::kEdDsa);
  ASSERT_TRUE(named.ok());
  ASSERT_EQ(parse_token(*named, token), TokenError::kOk);
  EXPECT_EQ(token.kid, "k");
  EXPECT_EQ(token.claims, claims);
  EXPECT_TRUE(key.verify(Algorithm::kEdDsa, token.signed_text, token.signature));
  const Result<std::string> nameless = sign(claims, key, Algorithm::kEdDsa, "");
  ASSERT_EQ(parse_token(*nameless, token), TokenError::kOk);
  EXPECT_EQ(token.kid, std::nullopt);
}

TEST(Sign, SignsWhateverTheKindOfKeyCan) {
  const Result<Key> key = Key::from_pem(test_pem("RSA-2048").private_key);
  for (const Algorithm algorithm : {Algorithm::kRs512, Algorithm::kPs384}) {
    const Result<std::string> token = sign(Value::object(), *key, algorithm);
    ASSERT_TRUE(token.ok());
    EXPECT_FALSE(key->verify(algorithm, token->substr(0, token->rfind('.')), "")) << "and verifies what it is told to";
  }
}

TEST(Sign, RefusesWhatNobodyWouldBelieve) {
  const Key key = test_key(Algorithm::kHs256);
  EXPECT_FALSE(sign(Value::array({1}), key, Algorithm::kHs256).ok());
  EXPECT_FALSE(sign(Value(), key, Algorithm::kHs256).ok());
  EXPECT_FALSE(sign(Value::object(), key, Algorithm::kRs256).ok());
  EXPECT_FALSE(sign(Value::object(), *Key::from_pem(test_pem("P-256").public_key), Algorithm::kEs256).ok());
  EXPECT_FALSE(sign(Value::object({{"x", std::string(kTokenBytesMax, 'x')}}), key, Algorithm::kHs256).ok());
}

}  // namespace
}  // namespace tidewire::auth
