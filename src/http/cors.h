// http/cors.h - cross-origin headers, as the npm package `cors` writes them, with an origin check for upgrades.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"

namespace tidewire::http {

struct CorsOptions {
  bool enabled = false;
  // "*" alone: any origin. One entry: that string always (with Vary: Origin). Several: the request's origin if it is among
  // them. Exact comparison of scheme, host and port; nothing is a pattern.
  std::vector<std::string> origins;
  std::string methods = "GET,HEAD,PUT,PATCH,POST,DELETE";
  std::string allowed_headers;  // empty: echo Access-Control-Request-Headers, with Vary
  std::string exposed_headers;
  bool credentials = false;  // with "*" the origin is echoed instead: browsers refuse the pair
  int max_age_s = -1;        // negative: no header
};

// Adds the headers of an ordinary answer to the exchange; for OPTIONS answers the preflight (204, Content-Length 0) and
// returns true.
bool apply_cors(const CorsOptions& options, Exchange& exchange);

// Whether a WebSocket upgrade from this Origin is allowed: an origin list applies to upgrades too. An absent Origin (no
// browser) is allowed.
bool origin_allowed(const CorsOptions& options, std::string_view origin) noexcept;

}  // namespace tidewire::http
