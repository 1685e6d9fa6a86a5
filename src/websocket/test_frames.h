// websocket/test_frames.h - for tests: what a client writes, masked and compressed, and what a reader makes of bytes.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/frame.h"
#include "websocket/frame_codec.h"
#include "websocket/message_reader.h"

namespace tidewire::websocket::test {

inline constexpr std::string_view kMask = "\x37\xfa\x21\x3d";

struct ClientFrame {
  unsigned first = 0x81;           // FIN and text
  std::string payload = {};
  std::string mask = std::string(kMask);       // empty: not masked
  int length_bytes = -1;           // 0, 2, 8; -1: the shortest
  std::int64_t declared = -1;      // -1: the payload's own
};

inline std::string write(const ClientFrame& frame) {
  const auto declared =
      static_cast<std::uint64_t>(frame.declared < 0 ? static_cast<std::int64_t>(frame.payload.size()) : frame.declared);
  int length_bytes = frame.length_bytes;
  if (length_bytes < 0) length_bytes = declared < 126 ? 0 : declared < 65536 ? 2 : 8;
  const unsigned length = length_bytes == 0 ? static_cast<unsigned>(declared) : length_bytes == 2 ? 126 : 127;
  std::string out;
  out.push_back(static_cast<char>(frame.first));
  out.push_back(static_cast<char>((frame.mask.empty() ? 0 : 0x80) | length));
  for (int i = length_bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(declared >> (8 * i) & 0xff));
  out += frame.mask;
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    out.push_back(frame.mask.empty() ? frame.payload[i] : static_cast<char>(frame.payload[i] ^ frame.mask[i % 4]));
  }
  return out;
}

inline std::string client_frame(unsigned first, std::string_view payload) {
  return write({.first = first, .payload = std::string(payload)});
}
inline std::string text(std::string_view payload) { return client_frame(0x81, payload); }
inline std::string binary(std::string_view payload) { return client_frame(0x82, payload); }
inline std::string ping(std::string_view payload = {}) { return client_frame(0x89, payload); }
inline std::string close_frame(int code, std::string_view reason = {}) {
  std::string payload = {};
  if (code >= 0) payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return client_frame(0x88, payload.append(reason));
}

// Raw deflate with a sync flush, its last four bytes cut off.
inline std::string deflate(std::string_view message, int window_bits = 15, int flush = Z_SYNC_FLUSH) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -window_bits, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, message.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, flush);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (flush == Z_SYNC_FLUSH) out.resize(out.size() - 4);
  return out;
}

// One line per event: "text:hello", "ping:x", "close:\x03\xe8", "error:1002".
using Events = std::vector<std::string>;

inline std::string describe(const MessageReader::Event& event) {
  const std::string payload(event.payload.data(), event.payload.size());
  switch (event.kind) {
    case MessageReader::Kind::kText: return "text:" + payload;
    case MessageReader::Kind::kBinary: return "binary:" + payload;
    case MessageReader::Kind::kPing: return "ping:" + payload;
    case MessageReader::Kind::kPong: return "pong:" + payload;
    case MessageReader::Kind::kClose: {
      CloseStatus status;
      const FrameError error = parse_close(payload, status);
      if (error != FrameError::kNone) return "error:" + std::to_string(close_code(error));
      return "close:" + std::to_string(status.code) + ":" + std::string(status.reason);
    }
    case MessageReader::Kind::kError: break;
  }
  return "error:" + std::to_string(close_code(event.error));
}

// Feeds pieces as reads of their own, each in a heap buffer of exactly its size, so that a byte too far is seen.
class ReaderHarness {
 public:
  explicit ReaderHarness(const Options& options, bool deflate = false) : options_(options), reader_(options_) {
    if (deflate) reader_.set_deflate({.enabled = true});
  }
  void feed(std::string_view piece) {
    const auto buffer = std::make_unique<char[]>(piece.size());
    if (!piece.empty()) std::memcpy(buffer.get(), piece.data(), piece.size());
    std::span<char> bytes(buffer.get(), piece.size());
    MessageReader::Event event;
    while (!over_ && reader_.next(bytes, event)) {
      events_.push_back(describe(event));
      over_ = events_.back().starts_with("error") || events_.back().starts_with("close");
    }
    if (over_) reader_.drop();
  }
  const Events& events() const { return events_; }
  MessageReader& reader() { return reader_; }
  bool over() const { return over_; }

 private:
  Options options_;
  MessageReader reader_;
  Events events_;
  bool over_ = false;
};

inline Events read_pieces(const std::vector<std::string_view>& pieces, const Options& options = {}, bool deflate = false) {
  ReaderHarness harness(options, deflate);
  for (const auto piece : pieces) harness.feed(piece);
  return harness.events();
}

inline Events read_whole(std::string_view bytes, const Options& options = {}, bool deflate = false) {
  return read_pieces({bytes}, options, deflate);
}

inline Events read_byte_by_byte(std::string_view bytes, const Options& options = {}, bool deflate = false) {
  ReaderHarness harness(options, deflate);
  for (std::size_t i = 0; i < bytes.size(); ++i) harness.feed(bytes.substr(i, 1));
  return harness.events();
}

}  // namespace tidewire::websocket::test
