// websocket/handshake.h - the opening handshake of RFC 6455 4.2: a request judged, and the head that answers it.
//
// Pure: a request in, a verdict out. Any HTTP rule (Host, line ends, sizes) was kept by http/ already.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"
#include "websocket/extension.h"
#include "websocket/options.h"

namespace tidewire::websocket {

struct Handshake {
  int status = 101;               // or 400, 426
  std::string_view refusal;       // words for people, when status is not 101
  DeflateParameters deflate;
  std::string head;               // the complete 101 answer
};

// `protocol` is announced if the client offered it; empty for none.
Handshake negotiate(const http::Request& request, const DeflateOptions& options, std::string_view protocol);

// RFC 6455 4.2.2: base64 of SHA-1 of the key and a fixed string.
std::string accept_key(std::string_view key);

}  // namespace tidewire::websocket
