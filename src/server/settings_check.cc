#include "server/settings_check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <set>

#include "net/address.h"

namespace tidewire::server {
namespace {

// Parts of secrets that stand in tutorials and templates. Compared without case.
constexpr std::array<std::string_view, 15> kWellKnownParts = {
    "changeme",    "change-me",    "change_me",  "change-this", "change_this",
    "your-secret", "your_secret",  "yoursecret", "your-jwt",    "your_jwt",
    "your-256-bit", "your-super-secret", "at-least-256-bits-long", "example-secret", "secret-key-here"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& character : out) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

// Why a secret is weak, or "".
std::string weakness(std::string_view secret) {
  constexpr std::size_t kDifferentBytesMin = 8;
  if (secret.size() < kSecretBytesMin) {
    return "has " + std::to_string(secret.size()) + " bytes; it must have at least " + std::to_string(kSecretBytesMin);
  }
  const std::string folded = lower(secret);
  for (const std::string_view part : kWellKnownParts) {
    if (folded.find(part) != std::string::npos) return "is a well-known example";
  }
  if (std::set<char>(secret.begin(), secret.end()).size() < kDifferentBytesMin) return "is too easy to guess";
  return {};
}

bool is_loopback(const net::Address& address) {
  return address.is_v4() ? address.ip[12] == 127 : address == *net::Address::parse_ip("::1");
}

// Whether "http://host:port/path" leaves this machine in the clear. The host is what stands behind any user information.
bool is_plain_http_beyond_loopback(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!lower(url.substr(0, kScheme.size())).starts_with(kScheme)) return false;
  std::string_view host = url.substr(kScheme.size());
  host = host.substr(0, host.find_first_of("/?#"));
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  host = host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host.substr(0, host.rfind(':'));
  if (lower(host) == "localhost") return false;
  const auto address = net::Address::parse_ip(host);
  return !address || !is_loopback(*address);
}

// "127.0.0.1:4001" or "[::1]:4001"
bool is_address_with_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && net::Address::parse_ip(host).has_value();
}

bool readable(const std::string& path) {
  return std::unique_ptr<std::FILE, int (*)(std::FILE*)>(std::fopen(path.c_str(), "rbe"), &std::fclose) != nullptr;
}

class Check {
 public:
  Check(const Settings& settings, const ProvenanceMap& provenance) : settings_(settings), provenance_(provenance) {}

  std::vector<Finding> run() {
    addresses();
    files();
    clients();
    browsers();
    tokens();
    admin_api();
    hooks();
    rest();
    return std::move(findings_);
  }

 private:
  bool production() const { return settings_.environment == Environment::kProduction; }
  bool said(std::string_view key) const { return provenance_.find(key) != provenance_.end(); }
  bool has_issuer() const { return !settings_.auth.secret.empty() || !settings_.auth.issuers.items().empty(); }

  void refuse(std::string key, std::string sentence) {
    findings_.push_back({Severity::kError, std::move(key), std::move(sentence)});
  }
  void warn(std::string key, std::string sentence) {
    findings_.push_back({Severity::kWarning, std::move(key), std::move(sentence)});
  }
  // Production refuses it, development is loud about it.
  void insecure(std::string key, const std::string& sentence) {
    if (production()) return refuse(std::move(key), sentence);
    warn(std::move(key), sentence + " (refused in production)");
  }

  void addresses() {
    const auto& server = settings_.server;
    const auto host = net::Address::parse_ip(server.host);
    if (!host) {
      refuse("server.host", "is \"" + server.host + "\", which is no IP address; \"0.0.0.0\" or \"::\" is every interface");
    }
    for (const std::string& text : server.trusted_proxies) network("server.trusted_proxies", text);
    for (const std::string& text : server.proxy_protocol_from) network("server.proxy_protocol_from", text);
    if (!server.admin_listen.empty() && !is_address_with_port(server.admin_listen)) {
      refuse("server.admin_listen",
             "is \"" + server.admin_listen + "\", which is no address with a port such as \"127.0.0.1:4001\"");
    }
    const bool behind_proxy = !server.trusted_proxies.empty() || !server.proxy_protocol_from.empty();
    if (host && !is_loopback(*host) && settings_.tls.certificate_file.empty() && !behind_proxy) {
      warn("server.host", "is " + server.host +
                              ", which others can reach, without TLS and without a trusted proxy: what clients send, "
                              "tokens too, crosses the network in the clear");
    }
  }

  void network(const std::string& key, const std::string& text) {
    if (!net::Network::parse(text)) {
      refuse(key, "has \"" + text + "\", which is no network such as \"10.0.0.0/8\" or \"::1\"");
    }
  }

  void files() {
    const auto& tls = settings_.tls;
    if (tls.certificate_file.empty() != tls.key_file.empty()) {
      const bool key = tls.key_file.empty();
      refuse(key ? "tls.key_file" : "tls.certificate_file", std::string("is missing: TLS needs the certificate and its key"));
    }
    readable_file("tls.certificate_file", tls.certificate_file);
    readable_file("tls.key_file", tls.key_file);
    readable_file("hooks.ca_file", settings_.hooks.ca_file);
  }

  void readable_file(const std::string& key, const std::string& path) {
    if (!path.empty() && !readable(path)) refuse(key, "is \"" + path + "\", a file that cannot be read");
  }

  void clients() {
    const auto& socketio = settings_.socketio;
    if (socketio.enabled && socketio.transports.empty()) refuse("socketio.transports", "is empty: no client could connect");
    if (!socketio.path.starts_with('/')) refuse("socketio.path", "is \"" + socketio.path + "\"; it must begin with \"/\"");
    for (const std::string& path : settings_.plain.paths) {
      if (!path.starts_with('/')) refuse("plain.paths", "has \"" + path + "\"; a path begins with \"/\"");
    }
    if (!socketio.enabled && !settings_.plain.enabled) {
      warn("socketio.enabled", "and plain.enabled are both off: no client can connect");
    }
    if (settings_.queue.soft_bytes > settings_.queue.hard_bytes) {
      refuse("queue.soft_bytes", "is " + std::to_string(settings_.queue.soft_bytes) + ", more than queue.hard_bytes (" +
                                     std::to_string(settings_.queue.hard_bytes) + ")");
    }
  }

  void browsers() {
    const auto& origins = settings_.cors.origins;
    const bool any = contains(origins, "*");
    if (any && settings_.cors.credentials) {
      refuse("cors.credentials", "with origin \"*\" lets every web page act as its visitor; name the origins");
    }
    if (any && origins.size() > 1) refuse("cors.origins", "has \"*\" among others; it must stand alone");
    const bool cookies = has_issuer() && contains(settings_.auth.sources, "cookie");
    if (cookies && (origins.empty() || any)) {
      insecure("cors.origins", std::string(any ? "is \"*\"" : "is empty") +
                                   " while tokens are taken from cookies: every web page could "
                                   "connect as its visitor; name the origins, or take \"cookie\" out of auth.sources");
    }
  }

  void tokens() {
    const auto& auth = settings_.auth;
    if (!auth.secret.empty()) hmac_secret("auth.secret", auth.secret);
    for (const ConfigNode& issuer : auth.issuers.items()) {
      secret_of(issuer);
      if (const ConfigNode* keys = issuer.find("keys")) {
        for (const ConfigNode& key : keys->items()) secret_of(key);
      }
      const ConfigNode* url = issuer.find("jwks_url");
      if (url != nullptr && url->is_text() && is_plain_http_beyond_loopback(*url->as_text())) {
        insecure(url->path(), "is plain http: whoever is on the way chooses the keys that tokens are checked with");
      }
    }
    if (!auth.require_exp) insecure("auth.require_exp", "is off: a stolen token without an end is valid for ever");
    if (!auth.anonymous && !has_issuer()) {
      refuse("auth.anonymous",
             "is false, but nobody could come in: there is neither auth.secret (JWT_SECRET) nor [[auth.issuers]]");
    }
    if (production() && auth.anonymous && !has_issuer() && !said("auth.anonymous")) {
      refuse("auth.anonymous",
             "is not said, and without auth.secret (JWT_SECRET) and [[auth.issuers]] everybody may come in; if "
             "that is meant, say auth.anonymous = true");
    }
  }

  void secret_of(const ConfigNode& key) {
    const ConfigNode* secret = key.find("secret");
    if (secret != nullptr && secret->is_text()) hmac_secret(secret->path(), *secret->as_text());
  }

  void hmac_secret(const std::string& key, std::string_view secret) {
    if (secret == kSecretMask) return refuse(key, "is the mask that `tidewire config` prints, not a secret");
    const std::string weak = weakness(secret);
    if (!weak.empty()) insecure(key, weak);
  }

  void admin_api() {
    const auto& api = settings_.api;
    if (!api.enabled) return;
    if (api.admin_token == kSecretMask) {
      return refuse("api.admin_token", "is the mask that `tidewire config` prints, not a token");
    }
    if (api.admin_token.empty() && api.keys.items().empty()) {
      insecure("api.admin_token",
               "is not set and there are no [[api.keys]]: the HTTP API has no lock; set one, or api.enabled = false");
    } else if (!api.admin_token.empty() && api.admin_token.size() < kAdminTokenCharactersMin) {
      insecure("api.admin_token", "has " + std::to_string(api.admin_token.size()) + " characters; it must have at least " +
                                      std::to_string(kAdminTokenCharactersMin));
    }
    for (const ConfigNode& key : api.keys.items()) administrator_key(key);
    if (production() && api.test_broadcast) {
      warn("api.test_broadcast", "is on: who holds a key of the HTTP API can send a test message to everybody");
    }
  }

  // A key that may do everything is as good as api.admin_token.
  void administrator_key(const ConfigNode& key) {
    const ConfigNode* secret = key.find("key");
    const ConfigNode* roles = key.find("roles");
    if (secret == nullptr || !secret->is_text() || roles == nullptr) return;
    const auto is_admin = [](const ConfigNode& role) { return role.as_text() == "admin"; };
    if (!is_admin(*roles) && std::ranges::none_of(roles->items(), is_admin)) return;
    const std::size_t size = secret->as_text()->size();
    if (size >= kAdminTokenCharactersMin) return;
    insecure(secret->path(), "has " + std::to_string(size) + " characters and the role admin; it must have at least " +
                                 std::to_string(kAdminTokenCharactersMin));
  }

  void hooks() {
    for (const ConfigNode* list : {&settings_.hooks.webhooks, &settings_.hooks.questions}) {
      for (const ConfigNode& hook : list->items()) {
        const ConfigNode* url = hook.find("url");
        if (url == nullptr || !url->is_text() || !is_plain_http_beyond_loopback(*url->as_text())) continue;
        if (settings_.hooks.allow_http) {
          insecure(url->path(), "is plain http beyond this machine: what is sent there can be read and changed on the way");
        } else {
          refuse(url->path(), "is plain http beyond this machine; use https, or say hooks.allow_http = true");
        }
      }
    }
  }

  void rest() {
    if (settings_.contracts.undeclared == "relay") {
      insecure("contracts.undeclared", "is \"relay\": what a client makes up reaches the others unchecked");
    }
    if (settings_.tenants.source == "host" && settings_.tenants.hosts.empty()) {
      refuse("tenants.hosts", "is empty while tenants.source is \"host\": every host would be refused");
    }
  }

  const Settings& settings_;
  const ProvenanceMap& provenance_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_settings(const Settings& settings, const ProvenanceMap& provenance) {
  return Check(settings, provenance).run();
}

}  // namespace tidewire::server
