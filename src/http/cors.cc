#include "http/cors.h"

#include <algorithm>

namespace tidewire::http {
namespace {

bool any_origin(const CorsOptions& options) noexcept {
  return options.origins.size() == 1 && options.origins.front() == "*";
}

bool listed(const CorsOptions& options, std::string_view origin) noexcept {
  return std::find(options.origins.begin(), options.origins.end(), origin) != options.origins.end();
}

void add(Exchange& exchange, std::string_view name, std::string_view value) {
  if (!value.empty()) exchange.add_response_header(std::string(name), std::string(value));
}

// Adds Access-Control-Allow-Origin. Returns whether the answer depends on the request's Origin.
bool add_allow_origin(const CorsOptions& options, const Request& request, Exchange& exchange) {
  constexpr std::string_view kName = "Access-Control-Allow-Origin";
  const std::string_view origin = request.header("origin");
  if (any_origin(options)) {
    add(exchange, kName, options.credentials ? origin : "*");
    return options.credentials;
  }
  if (options.origins.size() == 1) {
    add(exchange, kName, options.origins.front());
  } else if (listed(options, origin)) {
    add(exchange, kName, origin);
  }
  return true;
}

// Adds what only a preflight asks. Returns whether the answer depends on Access-Control-Request-Headers.
bool add_preflight_headers(const CorsOptions& options, const Request& request, Exchange& exchange) {
  add(exchange, "Access-Control-Allow-Methods", options.methods);
  const bool echo = options.allowed_headers.empty();
  add(exchange, "Access-Control-Allow-Headers",
      echo ? request.header("access-control-request-headers") : options.allowed_headers);
  if (options.max_age_s >= 0) add(exchange, "Access-Control-Max-Age", std::to_string(options.max_age_s));
  return echo;
}

}  // namespace

bool apply_cors(const CorsOptions& options, Exchange& exchange) {
  if (!options.enabled) return false;
  const Request& request = exchange.request();
  const bool preflight = request.method == "OPTIONS";
  std::string vary;
  if (add_allow_origin(options, request, exchange)) vary = "Origin";
  if (options.credentials) add(exchange, "Access-Control-Allow-Credentials", "true");
  if (preflight && add_preflight_headers(options, request, exchange)) {
    vary.append(vary.empty() ? "" : ", ").append("Access-Control-Request-Headers");
  }
  add(exchange, "Vary", vary);
  add(exchange, "Access-Control-Expose-Headers", options.exposed_headers);
  if (!preflight) return false;
  // Some browsers wait for the body of a 204 without this line.
  exchange.respond({.status = 204, .headers = {{"Content-Length", "0"}}, .body = {}});
  return true;
}

bool origin_allowed(const CorsOptions& options, std::string_view origin) noexcept {
  return !options.enabled || origin.empty() || any_origin(options) || listed(options, origin);
}

}  // namespace tidewire::http
