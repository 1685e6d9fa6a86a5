// net/address.h - an IPv4 or IPv6 address with port, 20 bytes; text on demand.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidewire::net {

struct Address {
  std::array<std::uint8_t, 16> ip{};  // IPv4 as ::ffff:a.b.c.d
  std::uint16_t port = 0;

  bool is_v4() const noexcept;
  // "127.0.0.1" or "::1"; an IPv4-mapped address as IPv4.
  std::string ip_text() const;
  // "127.0.0.1:4000", "[::1]:4000"
  std::string text() const;
  // An IP literal (no names, no port); nullopt for anything else.
  static std::optional<Address> parse_ip(std::string_view text, std::uint16_t port = 0);
  friend bool operator==(const Address&, const Address&) = default;
};

// "10.0.0.0/8", "::1", "2001:db8::/32".
struct Network {
  Address base;
  std::uint8_t prefix_bits = 128;  // counted in the 128-bit form
  bool contains(const Address& address) const noexcept;
  static std::optional<Network> parse(std::string_view text);
};

}  // namespace tidewire::net
