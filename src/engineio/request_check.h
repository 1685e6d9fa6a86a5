// engineio/request_check.h - what an Engine.IO request asks for, and the refusals, word for word as the reference server's.
//
// Pure, but for refuse(), which answers. Lifetime: views into the request.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/exchange.h"

namespace tidewire::engineio {

enum class Refusal : std::uint8_t {
  kTransportUnknown = 0,
  kSessionUnknown = 1,
  kBadHandshakeMethod = 2,
  kBadRequest = 3,
  kForbidden = 4,
  kUnsupportedVersion = 5,
};
std::string_view refusal_message(Refusal refusal) noexcept;

// Of a key that comes several times the last value counts. Nothing is unescaped: no valid value needs it.
struct Query {
  std::string_view transport;
  std::string_view sid;
  std::string_view version;  // EIO
};
Query parse_query(std::string_view query) noexcept;

// Whether the request wants to become a WebSocket; any other upgrade is ignored.
bool wants_websocket(const http::Request& request) noexcept;
// Whether an Origin, if there is one, has only characters that a header may have.
bool origin_well_formed(const http::Request& request) noexcept;

// Plain requests get JSON, upgrades get the bare text and the end of the connection. `message`: instead of the usual one.
void refuse(http::Exchange& exchange, Refusal refusal, std::string_view message = {});
// The same for an upgrade from a page that may not connect (403).
void refuse_origin(http::Exchange& exchange);

}  // namespace tidewire::engineio
