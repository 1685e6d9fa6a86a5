// engineio/frame_writer.h - one or several Engine.IO message packets into one Frame, in WebSocket form.
//
//   text message   81 | length | '4' | bytes       (FIN, text)
//   binary message 82 | length | bytes             (FIN, binary; no packet type in front)
//
// A Socket.IO event with attachments is one text and N binary packets in one frame, so that no other packet comes between.
// The length of a text message is known only when it ends, and its header has 2, 4 or 10 bytes: room for the longest is left
// in front, and the header goes right before the payload, so the bytes of a message are written once and never moved.
// Pure. Lifetime: the writer is used once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/frame.h"
#include "websocket/frame_codec.h"

namespace tidewire::engineio {

class FrameWriter {
 public:
  // `bytes_hint`: expected payload bytes in total; the frame grows when it was too small.
  explicit FrameWriter(std::size_t bytes_hint) : frame_(base::Frame::allocate(bytes_hint + kHeaderRoom + kTypeBytes)) {}

  // A text message piece by piece: the packet type '4' is written by begin_text().
  void begin_text() {
    reserve(kHeaderRoom + kTypeBytes);
    message_begin_ = size_;
    size_ += kHeaderRoom;
    frame_.data()[size_++] = '4';
  }
  void append(std::string_view bytes) {
    reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(frame_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append(char byte) {
    reserve(1);
    frame_.data()[size_++] = byte;
  }
  void append_number(std::uint64_t number);
  void end_text();
  // A whole binary message.
  void binary(std::string_view bytes);

  // The frame; packet_count() says how many packets it has.
  base::Frame finish();

 private:
  static constexpr std::size_t kHeaderRoom = websocket::kServerHeaderBytesMax;
  static constexpr std::size_t kTypeBytes = 1;

  void reserve(std::size_t more) {
    if (size_ + more > frame_.capacity()) [[unlikely]] grow(more);
  }
  void grow(std::size_t more);

  base::Frame frame_;
  std::size_t size_ = 0;
  std::size_t message_begin_ = 0;  // where the header's room of the current text message begins
  std::size_t frame_begin_ = 0;    // of the first message's header
  std::uint16_t packets_ = 0;
};

// A text packet that is no message: open, ping, noop and the like, with its type digit.
base::Frame make_packet_frame(std::string_view packet);

// The polling payload of a frame: its packets joined by 0x1e, binary ones as b<base64>. A frame with one text packet needs
// no twin: text_packet_of() is a view into it.
base::Frame make_polling_twin(const base::Frame& frame);
// The packet of a frame with exactly one text packet; empty view otherwise.
std::string_view text_packet_of(const base::Frame& frame) noexcept;

}  // namespace tidewire::engineio
