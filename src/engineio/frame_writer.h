// engineio/frame_writer.h - one or several Engine.IO message packets into one Frame, in WebSocket form.
//
//   text message   81 | length | '4' | bytes       (FIN, text)
//   binary message 82 | length | bytes             (FIN, binary; no packet type in front)
//
// A Socket.IO event with attachments is one text and N binary packets in one frame, so that no other packet comes between.
// Pure. Lifetime: the writer is used once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/frame.h"

namespace tidewire::engineio {

class FrameWriter {
 public:
  // `bytes_hint`: expected payload bytes in total; the frame grows when it was too small.
  explicit FrameWriter(std::size_t bytes_hint);

  // A text message piece by piece: the packet type '4' is written by begin_text().
  void begin_text();
  void append(std::string_view bytes);
  void append(char byte);
  void append_number(std::uint64_t number);
  void end_text();
  // A whole binary message.
  void binary(std::string_view bytes);

  // The frame; packet_count() says how many packets it has.
  base::Frame finish();

 private:
  void reserve(std::size_t more);
  base::Frame frame_;
  std::size_t size_ = 0;
  std::size_t message_begin_ = 0;  // where the header's room of the current text message begins
  std::uint16_t packets_ = 0;
};

// The polling payload of a frame: its packets joined by 0x1e, binary ones as b<base64>. A frame with one text packet needs
// no twin: text_packet_of() is a view into it.
base::Frame make_polling_twin(const base::Frame& frame);
// The packet of a frame with exactly one text packet; empty view otherwise.
std::string_view text_packet_of(const base::Frame& frame) noexcept;

}  // namespace tidewire::engineio
