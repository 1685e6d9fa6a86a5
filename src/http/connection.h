// http/connection.h - HTTP/1.1 on a stream: heads and bodies in, one exchange at a time, timeouts, keep-alive.
#pragma once

#include <memory>

#include "http/exchange.h"
#include "http/router.h"
#include "net/connection.h"

namespace tidewire::http {

struct ConnectionOptions {
  std::int64_t head_ms = 10'000;              // first byte (or accept) to the end of the head: 408
  std::int64_t keep_alive_ms = 30'000;        // idle between requests: closed silently
  std::int64_t body_grace_ms = 5'000;         // then at least 1 KB/s averaged over 5 s: 408
  std::vector<net::Network> trusted_proxies;  // Forwarded and X-Forwarded-* count from these only
};

// The handler of a fresh connection. `router` and `options` must outlive it.
std::unique_ptr<net::StreamHandler> make_connection(net::Connection& stream, const Router& router,
                                                    const ConnectionOptions& options);

}  // namespace tidewire::http
