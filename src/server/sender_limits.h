// server/sender_limits.h - how much one sender may send, whatever it is: [rates] of the configuration.
//
//   event --> the connection's bucket --> the user's --> the address' --> the contract's own rate
//
// Each shard counts what comes to it: a user of two shards has twice the rate.
// Threads: one shard each. Limits: RateTable::kEntriesMaxDefault senders of each kind; an IPv6 address counts as its /64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/rate_table.h"
#include "server/config_node.h"
#include "server/settings.h"
#include "tidewire/socket.h"

namespace tidewire::server {

struct SenderRates {
  std::optional<policy::Rate> connection, user, address;  // nothing: no limit

  // Mistakes go to `errors`.
  static SenderRates read(const Settings::Rates& settings, ConfigErrors& errors);
  friend bool operator==(const SenderRates&, const SenderRates&) noexcept = default;
};

class SenderLimits {
 public:
  explicit SenderLimits(const SenderRates& rates);

  struct Over {
    std::string_view of;  // "connection", "user", "address"
    std::int64_t wait_ms;
  };
  // Takes a token from each bucket of the sender, up to the first that has none.
  std::optional<Over> take(const Socket& socket, const Identity& identity, std::int64_t now_ms);
  const SenderRates& rates() const noexcept { return rates_; }

  // The bucket of a user, of one tenant.
  static void user_key(const Identity& identity, std::string& key);

 private:
  static std::optional<Over> take(std::optional<policy::RateTable>& table, std::string_view of, std::string_view key, std::int64_t now_ms);

  const SenderRates rates_;
  std::optional<policy::RateTable> connection_, user_, address_;
  std::string key_;  // of the one that is asked for now
};

}  // namespace tidewire::server
