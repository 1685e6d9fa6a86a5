// websocket/frame_codec.cc - RFC 6455 5.2, big-endian:
//
//   byte 0   FIN RSV1 RSV2 RSV3 opcode(4)
//   byte 1   MASK length(7)      126: 16 bits follow, 127: 64 bits follow, the highest of them zero
//   key      4 bytes             only if MASK, and clients always mask
//   payload
//
// CLOSE: nothing, or a 16-bit code and a reason in UTF-8.
#include "websocket/frame_codec.h"

#include <array>
#include <cstring>

#include "base/assert.h"
#include "base/limits.h"
#include "base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidewire::websocket {
namespace {

using base::limits::kControlPayloadBytesMax;

struct Answer {
  CloseCode code;
  std::string_view reason;
};

constexpr std::array<Answer, static_cast<std::size_t>(FrameError::kCount)> kAnswers = {{
    {kInternalError, ""},
    {kProtocolError, "reserved bit set"},
    {kProtocolError, "reserved opcode"},
    {kProtocolError, "frame not masked"},
    {kProtocolError, "fragmented control frame"},
    {kProtocolError, "control frame too long"},
    {kProtocolError, "length not in its shortest form"},
    {kProtocolError, "length with its highest bit set"},
    {kProtocolError, "continuation of nothing"},
    {kProtocolError, "message interrupted by another"},
    {kMessageTooBig, "message too big"},
    {kPolicyViolation, "too many fragments"},
    {kInvalidPayload, "text is not UTF-8"},
    {kInvalidPayload, "compressed data is invalid"},
    {kProtocolError, "close frame of one byte"},
    {kProtocolError, "close code not allowed"},
    {kInvalidPayload, "close reason is not UTF-8"},
    {kPolicyViolation, "message not completed in time"},
    {kPolicyViolation, "too many pings"},
    {kInternalError, "out of memory"},
}};

std::uint64_t read_big_endian(const char* at, std::size_t count) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<std::uint8_t>(at[i]);
  return value;
}

void write_big_endian(char* out, std::uint64_t value, std::size_t count) noexcept {
  for (std::size_t i = count; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
}

FrameError check_first_byte(std::uint8_t byte, const HeaderRules& rules) noexcept {
  const unsigned opcode = byte & 0x0fu;
  if ((byte & 0x30) != 0) return FrameError::kReservedBit;
  // RSV1 marks the first frame of a compressed message, never a continuation or a control frame (RFC 7692 6.1).
  if ((byte & 0x40) != 0 && (!rules.deflate || (opcode != 1 && opcode != 2))) return FrameError::kReservedBit;
  if ((opcode >= 3 && opcode <= 7) || opcode > 10) return FrameError::kReservedOpcode;
  if (opcode >= 8) return (byte & 0x80) != 0 ? FrameError::kNone : FrameError::kFragmentedControl;
  if (opcode == 0 && !rules.message_open) return FrameError::kUnexpectedContinuation;
  if (opcode != 0 && rules.message_open) return FrameError::kInterruptedMessage;
  return FrameError::kNone;
}

HeaderResult fail(FrameError cause, FrameError& error) noexcept {
  error = cause;
  return HeaderResult::kError;
}

}  // namespace

CloseCode close_code(FrameError error) noexcept { return kAnswers[static_cast<std::size_t>(error)].code; }

std::string_view close_reason(FrameError error) noexcept { return kAnswers[static_cast<std::size_t>(error)].reason; }

HeaderResult parse_header(std::span<const char> bytes, const HeaderRules& rules, FrameHeader& header,
                          FrameError& error) noexcept {
  if (bytes.empty()) return HeaderResult::kNeedMore;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  if (const FrameError bad = check_first_byte(first, rules); bad != FrameError::kNone) return fail(bad, error);
  header.opcode = static_cast<Opcode>(first & 0x0f);
  header.fin = (first & 0x80) != 0;
  header.compressed = (first & 0x40) != 0;

  if (bytes.size() < 2) return HeaderResult::kNeedMore;
  const auto second = static_cast<std::uint8_t>(bytes[1]);
  if ((second & 0x80) == 0) return fail(FrameError::kUnmasked, error);
  const std::uint8_t short_length = second & 0x7f;
  if (is_control(header.opcode) && short_length > kControlPayloadBytesMax) return fail(FrameError::kLongControl, error);

  const std::size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
  if (bytes.size() < 2 + length_bytes) return HeaderResult::kNeedMore;
  header.payload_bytes = short_length;
  if (length_bytes != 0) {
    header.payload_bytes = read_big_endian(bytes.data() + 2, length_bytes);
    if (header.payload_bytes >> 63 != 0) return fail(FrameError::kLengthSign, error);
    const std::uint64_t shorter_max = length_bytes == 2 ? 125 : 0xffff;
    if (rules.strict_length && header.payload_bytes <= shorter_max) return fail(FrameError::kLengthNotMinimal, error);
  }
  if (bytes.size() < 2 + length_bytes + 4) return HeaderResult::kNeedMore;
  std::memcpy(&header.key, bytes.data() + 2 + length_bytes, 4);
  header.header_bytes = static_cast<std::uint8_t>(2 + length_bytes + 4);
  return HeaderResult::kComplete;
}

void unmask(std::span<char> bytes, std::uint32_t key) noexcept {
  char* at = bytes.data();
  std::size_t left = bytes.size();
#if defined(__SSE2__)
  const __m128i wide_key = _mm_set1_epi32(static_cast<int>(key));
  for (; left >= 16; at += 16, left -= 16) {
    auto* block = reinterpret_cast<__m128i*>(at);
    _mm_storeu_si128(block, _mm_xor_si128(_mm_loadu_si128(block), wide_key));
  }
#endif
  const std::uint64_t long_key = std::uint64_t{key} << 32 | key;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= long_key;
    std::memcpy(at, &word, 8);
  }
  char key_bytes[4];
  std::memcpy(key_bytes, &key, 4);
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ key_bytes[i & 3]);
}

std::size_t write_header(char* out, Opcode opcode, bool compressed, std::size_t payload_bytes) noexcept {
  out[0] = static_cast<char>(0x80 | (compressed ? 0x40 : 0) | static_cast<int>(opcode));
  if (payload_bytes < 126) {
    out[1] = static_cast<char>(payload_bytes);
    return 2;
  }
  const std::size_t length_bytes = payload_bytes < 0x1'0000 ? 2 : 8;
  out[1] = length_bytes == 2 ? 126 : 127;
  write_big_endian(out + 2, payload_bytes, length_bytes);
  return 2 + length_bytes;
}

ServerFrame take_server_frame(std::string_view& wire) noexcept {
  TW_ASSERT(wire.size() >= 2);
  const auto first = static_cast<std::uint8_t>(wire[0]);
  const auto short_length = static_cast<std::uint8_t>(wire[1]);
  const std::size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
  TW_ASSERT(wire.size() >= 2 + length_bytes);
  const std::uint64_t payload_bytes = length_bytes == 0 ? short_length : read_big_endian(wire.data() + 2, length_bytes);
  wire.remove_prefix(2 + length_bytes);
  TW_ASSERT(payload_bytes <= wire.size());
  const ServerFrame frame{static_cast<Opcode>(first & 0x0f), (first & 0x40) != 0, wire.substr(0, payload_bytes)};
  wire.remove_prefix(payload_bytes);
  return frame;
}

FrameError parse_close(std::string_view payload, CloseStatus& status) noexcept {
  status = {};
  if (payload.empty()) return FrameError::kNone;
  if (payload.size() == 1) return FrameError::kBadCloseLength;
  status.code = static_cast<std::uint16_t>(read_big_endian(payload.data(), 2));
  if (!valid_on_wire(status.code)) return FrameError::kBadCloseCode;
  status.reason = payload.substr(2);
  return base::valid_utf8(status.reason) ? FrameError::kNone : FrameError::kBadCloseReason;
}

std::size_t write_close(char* out, std::uint16_t code, std::string_view reason) noexcept {
  if (code == kNoStatus) return 0;
  std::size_t size = reason.size();
  if (size > kControlPayloadBytesMax - 2) {
    size = kControlPayloadBytesMax - 2;
    while (size > 0 && (static_cast<std::uint8_t>(reason[size]) & 0xc0) == 0x80) --size;
  }
  write_big_endian(out, code, 2);
  if (size != 0) std::memcpy(out + 2, reason.data(), size);
  return 2 + size;
}

}  // namespace tidewire::websocket
