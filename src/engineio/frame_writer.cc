#include "engineio/frame_writer.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "engineio/payload_codec.h"
#include "websocket/connection.h"
#include "websocket/frame_codec.h"

namespace tidewire::engineio {

using websocket::Opcode;

void FrameWriter::grow(std::size_t more) {
  base::Frame larger = base::Frame::allocate(std::max(frame_.capacity() * 2, size_ + more));
  std::memcpy(larger.data(), frame_.data(), size_);
  frame_ = std::move(larger);
}

void FrameWriter::append_number(std::uint64_t number) {
  constexpr std::size_t kDigitsMax = 20;
  reserve(kDigitsMax);
  char* begin = frame_.data() + size_;
  size_ += static_cast<std::size_t>(std::to_chars(begin, begin + kDigitsMax, number).ptr - begin);
}

void FrameWriter::end_text() {
  const std::size_t payload = message_begin_ + kHeaderRoom;
  const std::size_t payload_bytes = size_ - payload;
  const std::size_t header_bytes = websocket::server_header_bytes(payload_bytes);
  if (packets_++ == 0) {
    frame_begin_ = payload - header_bytes;
    websocket::write_header(frame_.data() + frame_begin_, Opcode::kText, false, payload_bytes);
    return;
  }
  // A later text message closes up with what is before it.
  std::memmove(frame_.data() + message_begin_ + header_bytes, frame_.data() + payload, payload_bytes);
  websocket::write_header(frame_.data() + message_begin_, Opcode::kText, false, payload_bytes);
  size_ = message_begin_ + header_bytes + payload_bytes;
}

void FrameWriter::binary(std::string_view bytes) {
  const std::size_t header_bytes = websocket::server_header_bytes(bytes.size());
  reserve(header_bytes + bytes.size());
  websocket::write_header(frame_.data() + size_, Opcode::kBinary, false, bytes.size());
  size_ += header_bytes;
  append(bytes);
  ++packets_;
}

base::Frame FrameWriter::finish() {
  frame_.set_extent(frame_begin_, size_ - frame_begin_);
  frame_.set_packet_count(packets_);
  return std::move(frame_);
}

base::Frame make_packet_frame(std::string_view packet) { return websocket::encode_text(packet); }

base::Frame make_polling_twin(const base::Frame& frame) {
  std::size_t bytes = 0;
  for (std::string_view wire = frame.wire(); !wire.empty();) {
    const websocket::ServerFrame message = websocket::take_server_frame(wire);
    bytes += 1 + (message.opcode == Opcode::kText ? message.payload.size() : 1 + base::base64_size(message.payload.size()));
  }
  base::Frame twin = base::Frame::allocate(bytes);
  char* out = twin.data();
  for (std::string_view wire = frame.wire(); !wire.empty();) {
    const websocket::ServerFrame message = websocket::take_server_frame(wire);
    if (out != twin.data()) *out++ = kSeparator;
    if (message.opcode == Opcode::kText) {
      out = std::copy(message.payload.begin(), message.payload.end(), out);
    } else {
      *out++ = 'b';
      base::base64_encode(message.payload, out);
      out += base::base64_size(message.payload.size());
    }
  }
  twin.set_extent(0, static_cast<std::size_t>(out - twin.data()));
  return twin;
}

std::string_view text_packet_of(const base::Frame& frame) noexcept {
  if (frame.packet_count() != 1) return {};
  std::string_view wire = frame.wire();
  const websocket::ServerFrame message = websocket::take_server_frame(wire);
  return message.opcode == Opcode::kText ? message.payload : std::string_view();
}

}  // namespace tidewire::engineio
