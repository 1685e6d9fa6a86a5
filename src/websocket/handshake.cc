#include "websocket/handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/base64.h"

namespace tidewire::websocket {
namespace {

constexpr std::string_view kKeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyTextBytes = 24;

// The value of a header that may stand there once; empty if it is absent or doubled.
std::string_view only_value(const http::Request& request, std::string_view name) {
  std::string_view value;
  bool found = false;
  for (const http::Header& header : request.headers) {
    if (!http::equals_ignoring_case(header.name, name)) continue;
    if (found) return {};
    found = true;
    value = header.value;
  }
  return value;
}

// Sixteen bytes in base64. The bits behind them are nobody's business: clients differ.
bool valid_key(std::string_view key) {
  if (key.size() != kKeyTextBytes || !key.ends_with("==")) return false;
  return std::all_of(key.begin(), key.end() - 2, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
}

// An upgrade with a body is how requests are smuggled past a proxy: its bytes would be read as frames.
bool has_body(const http::Request& request) {
  if (request.has_header("Transfer-Encoding")) return true;
  const std::string_view length = request.header("Content-Length");
  return length.find_first_not_of('0') != std::string_view::npos;
}

Handshake refuse(int status, std::string_view why) {
  Handshake refused;
  refused.status = status;
  refused.refusal = why;
  return refused;
}

}  // namespace

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + std::string(kKeySuffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned digest_bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &digest_bytes, EVP_sha1(), nullptr) != 1) return {};
  std::string accept(base::base64_size(digest_bytes), '\0');
  base::base64_encode({reinterpret_cast<const char*>(digest.data()), digest_bytes}, accept.data());
  return accept;
}

Handshake negotiate(const http::Request& request, const DeflateOptions& options, std::string_view protocol) {
  if (request.method != "GET") return refuse(400, "a WebSocket begins with GET");
  if (request.version_minor < 1) return refuse(400, "a WebSocket needs HTTP/1.1");
  if (!request.upgrade || !http::equals_ignoring_case(only_value(request, "Upgrade"), "websocket")) {
    return refuse(400, "not an upgrade to websocket");
  }
  if (has_body(request)) return refuse(400, "an upgrade has no body");
  if (only_value(request, "Sec-WebSocket-Version") != "13") return refuse(426, "only WebSocket version 13 is spoken here");
  const std::string_view key = only_value(request, "Sec-WebSocket-Key");
  if (!valid_key(key)) return refuse(400, "Sec-WebSocket-Key is not 16 bytes in base64");

  ExtensionNegotiation extensions(options);
  bool announce_protocol = false;
  for (const http::Header& header : request.headers) {
    if (http::equals_ignoring_case(header.name, "Sec-WebSocket-Extensions")) {
      if (!extensions.offer(header.value)) return refuse(400, "Sec-WebSocket-Extensions is malformed");
    } else if (http::equals_ignoring_case(header.name, "Sec-WebSocket-Protocol")) {
      const ProtocolList offered = read_protocols(header.value, protocol);
      if (!offered.valid) return refuse(400, "Sec-WebSocket-Protocol is malformed");
      announce_protocol = announce_protocol || offered.has_wanted;
    }
  }
  if (extensions.refused()) return refuse(400, "permessage-deflate was offered with invalid parameters");

  Handshake accepted;
  accepted.deflate = extensions.agreed();
  accepted.head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  accepted.head += accept_key(key);
  if (announce_protocol) accepted.head.append("\r\nSec-WebSocket-Protocol: ").append(protocol);
  if (accepted.deflate.enabled) accepted.head.append("\r\nSec-WebSocket-Extensions: ").append(extensions.response());
  accepted.head += "\r\n\r\n";
  return accepted;
}

}  // namespace tidewire::websocket
