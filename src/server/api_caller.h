// server/api_caller.h - who calls the HTTP API: nobody, a user with a token, a back end with a key, the administrator.
//
//   Authorization: Bearer <admin token | key | JSON Web Token>      X-Api-Key: <admin token | key>
//
//   [[api.keys]]
//   name = "billing"                 # for the log and for idempotency, never secret
//   key = "..."                      # or key_sha256 = "<64 hex digits>", so that the file holds no secret
//   roles = ["publish", "read"]      # publish, read, manage, metrics, admin
//   tenant = "acme"                  # sees and touches that tenant only
//   rate = "50/s burst 100"          # instead of api.rate
//
// A key is found by its SHA-256: all digests are compared, each in constant time, so that neither the time nor the answer says
// how near a guess was. Without any key the API is open to browsers and tools of this machine in development, see open_here().
// Threads: immutable once read.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/rate.h"
#include "server/config_node.h"
#include "server/settings.h"
#include "tidewire/http.h"
#include "tidewire/identity.h"

namespace tidewire::server {

inline constexpr std::size_t kApiKeysMax = 1'000;
inline constexpr std::size_t kApiKeyBytesMin = 16;
inline constexpr policy::Rate kApiRateDefault{.count = 100, .interval_ms = 1'000, .burst = 200};
inline constexpr std::size_t kApiCredentialBytesMax = 8 * 1024;  // of a header: what is longer is nobody's

struct ApiCaller {
  enum class Kind { kNobody, kUser, kKey, kAdmin };
  Kind kind = Kind::kNobody;
  std::string name = {};                       // of the key, of the user
  std::vector<std::string> roles = {};
  std::optional<std::string> tenant = {};      // bound to it; none: the administrator of the whole server
  std::optional<policy::Rate> rate = {};       // of this key
  Identity identity = {};                      // of a user

  // Its name among users and keys, which may have the same ones: "key billing".
  std::string scope() const;
  // Whether it may do what asks for `role`. The administrator may do everything.
  bool may(std::string_view role) const noexcept;
  bool is_admin() const noexcept { return kind == Kind::kAdmin || may("admin"); }
};

// From a token that was judged good. Its roles "api:publish", "api:read", "api:manage", "api:metrics" and "admin" count here.
ApiCaller caller_from(Identity identity);

class ApiKeys {
 public:
  // Complaints about [[api.keys]] go to `errors`; what is wrong is left out.
  ApiKeys(const Settings& settings, ConfigErrors& errors);

  // Whether there is any way in but tokens.
  bool empty() const noexcept { return keys_.empty(); }
  // The key of this name; null: none.
  const ApiCaller* named(std::string_view name) const;
  // Whose secret this is.
  const ApiCaller* find(std::string_view secret) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Key {
    Digest digest;
    ApiCaller caller;
  };
  static Digest digest_of(std::string_view secret);
  static bool read_digest(ConfigReader& reader, Digest& digest);
  void read(const ConfigNode& node, ConfigErrors& errors);

  std::vector<Key> keys_;
};

// Who may call, and how often: what of [api] may be replaced while the server runs.
struct ApiAccess {
  // Complaints about [[api.keys]] and api.rate go to `errors`; a rate that is none becomes kApiRateDefault.
  ApiAccess(const Settings& settings, ConfigErrors& errors);

  ApiKeys keys;
  policy::Rate rate;
  bool open_here = false;  // in development without any key: whoever sits at this machine
};

struct ApiCredential {
  enum class Found { kNone, kOne, kBad };
  Found found = Found::kNone;
  std::string_view secret;     // lives as long as the request
};
// Of the two headers; both, or something that is no Bearer credential, is bad.
ApiCredential credential_of(const HttpRequest& request) noexcept;

// Whether a request without any credential comes from this very machine and from no foreign page: a loopback address, nothing
// forwarded, the name of this machine in Host (a page that has its own name resolve to 127.0.0.1 sends that name), and no Origin
// but the server's own.
bool open_here(const HttpRequest& request) noexcept;

}  // namespace tidewire::server
