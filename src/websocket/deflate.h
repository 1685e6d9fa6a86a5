// websocket/deflate.h - permessage-deflate (RFC 7692): messages to raw deflate and back.
//
// Without context takeover (the default) a thread has one Inflater and one Deflater per setting, and a frame is deflated
// once for all its recipients (Frame::Twin). With it each connection owns a pair: about 40 KB to inflate and
// (1 << (window_bits + 2)) + (1 << (memory_level + 9)) bytes, 256 KB by default, to deflate.
// Bounds: inflating stops at the byte after the limit, whatever the peer promised; buffers grow by what came out so far.
// Lifetime: what inflate() yields lies in a buffer of the thread and dies at the next inflate() of the thread.
// Threads: one.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/frame.h"
#include "websocket/options.h"

namespace tidewire::websocket {

class Inflater {
 public:
  enum class Result : std::uint8_t { kOk, kTooBig, kBad, kNoMemory };

  // `keep_context`: a message may refer to the ones before it.
  Inflater(int window_bits, bool keep_context) noexcept;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  // One message as it was on the wire, without the four bytes that RFC 7692 7.2.1 takes off. After an error the context is
  // lost.
  [[nodiscard]] Result inflate(std::string_view compressed, std::size_t bytes_max, std::span<char>& message);

  // The thread's, for peers that keep no context.
  static Inflater& shared();
  // The last message of the thread is not needed any more: a large buffer goes back to the system.
  static void trim() noexcept;

 private:
  Result inflate_message(std::string_view compressed, std::size_t bytes_max);
  Result run(std::string_view input, std::size_t bytes_max);

  z_stream stream_{};
  std::size_t have_ = 0;   // bytes of this message in the thread's buffer
  bool ended_ = false;     // the input ended with a final block
  bool keep_context_;
  bool ready_;
};

class Deflater {
 public:
  // window_bits 8..15; 8 is served by a 9-bit window, see deflate.cc.
  Deflater(int window_bits, int memory_level, int level, bool keep_context) noexcept;
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  // False when the system had no memory: then nothing can be deflated.
  bool ready() const noexcept { return ready_; }
  // Writes the compressed message without its four last bytes; returns how many.
  // REQUIRES: ready(), and room for bytes_max(message.size()) at `out`.
  std::size_t deflate(std::string_view message, char* out);
  std::size_t bytes_max(std::size_t message_bytes);
  bool keeps_context() const noexcept { return keep_context_; }

  // The thread's, for these settings and without context.
  static Deflater& shared(const DeflateOptions& options, int window_bits);

 private:
  z_stream stream_{};
  bool keep_context_;
  bool ready_;
};

// Every message of `frame` deflated. Without context a message that would not shrink stays as it is. An empty Frame when
// there is no memory.
base::Frame deflate_frame(const base::Frame& frame, Deflater& deflater);

// The twin that all connections without context takeover share. Who gives a frame to another shard calls it before
// Frame::share(), or every recipient there deflates again.
base::Frame deflated_twin(const base::Frame& frame, const DeflateOptions& options);

}  // namespace tidewire::websocket
