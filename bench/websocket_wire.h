// websocket_wire.h - the client's side of RFC 6455, as little as the load generator needs.
//
// Own code on purpose: a judge that shared the server's codec would share its mistakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidewire::bench {

inline constexpr unsigned kText = 1;
inline constexpr unsigned kClose = 8;
inline constexpr unsigned kPing = 9;
inline constexpr unsigned kPong = 10;

// The key of RFC 6455 section 1.3; always the same, so the answer is known.
inline constexpr std::string_view kWebSocketKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view kWebSocketAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// A whole masked frame of `text`, appended.
void append_client_frame(std::string& out, unsigned opcode, std::string_view text);

struct ServerFrame {
  unsigned opcode = 0;
  bool compressed = false;
  std::string_view payload;  // into the bytes parsed
  std::size_t bytes = 0;     // head and payload
};

enum class FrameParse { kFrame, kNeedMore, kBad };

// Bad is what no server may send us here: fragments, masks, reserved bits 2 and 3, lengths in a longer form than needed.
FrameParse parse_server_frame(std::string_view bytes, ServerFrame& frame);

}  // namespace tidewire::bench
