// websocket/frame_codec.h - RFC 6455 frames: header bytes to values and back, the mask, and what may be wrong with each.
//
// Pure: no sockets, no clock, no allocation. Every error is found at the first byte that shows it.
// Lifetime: views point into the caller's buffer.
// Limits: a header has at most limits::kFrameHeaderBytesMax bytes, ours (never masked) at most kServerHeaderBytesMax. The
//   size of data messages is the caller's business (message_reader.h): it depends on what came before.
// Why in place: the receive buffer belongs to the shard and is ours until we return (net/reactor.h).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "websocket/close_code.h"

namespace tidewire::websocket {

enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

constexpr bool is_control(Opcode opcode) noexcept { return static_cast<std::uint8_t>(opcode) >= 8; }

// Why a connection fails, one per cause.
enum class FrameError : std::uint8_t {
  kNone,
  kReservedBit,             // RSV2 or RSV3, or RSV1 where no extension gives it a meaning
  kReservedOpcode,          // 3..7, 11..15
  kUnmasked,                // a client masks every frame
  kFragmentedControl,       // FIN missing
  kLongControl,             // more than 125 bytes
  kLengthNotMinimal,        // a length in a longer form than needed
  kLengthSign,              // the highest bit of a 64-bit length
  kUnexpectedContinuation,  // no message is open
  kInterruptedMessage,      // a message is open: only its continuation may follow
  kTooBig,                  // the message, as it comes or inflated
  kTooManyFragments,
  kBadUtf8,                 // in a text message
  kBadDeflate,              // the compressed bytes are none
  kBadCloseLength,          // a CLOSE of one byte
  kBadCloseCode,
  kBadCloseReason,          // not UTF-8
  kLate,                    // a message was not completed in time
  kPingFlood,
  kNoMemory,                // ours, not the peer's
  kCount,
};

// The code and the words of the CLOSE that answers an error. REQUIRES: error != kNone
CloseCode close_code(FrameError error) noexcept;
std::string_view close_reason(FrameError error) noexcept;

struct FrameHeader {
  std::uint64_t payload_bytes = 0;
  std::uint32_t key = 0;         // the mask as it lies in memory
  std::uint8_t header_bytes = 0;
  Opcode opcode = Opcode::kContinuation;
  bool fin = false;
  bool compressed = false;       // RSV1
};

struct HeaderRules {
  bool message_open = false;     // a fragmented message waits for its continuation
  bool deflate = false;          // permessage-deflate was negotiated
  bool strict_length = true;
};

enum class HeaderResult : std::uint8_t { kComplete, kNeedMore, kError };

// Reads the header at the beginning of `bytes`. kError: `error` says why, whatever may still be missing.
[[nodiscard]] HeaderResult parse_header(std::span<const char> bytes, const HeaderRules& rules, FrameHeader& header,
                                        FrameError& error) noexcept;

// Takes the mask off (or puts it on).
void unmask(std::span<char> bytes, std::uint32_t key) noexcept;

// The key as it applies behind `count` masked bytes.
constexpr std::uint32_t rotate_key(std::uint32_t key, std::size_t count) noexcept {
  const int bits = static_cast<int>(count % 4 * 8);
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

inline constexpr std::size_t kServerHeaderBytesMax = 10;

constexpr std::size_t server_header_bytes(std::size_t payload_bytes) noexcept {
  return payload_bytes < 126 ? 2 : payload_bytes < 0x1'0000 ? 4 : 10;
}

// Writes the header of an unfragmented server frame; returns server_header_bytes(payload_bytes).
std::size_t write_header(char* out, Opcode opcode, bool compressed, std::size_t payload_bytes) noexcept;

// One of our own frames.
struct ServerFrame {
  Opcode opcode;
  bool compressed;
  std::string_view payload;
};

// Takes the first frame off `wire`. REQUIRES: `wire` begins with a frame that write_header() began.
ServerFrame take_server_frame(std::string_view& wire) noexcept;

struct CloseStatus {
  std::uint16_t code = kNoStatus;
  std::string_view reason;
};

// Reads the payload of a CLOSE.
[[nodiscard]] FrameError parse_close(std::string_view payload, CloseStatus& status) noexcept;

// Writes the payload of a CLOSE into `out` (125 bytes); returns its size: 0 for kNoStatus. A reason that is too long is cut
// between two characters.
std::size_t write_close(char* out, std::uint16_t code, std::string_view reason) noexcept;

}  // namespace tidewire::websocket
