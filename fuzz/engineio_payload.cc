// Any bytes as a polling payload: what is accepted splits into packets of allowed types that join to the same bytes, and its
// messages, written into one frame, come back from the frame's polling twin.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/utf8.h"
#include "engineio/frame_writer.h"
#include "engineio/payload_codec.h"

namespace {

using namespace tidewire::engineio;

constexpr std::size_t kPacketsMax = 32;

// The messages of a payload, binary ones decoded, each with a byte in front that tells them apart.
std::string messages_of(std::string payload) {
  std::string messages;
  for (PayloadReader reader(payload); reader.more();) {
    const std::span<char> packet = reader.next();
    const std::string_view text(packet.data(), packet.size());
    std::string bytes;
    if (packet_type(text) == PacketType::kMessage) {
      messages.append(1, 't').append(text.substr(1)).append(1, '\0');
    } else if (packet_type(text) == PacketType::kBase64) {
      TW_ASSERT(decode_base64_packet(text, bytes));
      messages.append(1, 'b').append(bytes).append(1, '\0');
    }
  }
  return messages;
}

void check_accepted(const std::string& payload) {
  TW_ASSERT(tidewire::base::valid_utf8(payload));
  std::string bytes = payload;
  std::string joined;
  std::size_t packets = 0;
  FrameWriter writer(packets);
  for (PayloadReader reader(bytes); reader.more(); ++packets) {
    const std::span<char> packet = reader.next();
    const std::string_view text(packet.data(), packet.size());
    if (packets > 0) joined += kSeparator;
    joined += text;
    std::string decoded;
    switch (packet_type(text)) {
      case PacketType::kMessage:
        writer.begin_text();
        writer.append(text.substr(1));
        writer.end_text();
        break;
      case PacketType::kBase64:
        TW_ASSERT(decode_base64_packet(text, decoded));
        writer.binary(decoded);
        break;
      default:
        TW_ASSERT(text[0] == '1' || text[0] == '3' || text[0] == '6');
    }
  }
  TW_ASSERT(packets <= kPacketsMax);
  TW_ASSERT(joined == payload);
  const tidewire::base::Frame frame = writer.finish();
  const std::string sent = messages_of(payload);
  if (frame.packet_count() == 0) {
    TW_ASSERT(sent.empty());
  } else {
    TW_ASSERT(messages_of(std::string(make_polling_twin(frame).wire())) == sent);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string payload(reinterpret_cast<const char*>(data), size);
  if (check_payload(payload, kPacketsMax) == PayloadError::kNone) check_accepted(payload);
  return 0;
}
