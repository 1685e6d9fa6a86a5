// jwt_verdicts - makes and judges tokens, one request per line, fields between tabs, texts in base64; one line each:
//
//   verify, kind, key, algorithm or -, token    ->  ok, claims    or  a code, its sentence
//   sign,   kind, key, algorithm,      claims   ->  ok, token     or  refused, why
//
// kind: secret, pem, jwk (one key), or jwks (verify only); "-": the algorithms by default. The time is the system's.
// For test/e2e/jwt_reference.test.mjs, which holds the answers against the npm package jose.
#include <ctime>
#include <iostream>
#include <sstream>
#include <string>

#include "auth/sign.h"
#include "auth/verifier.h"
#include "base/base64.h"

namespace {

using namespace tidewire;

struct Request {
  std::string act, kind, key, algorithm, text;
};

std::string encoded(std::string_view bytes) {
  std::string text(base::base64_size(bytes.size()), '\0');
  base::base64_encode(bytes, text.data());
  return text;
}

std::string answer(std::string_view word, std::string_view text) { return std::string(word) + '\t' + encoded(text); }

Result<Request> read_request(const std::string& line) {
  Request request;
  std::istringstream fields(line);
  std::string key, text;
  std::getline(fields, request.act, '\t');
  std::getline(fields, request.kind, '\t');
  std::getline(fields, key, '\t');
  std::getline(fields, request.algorithm, '\t');
  std::getline(fields, text, '\t');
  if (!base::base64_decode(key, request.key) || !base::base64_decode(text, request.text)) {
    return Status(StatusCode::kInvalidArgument, "not a request");
  }
  return request;
}

Result<auth::Key> read_key(const Request& request) {
  auth::KeyOptions options;
  if (const auto algorithm = auth::algorithm_named(request.algorithm)) options.algorithms = {*algorithm};
  if (request.kind == "secret") return auth::Key::from_secret(request.key, options);
  if (request.kind == "pem") return auth::Key::from_pem(request.key, options);
  const Result<Value> jwk = Value::parse(request.key);
  return jwk.ok() ? auth::key_from_jwk(*jwk, options) : Result<auth::Key>(jwk.status());
}

Result<auth::KeySet> read_keys(const Request& request) {
  if (request.kind == "jwks") {
    Result<auth::ParsedKeySet> parsed = auth::parse_key_set(request.key);
    return parsed.ok() ? auth::KeySet::of(std::move(parsed->keys)) : Result<auth::KeySet>(parsed.status());
  }
  Result<auth::Key> key = read_key(request);
  return key.ok() ? auth::KeySet::of({std::move(*key)}) : Result<auth::KeySet>(key.status());
}

std::string verify(const Request& request) {
  auth::Issuer issuer;
  issuer.expiry_required = false;
  Result<auth::KeySet> keys = read_keys(request);
  if (!keys.ok()) return answer("no_key", keys.status().message());
  issuer.keys = std::move(*keys);
  const Result<auth::Verifier> verifier = auth::Verifier::of({std::move(issuer)});
  if (!verifier.ok()) return answer("no_verifier", verifier.status().message());
  const auth::Verdict verdict = verifier->verify(request.text, std::time(nullptr));
  return verdict.ok() ? answer("ok", verdict.claims.to_json()) : answer(code(verdict.error), text(verdict.error));
}

std::string sign(const Request& request) {
  const auto algorithm = auth::algorithm_named(request.algorithm);
  const Result<Value> claims = Value::parse(request.text);
  const Result<auth::Key> key = read_key(request);
  if (!algorithm || !claims.ok() || !key.ok()) return answer("refused", "algorithm, claims or key");
  const Result<std::string> token = auth::sign(*claims, *key, *algorithm);
  return token.ok() ? answer("ok", *token) : answer("refused", token.status().message());
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const Result<Request> request = read_request(line);
    if (!request.ok()) return 1;
    std::cout << (request->act == "sign" ? sign(*request) : verify(*request)) << std::endl;
  }
  return 0;
}
