// websocket/close_code.h - why a WebSocket ends: RFC 6455 7.4.1 and ours (4xxx).
#pragma once

#include <cstdint>

namespace tidewire::websocket {

enum CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNoStatus = 1005,        // never on the wire: an empty CLOSE
  kAbnormal = 1006,        // never on the wire: the stream ended without CLOSE
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
  kSlowConsumer = 4008,
};

// Whether a peer may send it: registered codes, and the ranges for libraries (3xxx) and applications (4xxx).
constexpr bool valid_on_wire(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace tidewire::websocket
