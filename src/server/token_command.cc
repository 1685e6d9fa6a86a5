#include "server/token_command.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "auth/identity_mapping.h"
#include "auth/sign.h"
#include "server/key_ring.h"
#include "server/settings_report.h"

namespace tidewire::server {
namespace {

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int fail(const std::string& what) {
  std::fprintf(stderr, "tidewire token: %s\n", what.c_str());
  return 1;
}

// "level=3" as a number, "team=blue" as a text.
Result<Value::Member> read_claim(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return Status(StatusCode::kInvalidArgument, "--claim \"" + text + "\" is not key=value");
  const std::string written = text.substr(equals + 1);
  return Value::Member{text.substr(0, equals), Value::parse(written).value_or(Value(written))};
}

Result<Value> claims_of(const TokenRequest& request, const Settings::Auth& settings) {
  const std::int64_t now = now_s();
  Value claims = Value::object({{settings.claim_user_id.front(), request.user}});
  const auto set = [&](const std::vector<std::string>& names, const std::string& text) {
    if (!text.empty() && !names.empty()) claims.set(names.front(), text);
  };
  set(settings.claim_name, request.name);
  set(settings.claim_email, request.email);
  set(settings.claim_tenant, request.tenant);
  if (!request.roles.empty()) claims.set(settings.claim_roles.back(), Value::from(request.roles));
  if (!request.projects.empty()) claims.set(settings.claim_projects.front(), Value::from(request.projects));
  if (!settings.issuer.empty()) claims.set("iss", settings.issuer);
  if (!settings.audience.empty()) claims.set("aud", settings.audience.front());
  claims.set("iat", now);
  claims.set("exp", now + request.expires_ms / 1'000);
  for (const std::string& text : request.claims) {
    auto claim = read_claim(text);
    if (!claim.ok()) return claim.status();
    claims.set(claim->key, claim->value);
  }
  return claims;
}

Result<auth::Key> signing_key(const TokenRequest& request, const Settings::Auth& settings) {
  if (request.key_file.empty()) {
    if (settings.secret.empty()) {
      return Status(StatusCode::kNotFound, "there is no key to sign with: set JWT_SECRET (at least 32 characters), auth.secret, or give --key FILE");
    }
    return auth::Key::from_secret(settings.secret, {.kid = request.key_id, .algorithms = {}});
  }
  std::ifstream file(request.key_file, std::ios::binary);
  if (!file) return Status(StatusCode::kNotFound, "cannot read " + request.key_file);
  std::string pem(auth::kPemBytesMax, '\0');
  file.read(pem.data(), static_cast<std::streamsize>(pem.size()));
  pem.resize(static_cast<std::size_t>(file.gcount()));
  return auth::Key::from_pem(pem, {.kid = request.key_id, .algorithms = {}});
}

Result<auth::Algorithm> algorithm_of(const TokenRequest& request, const auth::Key& key) {
  if (!request.algorithm.empty()) {
    const auto named = auth::algorithm_named(request.algorithm);
    if (!named || !key.can_sign(*named)) return Status(StatusCode::kInvalidArgument, "the key cannot sign " + request.algorithm);
    return *named;
  }
  for (std::size_t i = 0; i < auth::kAlgorithmCount; ++i) {
    const auto algorithm = static_cast<auth::Algorithm>(i);
    if (key.algorithms().contains(algorithm) && key.can_sign(algorithm)) return algorithm;
  }
  return Status(StatusCode::kInvalidArgument, "the key cannot sign: is it a private one?");
}

int make_token(const Settings& settings, const TokenRequest& request) {
  if (request.user.empty()) return fail("whose? give --user");
  const auto key = signing_key(request, settings.auth);
  if (!key.ok()) return fail(key.status().message());
  const auto algorithm = algorithm_of(request, *key);
  if (!algorithm.ok()) return fail(algorithm.status().message());
  const auto claims = claims_of(request, settings.auth);
  if (!claims.ok()) return fail(claims.status().message());
  const auto token = auth::sign(*claims, *key, *algorithm);
  if (!token.ok()) return fail(token.status().message());
  std::printf("%s\n", token->c_str());
  return 0;
}

void print_identity(const Identity& identity) {
  const auto line = [](const char* what, const std::string& value) {
    if (!value.empty()) std::printf("%-9s %s\n", what, value.c_str());
  };
  line("user", identity.user_id);
  line("name", identity.name);
  line("email", identity.email);
  line("tenant", identity.tenant);
  for (const std::string& role : identity.roles) line("role", role);
  for (const std::string& project : identity.projects) line("project", project);
  if (identity.expires_at_s) line("expires", "in " + std::to_string(*identity.expires_at_s - now_s()) + " s");
}

int check_token(const Settings& settings, std::string token) {
  if (token == "-") std::getline(std::cin, token);
  ConfigErrors errors;
  Issuers issuers = read_issuers(settings.auth, settings.hooks.allow_http, errors);
  for (const std::string& line : errors.lines()) std::fprintf(stderr, "error: %s\n", line.c_str());
  if (issuers.issuers.empty()) return fail("no issuer is configured, so no token is good");
  const auto verifier = auth::Verifier::of(std::move(issuers.issuers));
  if (!verifier.ok()) return fail(verifier.status().message());
  const auth::Verdict verdict = verifier->verify(token, now_s());
  if (!verdict.ok()) {
    const bool remote = verdict.error == auth::TokenError::kUnknownKey && !issuers.remote.empty();
    std::printf("refused   %s: %s%s\n", std::string(auth::code(verdict.error)).c_str(), std::string(auth::text(verdict.error)).c_str(),
                remote ? " (published keys are not fetched by this command)" : "");
    return 1;
  }
  const auto identity = auth::map_claims(verdict.claims, {settings.auth.claim_user_id, settings.auth.claim_email, settings.auth.claim_name,
                                                          settings.auth.claim_tenant, settings.auth.claim_roles, settings.auth.claim_projects});
  if (!identity.ok()) return fail(identity.status().message());
  if (identity->anonymous()) return fail("the token names no user");
  std::printf("good\n");
  print_identity(*identity);
  return 0;
}

}  // namespace

int token_command(const LoadRequest& load, const TokenRequest& request) {
  const Loaded loaded = load_settings(load);
  if (!loaded.errors.empty()) {
    std::fputs(report_lines(loaded).c_str(), stderr);
    return 1;
  }
  return request.check.empty() ? make_token(loaded.settings, request) : check_token(loaded.settings, request.check);
}

}  // namespace tidewire::server
