#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tidewire::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

}  // namespace

bool Address::is_v4() const noexcept { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()); }

std::string Address::ip_text() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, ip.data() + kMappedPrefix.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, ip.data(), text, sizeof text);
  }
  return text;
}

std::string Address::text() const {
  const std::string number = std::to_string(port);
  return is_v4() ? ip_text() + ":" + number : "[" + ip_text() + "]:" + number;
}

std::optional<Address> Address::parse_ip(std::string_view text, std::uint16_t port) {
  // inet_pton wants a terminated string; nothing valid is longer than its buffer, and a NUL inside would cut the text.
  char copy[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  Address address;
  address.port = port;
  if (inet_pton(AF_INET6, copy, address.ip.data()) == 1) return address;
  if (inet_pton(AF_INET, copy, address.ip.data() + kMappedPrefix.size()) != 1) return std::nullopt;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
  return address;
}

bool Network::contains(const Address& address) const noexcept {
  const std::size_t whole = prefix_bits / 8;
  if (!std::equal(base.ip.begin(), base.ip.begin() + static_cast<std::ptrdiff_t>(whole), address.ip.begin())) return false;
  const unsigned rest = prefix_bits % 8;
  return rest == 0 || (base.ip[whole] ^ address.ip[whole]) >> (8 - rest) == 0;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<Address> base = Address::parse_ip(text.substr(0, slash));
  if (!base) return std::nullopt;
  if (slash == std::string_view::npos) return Network{*base, 128};
  const std::string_view digits = text.substr(slash + 1);
  const unsigned outer = base->is_v4() && text.find(':') == std::string_view::npos ? kMappedBits : 0;
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > 128 - outer) return std::nullopt;
  return Network{*base, static_cast<std::uint8_t>(bits + outer)};
}

}  // namespace tidewire::net
