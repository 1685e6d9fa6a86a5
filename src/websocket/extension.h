// websocket/extension.h - Sec-WebSocket-Extensions: the client's offers read in one pass, permessage-deflate agreed or not.
//
// Pure; views point into the header values. Linear in their length, nothing is looked up by a peer's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "websocket/options.h"

namespace tidewire::websocket {

// What both sides agreed on.
struct DeflateParameters {
  bool enabled = false;
  bool server_context_takeover = false;
  bool client_context_takeover = false;
  std::uint8_t server_window_bits = 15;
  std::uint8_t client_window_bits = 15;
};

// Reads the offers of one request, header by header.
class ExtensionNegotiation {
 public:
  explicit ExtensionNegotiation(const DeflateOptions& options) noexcept : options_(options) {}

  // One header value. False when it is not what RFC 6455 9.1 calls a list of extensions: 400.
  [[nodiscard]] bool offer(std::string_view value);

  // An offer of permessage-deflate was against RFC 7692 and no other one was fit to accept: 400.
  bool refused() const noexcept { return invalid_ && !agreed_.enabled; }
  const DeflateParameters& agreed() const noexcept { return agreed_; }
  // The value of the answer's header; empty for no extension.
  std::string response() const;

 private:
  struct Offer;
  void consider(const Offer& offer) noexcept;

  const DeflateOptions& options_;
  DeflateParameters agreed_;
  bool announce_server_bits_ = false;
  bool announce_client_bits_ = false;
  bool invalid_ = false;
};

// Sec-WebSocket-Protocol: whether it is a list of tokens, and whether `wanted` is among them.
struct ProtocolList {
  bool valid = false;
  bool has_wanted = false;
};
ProtocolList read_protocols(std::string_view value, std::string_view wanted) noexcept;

}  // namespace tidewire::websocket
