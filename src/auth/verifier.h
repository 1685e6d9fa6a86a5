// auth/verifier.h - decides whether a token is to be believed, now, by the configured issuers. The one door of this layer.
//
//   token --> parse --> iss chooses the issuer --> kid and alg choose its keys --> signature --> exp nbf iat aud --> claims
//
// iss and kid are looked at before the signature is known to be good, and only to choose among what is configured: no
// address is made of them (CVE-2026-32301), and a key of one issuer is never tried on the token of another
// (CVE-2026-49998). Claims are judged after the signature, so that a forger learns nothing about them.
// Pure: time is an argument, keys that changed make a new Verifier (with_keys), which shares the others.
// Threads: immutable, any number at once. Limits: kIssuersMax, kTokenBytesMax, kKeysTriedMax signatures per token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/key_set.h"
#include "auth/token.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::auth {

inline constexpr std::size_t kIssuersMax = 32;
inline constexpr std::size_t kAudiencesMax = 32;
inline constexpr std::int64_t kLeewaySecondsMax = 5;

struct Issuer {
  // What iss must be, byte by byte. Empty: tokens of no other configured issuer, with any iss or none.
  std::string name;
  // One of these must be in aud. Empty: aud is not looked at.
  std::vector<std::string> audiences;
  // How far the clocks of issuer and server may be apart; 0 to kLeewaySecondsMax.
  std::int64_t leeway_s = kLeewaySecondsMax;
  // A token without exp is good for ever, so it takes a decision to allow it.
  bool expiry_required = true;
  // Whose its tokens are: one that names another tenant is not believed. Empty: what the token says.
  std::string tenant = {};
  KeySet keys = {};
};

struct Verdict {
  TokenError error = TokenError::kOk;
  // Index of the issuer in issuers(), once it is chosen: from kUnknownKey on. The caller refreshes its keys, if they are
  // remote and it is time to, and asks again.
  std::optional<std::size_t> issuer;
  // The rest is there only when ok(). The token is to be believed until expires_at_s + leeway_s.
  Value claims;
  std::optional<std::int64_t> expires_at_s;
  std::optional<std::int64_t> issued_at_s;
  std::int64_t leeway_s = 0;
  std::string tenant = {};  // of the issuer

  bool ok() const noexcept { return error == TokenError::kOk; }
};

class Verifier {
 public:
  // Refused: no issuer or more than kIssuersMax, two of one name, more than kAudiencesMax audiences, a leeway out of range.
  static Result<Verifier> of(std::vector<Issuer> issuers);

  const std::vector<Issuer>& issuers() const noexcept { return issuers_; }
  // `now_s`: seconds since 1970.
  Verdict verify(std::string_view token, std::int64_t now_s) const;
  // The same with other keys for one issuer. REQUIRES: issuer < issuers().size()
  Verifier with_keys(std::size_t issuer, KeySet keys) const;

 private:
  explicit Verifier(std::vector<Issuer> issuers) noexcept : issuers_(std::move(issuers)) {}
  TokenError choose_issuer(const Value& claims, std::optional<std::size_t>& out) const;

  std::vector<Issuer> issuers_;
};

}  // namespace tidewire::auth
