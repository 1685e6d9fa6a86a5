// server/key_ring.h - whose tokens are believed now: the configured issuers with their keys, some of them published elsewhere.
//
//   verify(token) --known key--------------------------------------------> verdict, at once
//                 --no key of this kid, keys are remote, 10 s have passed--> fetch once for all who wait --> verdict
//
// A key set that cannot be fetched leaves the keys there are, for kKeysKeptMs; then they go, and tokens of that issuer are
// refused. A flood of unknown kids costs one fetch in kRefreshPauseMs. The URL is configuration: nothing of a token gets into it.
// Threads: any. `done` is called on the calling thread, before verify() returns, or later on the Fetcher's.
// Limits: below. Lifetime: the Fetcher outlives the ring; callbacks under way keep what they need.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verifier.h"
#include "base/log.h"
#include "outbound/fetcher.h"
#include "server/settings.h"

namespace tidewire::server {

inline constexpr std::int64_t kRefreshPauseMs = 10'000;        // between two fetches of one set
inline constexpr std::int64_t kKeysKeptMs = 24 * 3'600'000;    // after the last good fetch
inline constexpr std::size_t kTokensWaitingMax = 1'000;        // for a fetch; more are refused at once

// A key set that an issuer publishes.
struct RemoteKeys {
  std::size_t issuer;               // index among the verifier's
  std::string url;
  auth::AlgorithmSet algorithms;
  std::int64_t refresh_ms = 600'000;
};

// What the configuration says of issuers and keys.
struct Issuers {
  std::vector<auth::Issuer> issuers;
  std::vector<RemoteKeys> remote;
};
// Mistakes go to `errors`, files are read now.
Issuers read_issuers(const Settings::Auth& settings, bool allow_http, ConfigErrors& errors);

class KeyRing {
 public:
  using Done = UniqueFunction<void(auth::Verdict)>;

  // No issuer at all: every token is refused, with kWrongIssuer.
  KeyRing(Issuers issuers, outbound::Fetcher& fetcher, base::LogSink& log);
  ~KeyRing();

  // Fetches what is remote for the first time, and again every refresh_ms.
  void start();
  void verify(std::string_view token, Done done);
  // Other issuers from now on; what waits is judged by them. Keys that were fetched from an address that stays are kept until
  // they come again.
  void replace(Issuers issuers);

  struct Statistics {
    std::uint64_t fetches = 0;
    std::uint64_t failed_fetches = 0;
    std::size_t waiting = 0;
  };
  Statistics statistics() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace tidewire::server
