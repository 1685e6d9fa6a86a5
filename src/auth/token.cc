#include "auth/token.h"

#include <algorithm>
#include <array>

#include "auth/strict_json.h"
#include "base/base64.h"

namespace tidewire::auth {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

TokenError split(std::string_view token, std::array<std::string_view, 3>& parts) noexcept {
  const auto dots = std::ranges::count(token, '.');
  if (dots == 4) return TokenError::kEncrypted;
  if (dots != 2) return TokenError::kNotThreeParts;
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  parts = {token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
  return TokenError::kOk;
}

TokenError decode_object(std::string_view part, Value& out) {
  std::string json;
  if (!base::base64url_decode(part, json)) return TokenError::kBadBase64;
  switch (parse_strict_object(json, out)) {
    case StrictJsonError::kOk:
      return TokenError::kOk;
    case StrictJsonError::kRepeatedMember:
      return TokenError::kRepeatedMember;
    default:
      return TokenError::kBadJson;
  }
}

TokenError read_algorithm(const Value& header, Algorithm& out) {
  const Value* const alg = header.find("alg");
  if (alg == nullptr) return TokenError::kNoAlgorithm;
  if (!alg->is_string()) return TokenError::kBadHeader;
  if (equal_ignoring_case(*alg->as_string(), "none")) return TokenError::kNoAlgorithm;
  const std::optional<Algorithm> algorithm = algorithm_named(*alg->as_string());
  if (!algorithm) return TokenError::kUnknownAlgorithm;
  out = *algorithm;
  return TokenError::kOk;
}

TokenError read_header(const Value& header, Token& out) {
  if (header.find("crit") != nullptr) return TokenError::kCritical;
  const bool encrypted = header.find("enc") != nullptr ||
                         equal_ignoring_case(header["typ"].as_string().value_or(std::string_view()), "JWE");
  if (encrypted) return TokenError::kEncrypted;
  out.kid.reset();
  if (const Value* kid = header.find("kid")) {
    if (!kid->is_string()) return TokenError::kBadHeader;
    out.kid = *kid->as_string();
  }
  return read_algorithm(header, out.algorithm);
}

struct Wording {
  std::string_view code;
  std::string_view text;
};

Wording wording(TokenError error) noexcept {
  switch (error) {
    case TokenError::kOk:
      return {"ok", "the token is good"};
    case TokenError::kMissing:
      return {"token_missing", "a token is needed and none was given"};
    case TokenError::kTooLong:
      return {"token_malformed", "the token is longer than 4096 bytes"};
    case TokenError::kNotThreeParts:
      return {"token_malformed", "the token does not have three parts"};
    case TokenError::kEncrypted:
      return {"token_malformed", "the token is encrypted, only signed ones are taken"};
    case TokenError::kBadBase64:
      return {"token_malformed", "a part of the token is not base64url without padding"};
    case TokenError::kBadJson:
      return {"token_malformed", "the header or the claims of the token are no JSON object"};
    case TokenError::kRepeatedMember:
      return {"token_malformed", "a member of the token's header or claims comes twice"};
    case TokenError::kBadHeader:
      return {"token_malformed", "the token's alg or kid is no string"};
    case TokenError::kCritical:
      return {"token_invalid", "the token has a crit header, and no extension is supported"};
    case TokenError::kNoAlgorithm:
      return {"token_invalid", "the token is not signed"};
    case TokenError::kUnknownAlgorithm:
      return {"token_invalid", "the token's algorithm is not supported"};
    case TokenError::kWrongIssuer:
      return {"token_wrong_issuer", "the token's issuer is not a configured one"};
    case TokenError::kUnknownKey:
      return {"token_unknown_key", "the token's issuer has no key that fits it"};
    case TokenError::kAlgorithmNotAllowed:
      return {"token_invalid", "the token's algorithm is not allowed for its key"};
    case TokenError::kBadSignature:
      return {"token_invalid", "the token's signature is wrong"};
    case TokenError::kBadClaim:
      return {"token_invalid", "one of iss, aud, exp, nbf, iat, jti of the token has a value of a wrong kind"};
    case TokenError::kNoExpiry:
      return {"token_invalid", "the token has no exp"};
    case TokenError::kExpired:
      return {"token_expired", "the token has expired"};
    case TokenError::kNotYetValid:
      return {"token_not_yet_valid", "the token is not valid yet"};
    case TokenError::kIssuedInFuture:
      return {"token_not_yet_valid", "the token was issued in the future"};
    case TokenError::kWrongAudience:
      return {"token_wrong_audience", "the token is for another audience"};
  }
  return {"token_invalid", "the token is not valid"};
}

}  // namespace

std::string_view code(TokenError error) noexcept { return wording(error).code; }
std::string_view text(TokenError error) noexcept { return wording(error).text; }

TokenError parse_token(std::string_view token, Token& out) {
  if (token.empty()) return TokenError::kMissing;
  if (token.size() > kTokenBytesMax) return TokenError::kTooLong;
  std::array<std::string_view, 3> parts;
  if (const TokenError error = split(token, parts); error != TokenError::kOk) return error;
  Value header;
  if (const TokenError error = decode_object(parts[0], header); error != TokenError::kOk) return error;
  if (const TokenError error = read_header(header, out); error != TokenError::kOk) return error;
  if (const TokenError error = decode_object(parts[1], out.claims); error != TokenError::kOk) return error;
  out.signature.clear();
  if (!base::base64url_decode(parts[2], out.signature)) return TokenError::kBadBase64;
  out.signed_text = token.substr(0, token.rfind('.'));
  return TokenError::kOk;
}

}  // namespace tidewire::auth
