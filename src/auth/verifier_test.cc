#include "auth/verifier.h"

#include <gtest/gtest.h>

#include "auth/test_tokens.h"

namespace tidewire::auth {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
const std::string kHeader = R"({"alg":"HS256"})";

Issuer issuer_of(std::vector<Key> keys, std::string name = {}) {
  Issuer issuer;
  issuer.name = std::move(name);
  issuer.keys = *KeySet::of(std::move(keys));
  return issuer;
}

Verifier verifier_of(Issuer issuer) { return *Verifier::of({std::move(issuer)}); }
Verifier verifier_of(Key key) { return verifier_of(issuer_of({std::move(key)})); }

Key secret() { return test_key(Algorithm::kHs256); }

// With an exp an hour ahead unless the members say otherwise.
std::string claims(std::string_view members) {
  const bool own_expiry = members.find("\"exp\"") != std::string_view::npos;
  return "{" + std::string(members) +
         (own_expiry ? "" : std::string(members.empty() ? "" : ",") + "\"exp\":" + std::to_string(kNow + 3600)) + "}";
}

TokenError judge(std::string_view members, Issuer issuer = issuer_of({secret()})) {
  return verifier_of(std::move(issuer)).verify(craft(kHeader, claims(members), secret()), kNow).error;
}

TokenError judge_header(std::string_view header, Issuer issuer = issuer_of({secret()})) {
  return verifier_of(std::move(issuer)).verify(craft(header, claims(""), secret()), kNow).error;
}

std::string seconds(std::string_view claim, std::int64_t at) {
  return "\"" + std::string(claim) + "\":" + std::to_string(at);
}

TEST(Verifier, BelievesAGoodToken) {
  for (const Algorithm algorithm : kAllAlgorithms) {
    const Key key = test_key(algorithm, "k");
    const Value said = Value::object({{"sub", "7"}, {"exp", kNow + 10}, {"iat", kNow}, {"iss", "me"}});
    const Verdict verdict = verifier_of(key).verify(*sign(said, key, algorithm), kNow);
    ASSERT_TRUE(verdict.ok()) << name(algorithm) << ": " << text(verdict.error);
    EXPECT_EQ(verdict.claims, said);
    EXPECT_EQ(verdict.expires_at_s, kNow + 10);
    EXPECT_EQ(verdict.issued_at_s, kNow);
    EXPECT_EQ(verdict.issuer, 0u);
  }
}

TEST(Verifier, AFlippedBitAtEachByteIsSeen) {
  for (const Algorithm algorithm : {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEdDsa}) {
    const Key key = test_key(algorithm);
    const Verifier verifier = verifier_of(key);
    const std::string good = *sign(Value::object({{"sub", "7"}, {"exp", kNow + 10}}), key, algorithm);
    ASSERT_TRUE(verifier.verify(good, kNow).ok());
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] ^= static_cast<char>(1 << (at % 8));
      const Verdict verdict = verifier.verify(bad, kNow);
      EXPECT_FALSE(verdict.ok()) << name(algorithm) << " at " << at;
      EXPECT_TRUE(verdict.claims.is_null());
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
      EXPECT_FALSE(verifier.verify(good.substr(0, size), kNow).ok()) << name(algorithm) << " cut at " << size;
    }
  }
}

TEST(Verifier, AChangedLetterAtEachPlaceIsSeen) {
  const Verifier verifier = verifier_of(secret());
  const std::string good = craft(kHeader, claims("\"sub\":\"7\""), secret());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char letter : std::string_view("AZaz09-_")) {
      if (good[at] == '.' || good[at] == letter) continue;
      std::string bad = good;
      bad[at] = letter;
      EXPECT_FALSE(verifier.verify(bad, kNow).ok()) << at << letter;
    }
  }
}

TEST(Verifier, APublicKeyIsNoSecret) {
  const std::string& pem = test_pem("RSA-2048").public_key;
  const Verifier verifier = verifier_of(*Key::from_pem(pem));
  // The forger cannot ask Key::from_secret, which refuses a PEM text; HMAC by hand.
  const std::string text = base::base64url_encode(kHeader) + "." + base::base64url_encode(claims(""));
  std::array<unsigned char, 32> mac;
  for (const std::string& forged_with : {pem, pem.substr(0, pem.size() - 1)}) {
    ASSERT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, forged_with.data(), forged_with.size(),
                        octets(text), text.size(), mac.data(), mac.size(), nullptr),
              nullptr);
    const std::string forged = text + "." + base::base64url_encode(std::string(mac.begin(), mac.end()));
    EXPECT_EQ(verifier.verify(forged, kNow).error, TokenError::kAlgorithmNotAllowed);
  }
}

TEST(Verifier, TheKeySaysWhichAlgorithmsNotTheToken) {
  const Key rs256 = test_key(Algorithm::kRs256, "k");
  for (const Algorithm other : {Algorithm::kRs384, Algorithm::kRs512, Algorithm::kPs256, Algorithm::kPs512}) {
    const std::string token = *sign(Value::object({{"exp", kNow + 10}}), rs256, other);
    EXPECT_EQ(verifier_of(rs256).verify(token, kNow).error, TokenError::kAlgorithmNotAllowed) << name(other);
  }
  EXPECT_EQ(judge_header(R"({"alg":"HS512"})"), TokenError::kAlgorithmNotAllowed);
}

TEST(Verifier, UnsignedTokensAreNotBelieved) {
  const std::string rest = "." + base::base64url_encode(claims(""));
  for (const std::string_view header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"nOnE"})", R"({})"}) {
    for (const std::string_view signature : {".", ".AAAA"}) {
      const std::string token = base::base64url_encode(header) + rest + std::string(signature);
      EXPECT_EQ(verifier_of(secret()).verify(token, kNow).error, TokenError::kNoAlgorithm) << header;
    }
  }
  EXPECT_EQ(verifier_of(secret()).verify(base::base64url_encode(kHeader) + rest + ".", kNow).error,
            TokenError::kBadSignature);
  EXPECT_EQ(verifier_of(secret()).verify("", kNow).error, TokenError::kMissing);
}

TEST(Verifier, PsychicSignaturesAreNotBelieved) {
  const Verifier verifier = verifier_of(test_key(Algorithm::kEs256));
  const std::string text = base::base64url_encode(R"({"alg":"ES256"})") + "." + base::base64url_encode(claims(""));
  for (const std::size_t size : {0u, 1u, 32u, 63u, 64u, 65u, 70u, 72u, 96u, 132u}) {
    EXPECT_EQ(verifier.verify(text + "." + base::base64url_encode(std::string(size, '\0')), kNow).error,
              TokenError::kBadSignature);
  }
  // The same signature in DER, as other protocols carry it.
  EXPECT_FALSE(
      verifier.verify(text + "." + base::base64url_encode(std::string("\x30\x06\x02\x01\x01\x02\x01\x01", 8)), kNow)
          .ok());
}

TEST(Verifier, TokensExpire) {
  Issuer strict = issuer_of({secret()});
  strict.leeway_s = 0;
  EXPECT_EQ(judge(seconds("exp", kNow + 1), strict), TokenError::kOk);
  EXPECT_EQ(judge(seconds("exp", kNow), strict), TokenError::kExpired);
  EXPECT_EQ(judge(seconds("exp", kNow - 4)), TokenError::kOk) << "within the leeway";
  EXPECT_EQ(judge(seconds("exp", kNow - 5)), TokenError::kExpired);
  EXPECT_EQ(judge("\"exp\":0"), TokenError::kExpired);
  EXPECT_EQ(judge("\"exp\":1700000000.5", strict), TokenError::kOk) << "fractions are allowed";
  EXPECT_EQ(judge("\"exp\":1699999999.5", strict), TokenError::kExpired);
  EXPECT_EQ(judge("\"exp\":9007199254740992"), TokenError::kOk);
  EXPECT_EQ(judge("\"exp\":1.7e9"), TokenError::kOk);
}

TEST(Verifier, TimesAreNumbersOfSeconds) {
  for (const std::string claim : {"exp", "nbf", "iat"}) {
    for (const std::string_view bad : {"\"1800000000\"", "-1", "-1800000000", "1e99", "-1e99", "1e400",
                                       "9007199254740994", "null", "true", "[1800000000]", "{}"}) {
      EXPECT_EQ(judge("\"" + claim + "\":" + std::string(bad)), TokenError::kBadClaim) << claim << " " << bad;
    }
  }
}

TEST(Verifier, ATokenWithoutEndTakesADecision) {
  const std::string token = craft(kHeader, "{}", secret());
  Issuer issuer = issuer_of({secret()});
  EXPECT_EQ(verifier_of(issuer).verify(token, kNow).error, TokenError::kNoExpiry);
  issuer.expiry_required = false;
  EXPECT_EQ(verifier_of(issuer).verify(token, kNow).error, TokenError::kOk);
  EXPECT_EQ(verifier_of(issuer).verify(token, kNow).expires_at_s, std::nullopt);
  EXPECT_EQ(judge(seconds("exp", kNow - 100), issuer), TokenError::kExpired) << "who says an end means it";
}

TEST(Verifier, TokensBegin) {
  EXPECT_EQ(judge(seconds("nbf", kNow)), TokenError::kOk);
  EXPECT_EQ(judge(seconds("nbf", kNow + 5)), TokenError::kOk);
  EXPECT_EQ(judge(seconds("nbf", kNow + 6)), TokenError::kNotYetValid);
  EXPECT_EQ(judge(seconds("iat", kNow + 5)), TokenError::kOk);
  EXPECT_EQ(judge(seconds("iat", kNow + 6)), TokenError::kIssuedInFuture);
  EXPECT_EQ(judge(seconds("iat", 0)), TokenError::kOk);
  EXPECT_EQ(judge(seconds("nbf", kNow + 6) + "," + seconds("exp", kNow - 6)), TokenError::kExpired)
      << "the terminal cause first";
}

TEST(Verifier, TokensAreForUs) {
  Issuer issuer = issuer_of({secret()});
  issuer.audiences = {"us", "also us"};
  for (const std::string_view good : {R"("aud":"us")", R"("aud":["them","also us"])", R"("aud":["us"])"}) {
    EXPECT_EQ(judge(good, issuer), TokenError::kOk) << good;
  }
  for (const std::string_view bad : {R"("sub":"7")", R"("aud":"them")", R"("aud":"US")", R"("aud":"us ")",
                                     R"("aud":"")", R"("aud":[])", R"("aud":["them","u"])", R"("aud":"us,them")"}) {
    EXPECT_EQ(judge(bad, issuer), TokenError::kWrongAudience) << bad;
  }
  for (const std::string_view bad : {R"("aud":7)", R"("aud":null)", R"("aud":{"us":1})", R"("aud":["us",7])",
                                     R"("aud":[["us"]])", R"("aud":true)"}) {
    EXPECT_EQ(judge(bad, issuer), TokenError::kBadClaim) << bad;
    EXPECT_EQ(judge(bad), TokenError::kBadClaim) << bad;
  }
  EXPECT_EQ(judge(R"("aud":"them")"), TokenError::kOk) << "no audience is configured";
}

TEST(Verifier, TokensAreFromAConfiguredIssuer) {
  const Issuer issuer = issuer_of({secret()}, "https://issuer.example");
  EXPECT_EQ(judge(R"("iss":"https://issuer.example")", issuer), TokenError::kOk);
  for (const std::string_view bad :
       {R"("sub":"7")", R"("iss":"https://issuer.example/")", R"("iss":"HTTPS://issuer.example")", R"("iss":"")",
        R"("iss":"https://issuer.example\u0000")", R"("iss":"file:///etc/passwd")"}) {
    EXPECT_EQ(judge(bad, issuer), TokenError::kWrongIssuer) << bad;
  }
  for (const std::string_view bad : {R"("iss":7)", R"("iss":null)", R"("iss":["https://issuer.example"])"})
    EXPECT_EQ(judge(bad, issuer), TokenError::kBadClaim);
  EXPECT_EQ(judge(R"("iss":"anybody")"), TokenError::kOk) << "no name is configured";
  EXPECT_EQ(judge(R"("jti":7)"), TokenError::kBadClaim);
  EXPECT_EQ(judge(R"("jti":"7")"), TokenError::kOk);
}

TEST(Verifier, TheKeyOfOneIssuerVerifiesNothingOfAnother) {
  const Key a = *Key::from_secret("secret of issuer A, long enough for this", {.kid = "k"});
  const Key b = *Key::from_secret("secret of issuer B, long enough for this", {.kid = "k"});
  const Key any = *Key::from_secret("secret of everybody, long enough for this");
  const Verifier verifier = *Verifier::of({issuer_of({a}, "A"), issuer_of({b}, "B"), issuer_of({any})});
  const auto judge_signed = [&](const Key& key, std::string_view iss) {
    return verifier.verify(*sign(Value::object({{"iss", iss}, {"exp", kNow + 9}}), key, Algorithm::kHs256, "k"), kNow);
  };
  EXPECT_TRUE(judge_signed(a, "A").ok());
  EXPECT_EQ(judge_signed(b, "B").issuer, 1u);
  EXPECT_EQ(judge_signed(a, "B").error, TokenError::kBadSignature);
  EXPECT_EQ(judge_signed(b, "A").error, TokenError::kBadSignature);
  EXPECT_EQ(judge_signed(any, "A").error, TokenError::kBadSignature) << "who has a name is not anybody";
  EXPECT_EQ(judge_signed(any, "C").issuer, 2u);
  EXPECT_TRUE(judge_signed(any, "C").ok());
  EXPECT_FALSE(judge_signed(a, "C").ok());
}

TEST(Verifier, AKidIsComparedAndNothingElse) {
  const Issuer issuer = issuer_of({test_key(Algorithm::kHs256, "good")});
  EXPECT_EQ(judge_header(R"({"alg":"HS256","kid":"good"})", issuer), TokenError::kOk);
  EXPECT_EQ(judge_header(R"({"alg":"HS256"})", issuer), TokenError::kOk);
  for (const std::string_view kid : {"../../etc/passwd", "/dev/null", "' OR 1=1 --", "good\\u0000", "\\u0000", "good ",
                                     "Good", "", "https://evil.example/keys", "good|id", "%00"}) {
    EXPECT_EQ(judge_header(R"({"alg":"HS256","kid":")" + std::string(kid) + "\"}", issuer), TokenError::kUnknownKey)
        << kid;
  }
  EXPECT_EQ(judge_header(R"({"alg":"HS256","kid":")" + std::string(10'240, 'k') + "\"}", issuer), TokenError::kTooLong);
  EXPECT_EQ(judge_header(R"({"alg":"HS256","kid":"any"})"), TokenError::kOk) << "a key without a name";
}

TEST(Verifier, AnUnknownKeyNamesTheIssuerThatMayHaveNewOnes) {
  const Verifier verifier =
      *Verifier::of({issuer_of({secret()}, "A"), issuer_of({test_key(Algorithm::kEs256, "old")}, "B")});
  const Key fresh = test_key(Algorithm::kEs256, "new");
  const std::string token = *sign(Value::object({{"iss", "B"}, {"exp", kNow + 9}}), fresh, Algorithm::kEs256);
  const Verdict verdict = verifier.verify(token, kNow);
  EXPECT_EQ(verdict.error, TokenError::kUnknownKey);
  ASSERT_EQ(verdict.issuer, 1u);
  EXPECT_TRUE(verifier.with_keys(1, *KeySet::of({fresh})).verify(token, kNow).ok());
  EXPECT_EQ(verifier.verify(token, kNow).error, TokenError::kUnknownKey) << "the old verifier is as it was";
  EXPECT_EQ(verifier.with_keys(1, KeySet()).verify(token, kNow).error, TokenError::kUnknownKey);
}

TEST(Verifier, KeysInTheHeaderAreIgnored) {
  const Key forger = *Key::from_secret("the secret that the forger sends along, long enough");
  const std::string k = base::base64url_encode("the secret that the forger sends along, long enough");
  for (const std::string& extra :
       {R"("jwk":{"kty":"oct","k":")" + k + "\"}", std::string(R"("jku":"https://evil.example/keys")"),
        std::string(R"("x5u":"https://evil.example/cert")"), std::string(R"("x5c":["MIIB"])"),
        std::string(R"("x5t":"AAAA")")}) {
    const std::string header = R"({"alg":"HS256",)" + extra + "}";
    EXPECT_EQ(verifier_of(secret()).verify(craft(header, claims(""), forger), kNow).error, TokenError::kBadSignature)
        << extra;
    EXPECT_EQ(judge_header(header), TokenError::kOk) << extra;
  }
}

TEST(Verifier, AForgerLearnsNothingAboutClaims) {
  const Key forger = *Key::from_secret("another secret of more than thirty-two bytes");
  for (const std::string_view said : {R"({"exp":1})", R"({"exp":"x"})", R"({})", R"({"aud":7})"}) {
    EXPECT_EQ(verifier_of(secret()).verify(craft(kHeader, said, forger), kNow).error, TokenError::kBadSignature)
        << said;
  }
}

TEST(Verifier, WithoutAKidEachKeyOfTheAlgorithmIsTried) {
  std::vector<Key> keys;
  for (std::size_t i = 0; i + 1 < kKeysTriedMax; ++i)
    keys.push_back(*Key::from_secret(kTestSecret + std::to_string(i), {.kid = std::to_string(i)}));
  keys.push_back(test_key(Algorithm::kHs256, "last"));
  EXPECT_EQ(judge("", issuer_of(keys)), TokenError::kOk);
  keys.insert(keys.begin(), *Key::from_secret(kTestSecret + "x", {.kid = "x"}));
  EXPECT_EQ(judge("", issuer_of(keys)), TokenError::kBadSignature) << "beyond the bound";
  EXPECT_EQ(judge_header(R"({"alg":"HS256","kid":"last"})", issuer_of(keys)), TokenError::kOk);
}

TEST(Verifier, IsConfiguredWithinBounds) {
  const auto made = [](std::vector<Issuer> issuers) { return Verifier::of(std::move(issuers)).ok(); };
  EXPECT_FALSE(made({}));
  EXPECT_FALSE(made({issuer_of({}, "A"), issuer_of({}, "A")}));
  EXPECT_FALSE(made({issuer_of({}), issuer_of({})}));
  for (const std::int64_t leeway_s : {-1, 6}) {
    Issuer issuer = issuer_of({secret()});
    issuer.leeway_s = leeway_s;
    EXPECT_FALSE(made({issuer}));
  }
  Issuer issuer = issuer_of({secret()});
  issuer.audiences.assign(kAudiencesMax + 1, "x");
  EXPECT_FALSE(made({issuer}));
  std::vector<Issuer> many;
  for (std::size_t i = 0; i < kIssuersMax; ++i) many.push_back(issuer_of({}, std::to_string(i)));
  EXPECT_TRUE(made(many));
  many.push_back(issuer_of({}, "more"));
  EXPECT_FALSE(made(many));
}

}  // namespace
}  // namespace tidewire::auth
