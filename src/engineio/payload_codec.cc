//   payload = packet *( 0x1e packet )
//   packet  = DIGIT *char          ; text: the type, then data in UTF-8
//           / "b" *base64char      ; a binary message
#include "engineio/payload_codec.h"

#include <algorithm>
#include <cstring>

#include "base/base64.h"
#include "base/utf8.h"

namespace tidewire::engineio {
namespace {

PayloadError check_packet(std::string_view packet, std::string& scratch) {
  if (packet.empty()) return PayloadError::kEmptyPacket;
  switch (packet_type(packet)) {
    case PacketType::kClose:
    case PacketType::kPong:
    case PacketType::kMessage:
    case PacketType::kNoop:
      return PayloadError::kNone;
    case PacketType::kBase64:
      return decode_base64_packet(packet, scratch) ? PayloadError::kNone : PayloadError::kBadBase64;
    case PacketType::kOpen:
    case PacketType::kPing:
    case PacketType::kUpgrade:
      return PayloadError::kWrongType;
    case PacketType::kInvalid:
      break;
  }
  return PayloadError::kUnknownType;
}

}  // namespace

std::span<char> PayloadReader::next() noexcept {
  const void* found = rest_.empty() ? nullptr : std::memchr(rest_.data(), kSeparator, rest_.size());
  const std::size_t size =
      found == nullptr ? rest_.size() : static_cast<std::size_t>(static_cast<const char*>(found) - rest_.data());
  const std::span<char> packet = rest_.first(size);
  more_ = found != nullptr;
  rest_ = rest_.subspan(more_ ? size + 1 : size);
  return packet;
}

PayloadError check_payload(std::string_view payload, std::size_t packets_max) {
  // The count first: it is the cheapest to know and bounds the rest.
  const auto separators = static_cast<std::size_t>(std::count(payload.begin(), payload.end(), kSeparator));
  if (separators >= packets_max) return PayloadError::kTooManyPackets;
  if (!base::valid_utf8(payload)) return PayloadError::kBadUtf8;
  std::string scratch;
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(payload.find(kSeparator, begin), payload.size());
    const PayloadError error = check_packet(payload.substr(begin, end - begin), scratch);
    if (error != PayloadError::kNone) return error;
    if (end == payload.size()) return PayloadError::kNone;
    begin = end + 1;
  }
}

bool decode_base64_packet(std::string_view packet, std::string& bytes) {
  bytes.clear();
  return base::base64_decode(packet.substr(1), bytes);
}

}  // namespace tidewire::engineio
