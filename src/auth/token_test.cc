#include "auth/token.h"

#include <gtest/gtest.h>

#include <set>

#include "auth/test_tokens.h"

namespace tidewire::auth {
namespace {

const std::string kHeader = R"({"alg":"HS256"})";
const std::string kClaims = R"({"sub":"7"})";

std::string join(std::string_view header, std::string_view claims, std::string_view signature = "sig") {
  return base::base64url_encode(header) + "." + base::base64url_encode(claims) + "." +
         base::base64url_encode(signature);
}

TokenError error_of(std::string_view token) {
  Token out;
  return parse_token(token, out);
}

TokenError error_of_header(std::string_view header) { return error_of(join(header, kClaims)); }

TEST(Token, IsTakenApart) {
  const std::string text = join(R"({"typ":"JWT","alg":"ES256","kid":"k1"})", kClaims, "signature");
  Token token;
  ASSERT_EQ(parse_token(text, token), TokenError::kOk);
  EXPECT_EQ(token.algorithm, Algorithm::kEs256);
  EXPECT_EQ(token.kid, "k1");
  EXPECT_EQ(token.claims["sub"].as_string(), "7");
  EXPECT_EQ(token.signature, "signature");
  EXPECT_EQ(token.signed_text, text.substr(0, text.rfind('.')));
}

TEST(Token, NothingOfAnEarlierTokenIsLeft) {
  Token token;
  ASSERT_EQ(parse_token(join(R"({"alg":"ES256","kid":"k1"})", kClaims, "one"), token), TokenError::kOk);
  ASSERT_EQ(parse_token(join(kHeader, "{}", "two"), token), TokenError::kOk);
  EXPECT_EQ(token.kid, std::nullopt);
  EXPECT_EQ(token.signature, "two");
  EXPECT_EQ(token.claims.size(), 0u);
}

TEST(Token, HasThreeParts) {
  EXPECT_EQ(error_of(""), TokenError::kMissing);
  for (const std::string_view bad : {"x", "a.b", ".", "a.b.c.d", "a.b.c.d.e.f", "......"}) {
    EXPECT_EQ(error_of(bad), TokenError::kNotThreeParts) << bad;
  }
  EXPECT_EQ(error_of(".."), TokenError::kBadJson);
  EXPECT_EQ(error_of(base::base64url_encode(kHeader) + ".."), TokenError::kBadJson);
}

TEST(Token, TruncatedAtEachLengthItIsNoToken) {
  const std::string text = join(kHeader, kClaims);
  for (std::size_t size = 0; size <= text.rfind('.'); ++size)
    EXPECT_NE(error_of(text.substr(0, size)), TokenError::kOk) << size;
}

TEST(Token, EncryptedOnesAreRefused) {
  for (const std::string_view bad : {"a.b.c.d.e", "....", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y3Q.dGFn"}) {
    EXPECT_EQ(error_of(bad), TokenError::kEncrypted) << bad;
  }
  for (const std::string_view bad :
       {R"({"alg":"HS256","typ":"JWE"})", R"({"alg":"HS256","typ":"jwe"})", R"({"alg":"dir","enc":"A128GCM"})"}) {
    EXPECT_EQ(error_of_header(bad), TokenError::kEncrypted) << bad;
  }
  EXPECT_EQ(error_of(join(kHeader, "eyJhbGciOiJIUzI1NiJ9.e30.c2ln")), TokenError::kBadJson) << "a token inside a token";
}

TEST(Token, IsBoundBeforeItIsDecoded) {
  const std::size_t before = join(kHeader, kClaims, "").size();
  const std::string longest = join(kHeader, kClaims, std::string((kTokenBytesMax - before) / 4 * 3, 's'));
  const std::string just = longest + std::string(kTokenBytesMax - longest.size(), 'A');
  ASSERT_NE(just.size() - longest.size(), 1u);
  EXPECT_EQ(error_of(just), TokenError::kOk);
  EXPECT_EQ(error_of(just + "A"), TokenError::kTooLong);
  EXPECT_EQ(error_of(std::string(kTokenBytesMax, '!')), TokenError::kNotThreeParts);
  EXPECT_EQ(error_of(std::string(kTokenBytesMax + 1, '!')), TokenError::kTooLong);
  EXPECT_EQ(error_of(join(R"({"alg":"HS256","kid":")" + std::string(10'240, 'k') + "\"}", kClaims)),
            TokenError::kTooLong);
}

TEST(Token, HasOneSpelling) {
  const std::string header = base::base64url_encode(kHeader);
  const std::string claims = base::base64url_encode(kClaims);
  ASSERT_EQ(error_of(header + "." + claims + ".c2ln"), TokenError::kOk);
  for (const std::string& bad :
       {header + "=." + claims + ".c2ln", header + "." + claims + "=.c2ln",
        header + "." + claims + ".c2ln=", " " + header + "." + claims + ".c2ln", header + "." + claims + ".c2ln\n",
        header + "\n." + claims + ".c2ln", header + ". " + claims + ".c2ln", header + "." + claims + ".c2l+",
        header + "." + claims + ".c2l/", header + "." + claims + ".YR", header + "." + claims + ".c2k",
        header + "." + claims + ".A", header + "." + claims + "." + std::string("c2\0n", 4),
        "Bearer " + header + "." + claims + ".c2ln", header + "." + claims + ".c2\xc3\xa9"}) {
    const TokenError error = error_of(bad);
    if (bad.ends_with(".c2k")) {
      EXPECT_EQ(error, TokenError::kOk) << "two bytes, canonical";
    } else {
      EXPECT_EQ(error, TokenError::kBadBase64) << bad;
    }
  }
}

TEST(Token, NamesASignatureAlgorithm) {
  for (const std::string_view bad : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"nOnE"})", R"({"alg":"NONE"})",
                                     R"({})", R"({"typ":"JWT"})"}) {
    EXPECT_EQ(error_of_header(bad), TokenError::kNoAlgorithm) << bad;
    EXPECT_EQ(error_of(base::base64url_encode(bad) + "." + base::base64url_encode(kClaims) + "."),
              TokenError::kNoAlgorithm)
        << bad;
  }
  for (const std::string_view bad : {R"({"alg":"hs256"})", R"({"alg":""})", R"({"alg":"none "})", R"({"alg":"ES256K"})",
                                     R"({"alg":"HS256\u0000"})", R"({"alg":"RSA1_5"})", R"({"Alg":"x","alg":"HS1"})"}) {
    EXPECT_EQ(error_of_header(bad), TokenError::kUnknownAlgorithm) << bad;
  }
  for (const std::string_view bad : {R"({"alg":null})", R"({"alg":256})", R"({"alg":["HS256"]})",
                                     R"({"alg":"HS256","kid":7})", R"({"alg":"HS256","kid":null})"}) {
    EXPECT_EQ(error_of_header(bad), TokenError::kBadHeader) << bad;
  }
}

TEST(Token, RefusesCriticalExtensions) {
  for (const std::string_view bad :
       {R"({"alg":"HS256","crit":["exp"]})", R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","crit":null})",
        R"({"alg":"HS256","b64":false,"crit":["b64"]})"}) {
    EXPECT_EQ(error_of_header(bad), TokenError::kCritical) << bad;
  }
}

TEST(Token, RefusesRepeatedMembers) {
  EXPECT_EQ(error_of_header(R"({"alg":"HS256","alg":"HS256"})"), TokenError::kRepeatedMember);
  EXPECT_EQ(error_of_header(R"({"alg":"none","alg":"HS256"})"), TokenError::kRepeatedMember);
  EXPECT_EQ(error_of(join(kHeader, R"({"sub":"7","sub":"8"})")), TokenError::kRepeatedMember);
  EXPECT_EQ(error_of(join(kHeader, R"({"sub":"7","s\u0075b":"8"})")), TokenError::kRepeatedMember);
  EXPECT_EQ(error_of(join(kHeader, R"({"realm":{"a":1,"a":2}})")), TokenError::kRepeatedMember);
}

TEST(Token, IsMadeOfTwoObjects) {
  for (const std::string& bad :
       {std::string("[]"), std::string("\"x\""), std::string("null"), std::string("7"), std::string(), std::string("{"),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\":\"\\ud800\"}"), std::string("{\"a\":\"\0\"}", 9)}) {
    EXPECT_EQ(error_of(join(bad, kClaims)), TokenError::kBadJson) << bad;
    EXPECT_EQ(error_of(join(kHeader, bad)), TokenError::kBadJson) << bad;
  }
}

TEST(TokenError, EachHasACodeAndASentenceOfItsOwn) {
  std::set<std::string_view> sentences;
  for (int at = 0; at <= static_cast<int>(TokenError::kWrongAudience); ++at) {
    const auto error = static_cast<TokenError>(at);
    EXPECT_TRUE(sentences.insert(text(error)).second) << text(error);
    EXPECT_TRUE(at == 0 || code(error).starts_with("token_")) << code(error);
  }
  EXPECT_EQ(code(TokenError::kMissing), "token_missing");
  EXPECT_EQ(code(TokenError::kBadBase64), "token_malformed");
  EXPECT_EQ(code(TokenError::kBadSignature), "token_invalid");
  EXPECT_EQ(code(TokenError::kExpired), "token_expired");
  EXPECT_EQ(code(TokenError::kNotYetValid), "token_not_yet_valid");
  EXPECT_EQ(code(TokenError::kWrongAudience), "token_wrong_audience");
  EXPECT_EQ(code(TokenError::kWrongIssuer), "token_wrong_issuer");
  EXPECT_EQ(code(TokenError::kUnknownKey), "token_unknown_key");
}

}  // namespace
}  // namespace tidewire::auth
