// http/forwarded.h - who really speaks, when a proxy that we trust says so.
//
// Pure. X-Forwarded-For and -Proto, else Forwarded (RFC 7239). The list is read from its end, where the nearest proxy wrote:
// trusted proxies are skipped, the first other address is the client's. What stands before it anybody may have written.
#pragma once

#include <optional>
#include <span>

#include "http/exchange.h"
#include "net/address.h"

namespace tidewire::http {

struct Forwarded {
  std::optional<net::Address> client;  // none: no header, or one that hides or garbles it
  std::optional<bool> secure;          // none: not said
};

// REQUIRES: the request came from a trusted proxy.
Forwarded read_forwarded(const Request& request, std::span<const net::Network> trusted);

bool any_contains(std::span<const net::Network> networks, const net::Address& address) noexcept;

}  // namespace tidewire::http
