#include "auth/sign.h"

#include <utility>

#include "auth/token.h"
#include "base/base64.h"

namespace tidewire::auth {

Result<std::string> sign(const Value& claims, const Key& key, Algorithm algorithm, std::string_view kid) {
  Value header = Value::object({{"alg", name(algorithm)}, {"typ", "JWT"}});
  if (!kid.empty()) header.set("kid", kid);
  std::string token = base::base64url_encode(header.to_json()) + "." + base::base64url_encode(claims.to_json());
  Result<std::string> signature = key.sign(algorithm, token);
  if (!signature.ok()) return signature;
  token += "." + base::base64url_encode(*signature);
  Token readable;
  if (const TokenError error = parse_token(token, readable); error != TokenError::kOk) {
    return Status(StatusCode::kInvalidArgument, "these claims make no token: " + std::string(text(error)));
  }
  return token;
}

}  // namespace tidewire::auth
