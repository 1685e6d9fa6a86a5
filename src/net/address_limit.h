// net/address_limit.h - how many connections an address may have open, over all shards of the process.
//
// An IPv6 address stands for its /64, which is what one subscriber gets. A connection that passes a trusted proxy counts for
// the address of its PROXY header; addresses of Forwarded headers come too late, when the connection is shared already.
// Threads: any. Why a lock, in a house of shards: the kernel spreads the connections of an address over them, so the count is
// the process's; it is held for one look-up per accept and per close, and only where the limit is set (it is off by default).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "net/address.h"

namespace tidewire::net {

// One connection's place under its address, given back with the last holder. Void: it travels where nobody needs to know.
using AddressPlace = std::shared_ptr<void>;

class AddressLimit : public std::enable_shared_from_this<AddressLimit> {
 public:
  // REQUIRES: connections_max > 0
  static std::shared_ptr<AddressLimit> make(std::size_t connections_max) {
    return std::shared_ptr<AddressLimit>(new AddressLimit(connections_max));
  }
  // A place for one more connection from there; null when the address has all it may have.
  [[nodiscard]] AddressPlace take(const Address& address);
  std::size_t open_from(const Address& address) const;
  // Addresses with a connection.
  std::size_t size() const;

 private:
  using Key = std::array<std::uint8_t, 16>;
  struct Place;
  explicit AddressLimit(std::size_t connections_max) : connections_max_(connections_max) {}
  static Key key_of(const Address& address) noexcept;
  void leave(const Key& key);

  const std::size_t connections_max_;
  mutable std::mutex mutex_;
  absl::flat_hash_map<Key, std::size_t> open_;  // guarded by mutex_
};

}  // namespace tidewire::net
