#include "auth/verifier.h"

#include <algorithm>
#include <utility>

#include "auth/numeric_date.h"
#include "base/assert.h"

namespace tidewire::auth {
namespace {

TokenError check_signature(const Token& token, const KeySet& keys) {
  const auto kid = token.kid ? std::optional<std::string_view>(*token.kid) : std::nullopt;
  const KeySet::Candidates candidates = keys.candidates(kid, token.algorithm);
  const bool good = std::ranges::any_of(candidates.keys, [&token](const Key* key) {
    return key->verify(token.algorithm, token.signed_text, token.signature);
  });
  if (good) return TokenError::kOk;
  if (keys.keys().empty() || (kid && !candidates.kid_known)) return TokenError::kUnknownKey;
  return candidates.keys.empty() ? TokenError::kAlgorithmNotAllowed : TokenError::kBadSignature;
}

// Absent is allowed here.
TokenError read_date(const Value& claims, std::string_view name, std::optional<std::int64_t>& out) {
  const Value* const claim = claims.find(name);
  if (claim == nullptr) return TokenError::kOk;
  out = numeric_date(*claim);
  return out ? TokenError::kOk : TokenError::kBadClaim;
}

TokenError check_times(const Value& claims, const Issuer& issuer, std::int64_t now_s, Verdict& verdict) {
  std::optional<std::int64_t> not_before_s;
  for (const auto& [name, date] :
       {std::pair<std::string_view, std::optional<std::int64_t>*>{"exp", &verdict.expires_at_s},
        {"nbf", &not_before_s},
        {"iat", &verdict.issued_at_s}}) {
    if (const TokenError error = read_date(claims, name, *date); error != TokenError::kOk) return error;
  }
  if (!verdict.expires_at_s && issuer.expiry_required) return TokenError::kNoExpiry;
  // Dates are at most 2^53, so that the sums cannot overflow; now_s is our own.
  if (verdict.expires_at_s && now_s >= *verdict.expires_at_s + issuer.leeway_s) return TokenError::kExpired;
  if (not_before_s && now_s < *not_before_s - issuer.leeway_s) return TokenError::kNotYetValid;
  if (verdict.issued_at_s && now_s < *verdict.issued_at_s - issuer.leeway_s) return TokenError::kIssuedInFuture;
  return TokenError::kOk;
}

bool is_ours(const Issuer& issuer, const Value& audience) {
  return std::ranges::find(issuer.audiences, *audience.as_string()) != issuer.audiences.end();
}

TokenError check_audience(const Value& claims, const Issuer& issuer) {
  const Value* const audience = claims.find("aud");
  if (audience == nullptr) return issuer.audiences.empty() ? TokenError::kOk : TokenError::kWrongAudience;
  if (!audience->is_string() && !audience->is_array()) return TokenError::kBadClaim;
  if (!std::ranges::all_of(audience->items(), &Value::is_string)) return TokenError::kBadClaim;
  if (issuer.audiences.empty()) return TokenError::kOk;
  const bool ours =
      audience->is_string()
          ? is_ours(issuer, *audience)
          : std::ranges::any_of(audience->items(), [&](const Value& each) { return is_ours(issuer, each); });
  return ours ? TokenError::kOk : TokenError::kWrongAudience;
}

TokenError check_claims(const Value& claims, const Issuer& issuer, std::int64_t now_s, Verdict& verdict) {
  if (const Value* id = claims.find("jti"); id != nullptr && !id->is_string()) return TokenError::kBadClaim;
  if (const TokenError error = check_audience(claims, issuer); error != TokenError::kOk) return error;
  return check_times(claims, issuer, now_s, verdict);
}

}  // namespace

Result<Verifier> Verifier::of(std::vector<Issuer> issuers) {
  const auto refused = [](const char* why) { return Status(StatusCode::kInvalidArgument, why); };
  if (issuers.empty()) return refused("no issuer whose tokens could be believed");
  if (issuers.size() > kIssuersMax) return refused("more than 32 issuers");
  std::vector<std::string_view> names;
  for (const Issuer& issuer : issuers) {
    if (issuer.leeway_s < 0 || issuer.leeway_s > kLeewaySecondsMax) return refused("a leeway outside 0 to 5 seconds");
    if (issuer.audiences.size() > kAudiencesMax) return refused("more than 32 audiences of one issuer");
    names.push_back(issuer.name);
  }
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) != names.end()) return refused("the same issuer twice");
  return Verifier(std::move(issuers));
}

TokenError Verifier::choose_issuer(const Value& claims, std::optional<std::size_t>& out) const {
  const Value* const claim = claims.find("iss");
  if (claim != nullptr && !claim->is_string()) return TokenError::kBadClaim;
  const auto index_of = [this](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(issuers_, name, &Issuer::name) - issuers_.begin());
  };
  std::size_t index = claim == nullptr ? issuers_.size() : index_of(*claim->as_string());
  if (index == issuers_.size()) index = index_of("");
  if (index == issuers_.size()) return TokenError::kWrongIssuer;
  out = index;
  return TokenError::kOk;
}

Verdict Verifier::verify(std::string_view text, std::int64_t now_s) const {
  Verdict verdict;
  Token token;
  const auto judge = [&] {
    if (const TokenError error = parse_token(text, token); error != TokenError::kOk) return error;
    if (const TokenError error = choose_issuer(token.claims, verdict.issuer); error != TokenError::kOk) return error;
    const Issuer& issuer = issuers_[*verdict.issuer];
    if (const TokenError error = check_signature(token, issuer.keys); error != TokenError::kOk) return error;
    return check_claims(token.claims, issuer, now_s, verdict);
  };
  verdict.error = judge();
  if (verdict.ok()) {
    verdict.claims = std::move(token.claims);
    verdict.leeway_s = issuers_[*verdict.issuer].leeway_s;
    verdict.tenant = issuers_[*verdict.issuer].tenant;
  } else {
    verdict.expires_at_s.reset();
    verdict.issued_at_s.reset();
  }
  return verdict;
}

Verifier Verifier::with_keys(std::size_t issuer, KeySet keys) const {
  TW_ASSERT(issuer < issuers_.size());
  std::vector<Issuer> issuers = issuers_;
  issuers[issuer].keys = std::move(keys);
  return Verifier(std::move(issuers));
}

}  // namespace tidewire::auth
