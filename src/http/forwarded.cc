#include "http/forwarded.h"

#include <charconv>

#include "http/request_codec.h"

namespace tidewire::http {
namespace {

// "1.2.3.4", "1.2.3.4:80", "[::1]", "[::1]:80" or a bare "::1"; none for a name, "unknown" or "_hidden".
std::optional<net::Address> parse_node(std::string_view node) {
  std::string_view port;
  if (!node.empty() && node.front() == '[') {
    const std::size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    port = node.substr(end + 1);
    node = node.substr(1, end - 1);
    if (!port.empty() && port.front() != ':') return std::nullopt;
  } else if (const std::size_t colon = node.find(':'); colon != std::string_view::npos && node.rfind(':') == colon) {
    port = node.substr(colon);
    node = node.substr(0, colon);
  }
  std::uint16_t number = 0;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  }
  return net::Address::parse_ip(node, number);
}

std::string_view unquote(std::string_view text) noexcept {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

// The value of a parameter of one Forwarded element: for=..;proto=..
std::string_view parameter(std::string_view element, std::string_view name) noexcept {
  while (!element.empty()) {
    const std::size_t semicolon = element.find(';');
    std::string_view pair = element.substr(0, semicolon);
    element.remove_prefix(semicolon == std::string_view::npos ? element.size() : semicolon + 1);
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals_ignoring_case(pair.substr(0, equals), name)) {
      return unquote(pair.substr(equals + 1));
    }
  }
  return {};
}

// Walks the elements of all headers of this name from the last to the first until take() returns false.
template <typename Take>
bool walk_back(const Request& request, std::string_view name, Take&& take) {
  bool found = false;
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!equals_ignoring_case(header->name, name)) continue;
    found = true;
    std::string_view list = header->value;
    while (!list.empty()) {
      const std::size_t comma = list.rfind(',');
      std::string_view element = list.substr(comma == std::string_view::npos ? 0 : comma + 1);
      list = list.substr(0, comma == std::string_view::npos ? 0 : comma);
      while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) element.remove_prefix(1);
      while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.remove_suffix(1);
      if (!take(element)) return true;
    }
  }
  return found;
}

}  // namespace

bool any_contains(std::span<const net::Network> networks, const net::Address& address) noexcept {
  for (const net::Network& network : networks) {
    if (network.contains(address)) return true;
  }
  return false;
}

Forwarded read_forwarded(const Request& request, std::span<const net::Network> trusted) {
  Forwarded result;
  // Takes the next hop's address; false when the walk is over.
  const auto next_hop = [&](std::string_view node) {
    const std::optional<net::Address> address = parse_node(node);
    if (address) result.client = address;
    return address && any_contains(trusted, *address);
  };
  const bool listed = walk_back(request, "x-forwarded-for", next_hop);
  walk_back(request, "x-forwarded-proto", [&result](std::string_view scheme) {
    result.secure = equals_ignoring_case(scheme, "https") || equals_ignoring_case(scheme, "wss");
    return false;
  });
  if (listed) return result;
  walk_back(request, "forwarded", [&](std::string_view element) {
    if (const std::string_view scheme = parameter(element, "proto"); !scheme.empty()) {
      result.secure = equals_ignoring_case(scheme, "https");
    }
    return next_hop(parameter(element, "for"));
  });
  return result;
}

}  // namespace tidewire::http
