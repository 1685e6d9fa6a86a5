// Any bytes as a token, as a key set, and as header and claims of a token that is signed well: nothing is believed that
// was not signed by us, a token has one spelling, and an identity keeps its bounds.
#include <cstddef>
#include <cstdint>
#include <string>

#include "auth/identity_mapping.h"
#include "auth/jwk.h"
#include "auth/verifier.h"
#include "base/assert.h"
#include "base/base64.h"

namespace {

using namespace tidewire;

constexpr std::int64_t kNow = 1'700'000'000;

const auth::Key& our_key() {
  static const auth::Key key = *auth::Key::from_secret("a secret of more than thirty-two bytes, for fuzzing");
  return key;
}

const auth::Verifier& our_verifier() {
  static const auth::Verifier verifier = [] {
    auth::Issuer named{.name = "us", .audiences = {"here"}, .keys = *auth::KeySet::of({our_key()})};
    auth::Issuer any{
        .name = {}, .audiences = {}, .leeway_s = 0, .expiry_required = false, .keys = *auth::KeySet::of({our_key()})};
    return *auth::Verifier::of({std::move(named), std::move(any)});
  }();
  return verifier;
}

void check_token(std::string_view text) {
  auth::Token token;
  if (auth::parse_token(text, token) != auth::TokenError::kOk) {
    TW_ASSERT(!our_verifier().verify(text, kNow).ok());
    return;
  }
  TW_ASSERT(text.size() <= auth::kTokenBytesMax);
  const std::string again = std::string(token.signed_text) + "." + base::base64url_encode(token.signature);
  TW_ASSERT(again == text);
  const auth::Verdict verdict = our_verifier().verify(text, kNow);
  if (!verdict.ok()) return;
  TW_ASSERT(token.algorithm <= auth::Algorithm::kHs512);
  TW_ASSERT(token.signature == *our_key().sign(token.algorithm, token.signed_text));
}

void check_identity(const Value& claims) {
  const Result<Identity> identity = auth::map_claims(claims, {.user_id = {"userId", "sub", "a.b"}});
  if (!identity.ok()) return;
  TW_ASSERT(identity->user_id.size() <= Identity::kTextBytesMax);
  TW_ASSERT(identity->user_id.find('\0') == std::string::npos);
  TW_ASSERT(identity->roles.size() <= Identity::kRolesMax && identity->projects.size() <= Identity::kProjectsMax);
  for (const std::string& role : identity->roles) TW_ASSERT(!role.empty() && identity->has_role(role));
}

// The input up to the first newline is a header, the rest claims.
void check_signed(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return;
  const std::string signed_text =
      base::base64url_encode(text.substr(0, end)) + "." + base::base64url_encode(text.substr(end + 1));
  const std::string token =
      signed_text + "." + base::base64url_encode(*our_key().sign(auth::Algorithm::kHs256, signed_text));
  check_token(token);
  const auth::Verdict verdict = our_verifier().verify(token, kNow);
  if (!verdict.ok()) return;
  TW_ASSERT(!verdict.expires_at_s || *verdict.expires_at_s + 5 > kNow);
  TW_ASSERT(*verdict.issuer == 1 || verdict.claims["iss"].as_string() == "us");
  TW_ASSERT(*verdict.issuer == 1 || verdict.expires_at_s);
  check_identity(verdict.claims);
}

void check_key_set(std::string_view text) {
  const Result<auth::ParsedKeySet> set = auth::parse_key_set(text);
  if (!set.ok()) return;
  TW_ASSERT(!set->keys.empty() && set->keys.size() + set->skipped.size() <= auth::kKeysPerSetMax);
  TW_ASSERT(auth::KeySet::of(set->keys).ok());
  for (const auth::Key& key : set->keys) {
    TW_ASSERT(!key.algorithms().empty());
    TW_ASSERT(!key.verify(auth::Algorithm::kHs256, "text", *our_key().sign(auth::Algorithm::kHs256, "text")));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_token(text);
  check_signed(text);
  check_key_set(text);
  if (const Result<Value> value = Value::parse(text); value.ok()) check_identity(*value);
  return 0;
}
