// websocket/options.h - what an endpoint allows its WebSockets.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidewire::websocket {

struct DeflateOptions {
  bool enabled = false;
  std::size_t threshold_bytes = 1024;   // smaller messages go out plain
  bool context_takeover = false;        // server side; off: one compressor per shard, frames shared between connections
  int window_bits = 15;                 // 9..15
  int memory_level = 8;                 // 1..9
  int level = 1;                        // zlib level of what we send
};

struct Options {
  std::size_t message_bytes_max = 1'000'000;   // decoded bytes, inclusive
  std::uint32_t fragments_max = 16'384;
  std::int64_t completion_ms = 30'000;
  bool strict_length = true;                   // refuse lengths in a longer form than needed
  DeflateOptions deflate = {};
};

}  // namespace tidewire::websocket
