// auth/token.h - a JSON Web Token in compact form, taken apart; and every reason why one is not believed.
//
//   base64url(header) . base64url(claims) . base64url(signature)
//   {"alg":"ES256","kid":"a"}  {"sub":"7","exp":1735689600}
//   ^---------- signed_text ---------^
//
// parse_token says only that the token is well-formed. Nothing in it is to be believed before a Verifier
// (auth/verifier.h) found the signature good, least of all the header: its alg and kid are matched against what is
// configured, jwk, jku, x5u, x5c are not looked at, crit is refused since it says "refuse me if you do not know this".
// Strict: one spelling of base64url, three parts, no member twice at any depth, no encrypted token.
// Lifetime: signed_text points into the token's text. Threads: pure functions. Limits: kTokenBytesMax, before any decoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "tidewire/value.h"

namespace tidewire::auth {

inline constexpr std::size_t kTokenBytesMax = 4096;

enum class [[nodiscard]] TokenError : std::uint8_t {
  kOk,
  kMissing,              // no token at all
  kTooLong,              // over kTokenBytesMax
  kNotThreeParts,        // other than three parts between dots
  kEncrypted,            // five parts, an enc member, or typ JWE
  kBadBase64,            // padding, blanks, a character outside the alphabet, a second spelling
  kBadJson,              // header or claims are no JSON object in UTF-8
  kRepeatedMember,       // a member comes twice
  kBadHeader,            // alg or kid of a wrong kind
  kCritical,             // a crit header
  kNoAlgorithm,          // alg is missing, or "none" in any spelling
  kUnknownAlgorithm,     // alg names nothing that we know
  kWrongIssuer,          // iss is not a configured issuer
  kUnknownKey,           // the issuer is configured and has no key of this kid: its keys may have changed
  kAlgorithmNotAllowed,  // the key is known, and may not verify this algorithm
  kBadSignature,
  kBadClaim,             // a standard claim of a wrong kind, or a time that is no time
  kNoExpiry,             // exp is missing where it is required
  kExpired,
  kNotYetValid,          // nbf lies ahead
  kIssuedInFuture,       // iat lies ahead
  kWrongAudience,        // none of aud is ours
};

// For programs, part of the protocol: "token_expired". Several causes share a code.
std::string_view code(TokenError error) noexcept;
// For people: one sentence without a byte of the token.
std::string_view text(TokenError error) noexcept;

struct Token {
  Algorithm algorithm = Algorithm::kHs256;
  std::optional<std::string> kid;
  Value claims;
  std::string_view signed_text;
  std::string signature;
};

// `out` is meaningful only after kOk. Answers the errors up to kUnknownAlgorithm.
TokenError parse_token(std::string_view token, Token& out);

}  // namespace tidewire::auth
