#include "server/api_caller.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "http/exchange.h"
#include "server/header_values.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kRoles[] = {"publish", "read", "manage", "metrics", "admin"};
constexpr std::size_t kKeyNameBytesMax = 64;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_loopback(std::string_view address) noexcept {
  return address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}

bool digits_and_dots(std::string_view name) noexcept {
  return std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

bool names_this_machine(std::string_view host) noexcept {
  const std::string_view name = host_name(host);
  // "127.evil.example" begins so, too: only numbers are an address.
  return http::equals_ignoring_case(name, "localhost") || name == "::1" || (name.starts_with("127.") && digits_and_dots(name));
}

bool is_own_origin(std::string_view origin, std::string_view host) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && http::equals_ignoring_case(origin.substr(scheme.size()), host)) return true;
  }
  return false;
}

}  // namespace

std::string ApiCaller::scope() const { return (kind == Kind::kUser ? "user " : "key ") + name; }

bool ApiCaller::may(std::string_view role) const noexcept {
  if (kind == Kind::kAdmin) return true;
  return std::ranges::any_of(roles, [role](const std::string& each) { return each == role || each == "admin"; });
}

ApiCaller caller_from(Identity identity) {
  ApiCaller caller{.kind = ApiCaller::Kind::kUser, .name = identity.user_id};
  for (const std::string& role : identity.roles) {
    if (role == "admin") caller.roles.push_back(role);
    if (role.starts_with("api:")) caller.roles.push_back(role.substr(4));
  }
  // The administrator of no tenant is that of the whole server; anybody else has a place.
  if (!identity.tenant.empty() || !caller.may("admin")) caller.tenant = identity.tenant;
  caller.identity = std::move(identity);
  return caller;
}

ApiKeys::Digest ApiKeys::digest_of(std::string_view secret) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), digest.data());
  return digest;
}

ApiKeys::ApiKeys(const Settings& settings, ConfigErrors& errors) {
  if (!settings.api.admin_token.empty()) {
    keys_.push_back({digest_of(settings.api.admin_token), {.kind = ApiCaller::Kind::kAdmin, .name = "admin"}});
  }
  for (const ConfigNode* node : tables_of(settings.api.keys, errors)) {
    if (keys_.size() == kApiKeysMax) {
      errors.add(node->source(), "more than 1000 [[api.keys]]");
      break;
    }
    read(*node, errors);
  }
}

ApiAccess::ApiAccess(const Settings& settings, ConfigErrors& errors) : keys(settings, errors), rate(kApiRateDefault) {
  open_here = keys.empty() && settings.environment == Environment::kDevelopment;
  const auto said = policy::Rate::parse(settings.api.rate);
  if (said.ok()) {
    rate = *said;
  } else {
    errors.add({.origin = "api.rate"}, said.status().message());
  }
}

bool ApiKeys::read_digest(ConfigReader& reader, Digest& digest) {
  const std::string key = reader.text("key", "");
  const std::string hex = reader.text("key_sha256", "");
  if (key.empty() == hex.empty()) {
    reader.complain("key", "must be there, or key_sha256 instead of it");
    return false;
  }
  if (!key.empty()) {
    digest = digest_of(key);
    if (key.size() >= kApiKeyBytesMin) return true;
    reader.complain("key", "must have at least " + std::to_string(kApiKeyBytesMin) + " characters");
    return false;
  }
  bool good = hex.size() == 2 * digest.size();
  for (std::size_t i = 0; good && i < digest.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    digest[i] = static_cast<unsigned char>((high << 4 | low) & 0xff);
  }
  if (!good) reader.complain("key_sha256", "must be 64 hex digits");
  return good;
}

void ApiKeys::read(const ConfigNode& node, ConfigErrors& errors) {
  ConfigReader reader(node, errors);
  Key key{.digest = {}, .caller = {.kind = ApiCaller::Kind::kKey, .name = reader.required_text("name")}};
  bool good = !key.caller.name.empty();
  if (key.caller.name.size() > kKeyNameBytesMax) {
    reader.complain("name", "must have at most 64 bytes");
    good = false;
  }
  for (const Key& other : keys_) {
    if (other.caller.name != key.caller.name) continue;
    reader.complain("name", "is another key's already");  // two keys of one name would share rates and idempotency
    good = false;
  }
  good = read_digest(reader, key.digest) && good;
  key.caller.roles = reader.texts("roles");
  if (key.caller.roles.empty()) reader.complain("roles", "must name at least one of publish, read, manage, metrics, admin");
  for (const std::string& role : key.caller.roles) {
    if (std::ranges::find(kRoles, role) == std::ranges::end(kRoles)) {
      reader.complain("roles", "\"" + role + "\" is none of publish, read, manage, metrics, admin" + suggestion(role, kRoles));
      good = false;
    }
  }
  if (reader.has("tenant")) {
    key.caller.tenant = reader.text("tenant", "");
  } else if (!key.caller.may("admin")) {
    key.caller.tenant = "";
  }
  if (const std::string text = reader.text("rate", ""); !text.empty()) {
    if (auto rate = policy::Rate::parse(text); rate.ok()) {
      key.caller.rate = *rate;
    } else {
      reader.complain("rate", rate.status().message());
    }
  }
  reader.finish();
  if (good && !key.caller.roles.empty()) keys_.push_back(std::move(key));
}

const ApiCaller* ApiKeys::named(std::string_view name) const {
  const auto found = std::ranges::find_if(keys_, [name](const Key& key) { return key.caller.name == name; });
  return found == keys_.end() ? nullptr : &found->caller;
}

const ApiCaller* ApiKeys::find(std::string_view secret) const {
  const Digest digest = digest_of(secret);
  const ApiCaller* found = nullptr;
  for (const Key& key : keys_) {  // all of them, whatever was found
    if (CRYPTO_memcmp(digest.data(), key.digest.data(), digest.size()) == 0) found = &key.caller;
  }
  return found;
}

ApiCredential credential_of(const HttpRequest& request) noexcept {
  using Found = ApiCredential::Found;
  ApiCredential credential;
  for (const auto& [name, value] : request.headers) {
    const bool bearer = http::equals_ignoring_case(name, "authorization");
    if (!bearer && !http::equals_ignoring_case(name, "x-api-key")) continue;
    if (credential.found != Found::kNone) return {Found::kBad, {}};  // which of the two is meant?
    std::string_view secret = value;
    if (bearer) secret = bearer_token(secret);
    if (secret.empty() || secret.size() > kApiCredentialBytesMax) return {Found::kBad, {}};
    credential = {Found::kOne, secret};
  }
  return credential;
}

bool open_here(const HttpRequest& request) noexcept {
  if (!is_loopback(request.address)) return false;
  for (const std::string_view name : {"forwarded", "x-forwarded-for", "x-real-ip"}) {
    if (!request.header(name).empty()) return false;  // a proxy of this machine speaks for somebody else
  }
  const std::string_view host = request.header("host");
  if (!names_this_machine(host)) return false;
  const std::string_view origin = request.header("origin");
  return origin.empty() || is_own_origin(origin, host);
}

}  // namespace tidewire::server
