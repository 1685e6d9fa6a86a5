#include "auth/jwk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include "auth/test_tokens.h"

namespace tidewire::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The examples of RFC 7515 appendix A, over the same claims, and of RFC 8037 appendix A.
constexpr std::string_view kRfcClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::string_view kRfcSecret =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr std::string_view kRfcRsa =
    R"({"kty":"RSA","n":")"
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
    "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB"
    "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"
    "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    R"(","e":"AQAB"})";
constexpr std::string_view kRfcEc = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view kRfcEd25519 =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

struct RfcExample {
  std::string_view jwk;
  Algorithm algorithm;
  std::string text;
  std::string_view signature;
};

std::vector<RfcExample> rfc_examples() {
  const std::string claims(kRfcClaims);
  return {
      {kRfcSecret, Algorithm::kHs256, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims,
       "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
      {kRfcRsa, Algorithm::kRs256, "eyJhbGciOiJSUzI1NiJ9." + claims,
       "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9"
       "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB"
       "_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq"
       "Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
      {kRfcEc, Algorithm::kEs256, "eyJhbGciOiJFUzI1NiJ9." + claims,
       "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
      {kRfcEd25519, Algorithm::kEdDsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
  };
}

Value json(std::string_view text) { return *Value::parse(text); }

Value with(std::string_view jwk, std::string_view name, Value value) {
  Value changed = json(jwk);
  changed.set(name, std::move(value));
  return changed;
}

std::string set_of(std::initializer_list<Value> keys) {
  return Value::object({{"keys", Value::array(keys)}}).to_json();
}

TEST(Jwk, VerifiesTheExamplesOfTheRfcs) {
  for (const RfcExample& example : rfc_examples()) {
    const Result<Key> key = key_from_jwk(json(example.jwk));
    ASSERT_TRUE(key.ok()) << key.status().message();
    std::string signature;
    ASSERT_TRUE(base::base64url_decode(example.signature, signature));
    EXPECT_TRUE(key->verify(example.algorithm, example.text, signature)) << name(example.algorithm);
    EXPECT_FALSE(key->verify(example.algorithm, example.text + "x", signature)) << name(example.algorithm);
    if (key->can_sign(example.algorithm)) {
      EXPECT_EQ(*key->sign(example.algorithm, example.text), signature);
    }
  }
}

TEST(Jwk, TakesNameAndAlgorithmFromTheJwkWithinWhatIsConfigured) {
  using enum Algorithm;
  EXPECT_EQ(key_from_jwk(json(kRfcRsa), {.kid = "mine"})->kid(), "mine");
  EXPECT_EQ(key_from_jwk(with(kRfcRsa, "kid", "its"), {.kid = "mine"})->kid(), "its");
  EXPECT_EQ(key_from_jwk(json(kRfcRsa))->algorithms(), AlgorithmSet{kRs256});
  EXPECT_EQ(key_from_jwk(with(kRfcRsa, "alg", "PS512"))->algorithms(), AlgorithmSet{kPs512});
  EXPECT_EQ(key_from_jwk(json(kRfcRsa), {.algorithms = {kRs512, kEs256}})->algorithms(), AlgorithmSet{kRs512});
  EXPECT_EQ(key_from_jwk(with(kRfcRsa, "alg", "RS512"), {.algorithms = {kRs256, kRs512}})->algorithms(),
            AlgorithmSet{kRs512});
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "alg", "RS512"), {.algorithms = {kRs256}}).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "alg", "HS256")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "alg", "ES384")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "alg", "RSA-OAEP")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "alg", 5)).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "kid", 5)).ok());
  EXPECT_FALSE(key_from_jwk(json(kRfcRsa), {.algorithms = {kEdDsa}}).ok());
}

TEST(Jwk, PrivateMembersMakeNoSigner) {
  const Result<Key> key = key_from_jwk(with(kRfcEc, "d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"));
  ASSERT_TRUE(key.ok());
  EXPECT_FALSE(key->can_sign(Algorithm::kEs256));
}

TEST(Jwk, IsForSignatures) {
  EXPECT_TRUE(key_from_jwk(with(kRfcEc, "use", "sig")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "use", "enc")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "use", nullptr)).ok());
  EXPECT_TRUE(key_from_jwk(with(kRfcEc, "key_ops", Value::array({"sign", "verify"}))).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "key_ops", Value::array({"deriveKey"}))).ok());
}

TEST(Jwk, RefusesWeakKeysAndPointsOffTheCurve) {
  const std::string n1024 = base::base64url_encode("\x80" + std::string(126, '\x11') + "\x01");
  const std::string n16384 = base::base64url_encode("\x80" + std::string(2046, '\x11') + "\x01");
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "n", n1024)).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "n", n16384)).ok());
  for (const std::string_view exponent : {"AQ", "AA", "Ag", "AQAA", "", "AQABAQABAQABAQAB"}) {
    EXPECT_FALSE(key_from_jwk(with(kRfcRsa, "e", exponent)).ok()) << exponent;
  }
  EXPECT_TRUE(key_from_jwk(with(kRfcRsa, "e", "Aw")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4")).ok()) << "another y";
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "crv", "P-384")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcEc, "crv", "secp256k1")).ok());
}

TEST(Jwk, RefusesMembersThatAreMissingOrMisspelled) {
  for (const std::string_view jwk : {kRfcSecret, kRfcRsa, kRfcEc, kRfcEd25519}) {
    const Value good = json(jwk);
    for (const Value::Member& member : good.members()) {
      const std::string key = member.key.text;
      const std::string text(*member.value.as_string());
      for (const Value& bad : {Value(nullptr), Value(7), Value(""), Value("="), Value(text + "="), Value(" " + text),
                               Value::array({text}), Value(text.substr(0, text.size() / 2) + "+/")}) {
        EXPECT_FALSE(key_from_jwk(with(jwk, key, bad)).ok()) << key << ": " << bad.to_json();
      }
    }
  }
  EXPECT_FALSE(key_from_jwk(json("[]")).ok());
  EXPECT_FALSE(
      key_from_jwk(json(R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})")).ok());
  EXPECT_FALSE(key_from_jwk(with(kRfcSecret, "k", base::base64url_encode(std::string(kSecretBytesMax + 1, 'k')))).ok());
}

TEST(KeySetText, KeepsWhatIsOfUseAndSaysWhatIsNot) {
  const std::string text =
      set_of({with(kRfcRsa, "kid", "a"), with(kRfcEc, "kid", "b"), json(R"({"kty":"XYZ","kid":"c"})"),
              with(kRfcRsa, "use", "enc"), with(kRfcSecret, "kid", "d"), json("7"), with(kRfcEd25519, "kid", "e")});
  const Result<ParsedKeySet> set = parse_key_set(text);
  ASSERT_TRUE(set.ok()) << set.status().message();
  ASSERT_EQ(set->keys.size(), 3u);
  EXPECT_EQ(set->keys[2].kid(), "e");
  EXPECT_THAT(set->skipped, ElementsAre(HasSubstr("key 2: a kty"), HasSubstr("key 3: a key that is not for sig"),
                                        HasSubstr("key 4: a secret"), HasSubstr("key 5: ")));
}

TEST(KeySetText, IsBoundByTheConfiguredAlgorithms) {
  const std::string text = set_of({json(kRfcRsa), json(kRfcEc)});
  const Result<ParsedKeySet> set = parse_key_set(text, {Algorithm::kEs256, Algorithm::kPs256});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->keys[0].algorithms(), AlgorithmSet{Algorithm::kPs256});
  EXPECT_EQ(set->keys[1].algorithms(), AlgorithmSet{Algorithm::kEs256});
}

TEST(KeySetText, IsRefusedAsAWhole) {
  const auto why = [](std::string_view text) {
    const Result<ParsedKeySet> set = parse_key_set(text);
    return set.ok() ? std::string("taken") : set.status().message();
  };
  const std::string good = set_of({json(kRfcEc)});
  EXPECT_EQ(why(good), "taken");
  EXPECT_THAT(why(set_of({with(kRfcRsa, "kid", "a"), with(kRfcEc, "kid", "a")})), HasSubstr("same kid twice"));
  EXPECT_EQ(why(set_of({json(kRfcRsa), json(kRfcEc)})), "taken") << "two without a name";
  EXPECT_THAT(why(R"({"keys":[],"keys":[]})"), HasSubstr("twice"));
  EXPECT_THAT(why(R"({"keys":[{"kty":"EC","kty":"oct"}]})"), HasSubstr("twice"));
  EXPECT_THAT(why(R"({"keys":[]})"), HasSubstr("without a key"));
  EXPECT_THAT(why(set_of({json(kRfcSecret)})), HasSubstr("without a key"));
  for (const std::string_view bad : {R"({"keys":{}})", "{}", R"({"keys":null})", R"({"kty":"EC"})"}) {
    EXPECT_THAT(why(bad), HasSubstr("array \"keys\"")) << bad;
  }
  for (const std::string_view bad : {"", "[]", "<html>", R"({"keys":[)"})
    EXPECT_THAT(why(bad), HasSubstr("no JSON object")) << bad;
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_NE(why(good.substr(0, size)), "taken") << size;
}

TEST(KeySetText, HasBounds) {
  Value keys = Value::array();
  for (std::size_t i = 0; i < kKeysPerSetMax; ++i) keys.push_back(with(kRfcEd25519, "kid", std::to_string(i)));
  EXPECT_EQ(parse_key_set(Value::object({{"keys", keys}}).to_json())->keys.size(), kKeysPerSetMax);
  keys.push_back(json(kRfcEc));
  EXPECT_FALSE(parse_key_set(Value::object({{"keys", keys}}).to_json()).ok());
  std::string text = set_of({json(kRfcEc)});
  text += std::string(kKeySetBytesMax - text.size(), ' ');
  EXPECT_TRUE(parse_key_set(text).ok());
  EXPECT_FALSE(parse_key_set(text + " ").ok());
}

}  // namespace
}  // namespace tidewire::auth
