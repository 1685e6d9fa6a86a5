// The configuration of issuers and keys, read into what auth/ verifies with.
//
//   [auth]  secret = "..."  issuer = ""  audience = []                 the one issuer of a shared secret
//   [[auth.issuers]]  issuer = "https://id.example.com"  audience = "app"
//                     jwks_url | jwks_file | secret | public_key | public_key_file   kid = ""  algorithms = ["ES256"]
//                     [[auth.issuers.keys]]  secret | public_key | public_key_file   kid, algorithms     several of them

#include <fstream>
#include <iterator>

#include "outbound/url_check.h"
#include "server/key_ring.h"

namespace tidewire::server {
namespace {

Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(StatusCode::kNotFound, "names a file that cannot be read: " + path);
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > bytes_max) return Status(StatusCode::kInvalidArgument, "names a file of more than " + std::to_string(bytes_max) + " bytes");
  return text;
}

auth::AlgorithmSet read_algorithms(ConfigReader& table) {
  auth::AlgorithmSet set;
  for (const std::string& name : table.texts("algorithms")) {
    if (const auto algorithm = auth::algorithm_named(name)) {
      set.add(*algorithm);
    } else {
      table.complain("algorithms", "has \"" + name + "\", which is no signature algorithm that we know");
    }
  }
  return set;
}

class Reader {
 public:
  Reader(Issuers& out, bool allow_http, ConfigErrors& errors) : out_(out), allow_http_(allow_http), errors_(errors) {}

  void read_secret(const Settings::Auth& settings) {
    if (settings.secret.empty()) return;
    auth::KeyOptions options;
    for (const std::string& name : settings.secret_algorithms) {
      if (const auto algorithm = auth::algorithm_named(name)) options.algorithms.add(*algorithm);
    }
    auto key = auth::Key::from_secret(settings.secret, std::move(options));
    if (!key.ok()) return errors_.add({.origin = "auth.secret"}, key.status().message());
    std::vector<auth::Key> keys;
    keys.push_back(std::move(*key));
    add({settings.issuer, settings.audience, settings.leeway_s, settings.require_exp, {}},
        std::move(keys), {.origin = "auth.secret"});
  }

  void read_issuer(const ConfigNode& node, const Settings::Auth& settings) {
    ConfigReader table(node, errors_);
    auth::Issuer issuer;
    issuer.name = table.text("issuer", "");
    issuer.audiences = table.texts("audience");
    issuer.leeway_s = table.number("leeway_s", settings.leeway_s, {0, auth::kLeewaySecondsMax});
    issuer.expiry_required = table.flag("require_exp", settings.require_exp);
    issuer.tenant = table.text("tenant", "");
    std::vector<auth::Key> keys;
    read_key(table, keys);
    for (const ConfigNode* each : table.tables("keys")) {
      ConfigReader inner(*each, errors_);
      read_key(inner, keys);
      inner.finish();
    }
    const std::string file = table.text("jwks_file", "");
    if (!file.empty()) read_key_set_file(table, file, keys);
    const std::string url = table.text("jwks_url", "");
    const std::int64_t refresh_ms = table.duration_ms("jwks_refresh", 600'000, {60'000, 86'400'000});
    if (!url.empty()) {
      if (const Status good = outbound::check_url(url, {.allow_http = allow_http_}); !good.ok()) table.complain("jwks_url", good.message());
      ConfigReader again(node, errors_);
      out_.remote.push_back({out_.issuers.size(), url, read_algorithms(again), refresh_ms});
    }
    if (keys.empty() && url.empty()) table.complain("issuer", "has no key: give secret, public_key, public_key_file, jwks_file or jwks_url");
    table.finish();
    add(std::move(issuer), std::move(keys), node.source());
  }

 private:
  void read_key(ConfigReader& table, std::vector<auth::Key>& keys) {
    auth::KeyOptions options{.kid = table.text("kid", ""), .algorithms = read_algorithms(table)};
    const std::string secret = table.text("secret", "");
    std::string pem = table.text("public_key", "");
    const std::string file = table.text("public_key_file", "");
    if (!file.empty()) {
      auto text = read_text_file(file, auth::kPemBytesMax);
      if (!text.ok()) return table.complain("public_key_file", text.status().message());
      pem = std::move(*text);
    }
    if (!secret.empty()) take(table, "secret", auth::Key::from_secret(secret, options), keys);
    if (!pem.empty()) take(table, file.empty() ? "public_key" : "public_key_file", auth::Key::from_pem(pem, options), keys);
  }
  void take(ConfigReader& table, std::string_view name, Result<auth::Key> key, std::vector<auth::Key>& keys) {
    if (!key.ok()) return table.complain(name, "is no key: " + key.status().message());
    keys.push_back(std::move(*key));
  }
  void read_key_set_file(ConfigReader& table, const std::string& path, std::vector<auth::Key>& keys) {
    auto text = read_text_file(path, auth::kKeySetBytesMax);
    if (!text.ok()) return table.complain("jwks_file", text.status().message());
    auto parsed = auth::parse_key_set(*text, read_algorithms(table));
    if (!parsed.ok()) return table.complain("jwks_file", "is no key set: " + parsed.status().message());
    std::move(parsed->keys.begin(), parsed->keys.end(), std::back_inserter(keys));
  }
  void add(auth::Issuer issuer, std::vector<auth::Key> keys, const ConfigSource& where) {
    auto set = auth::KeySet::of(std::move(keys));
    if (!set.ok()) return errors_.add(where, set.status().message());
    issuer.keys = std::move(*set);
    out_.issuers.push_back(std::move(issuer));
  }

  Issuers& out_;
  const bool allow_http_;
  ConfigErrors& errors_;
};

}  // namespace

Issuers read_issuers(const Settings::Auth& settings, bool allow_http, ConfigErrors& errors) {
  Issuers out;
  Reader reader(out, allow_http, errors);
  reader.read_secret(settings);
  for (const ConfigNode* node : tables_of(settings.issuers, errors)) reader.read_issuer(*node, settings);
  if (!out.issuers.empty()) {
    if (const auto verifier = auth::Verifier::of(out.issuers); !verifier.ok()) errors.add({.origin = "auth"}, verifier.status().message());
  }
  return out;
}

}  // namespace tidewire::server
