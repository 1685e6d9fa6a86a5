// engineio/payload_codec.h - the body of a polling request: packets joined by 0x1e, binary ones as b<base64>.
//
// check_payload() judges a whole payload before any of it is used, so that a malformed one has no effect at all; it is
// linear and looks at each byte a constant number of times. PayloadReader then hands out one packet after the other, at
// whatever pace the session chooses.
// Pure. Lifetime: packets are views into the payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engineio/packet_codec.h"

namespace tidewire::engineio {

enum class PayloadError : std::uint8_t {
  kNone,
  kEmptyPacket,    // nothing between two separators, or an empty payload
  kUnknownType,    // the first byte is no packet type
  kWrongType,      // a type that a client may not send over polling: open, ping, upgrade
  kBadBase64,
  kBadUtf8,
  kTooManyPackets,
};

inline constexpr char kSeparator = 0x1e;

// Whether a client may send this payload by POST. `packets_max` counts all packets, noops included.
[[nodiscard]] PayloadError check_payload(std::string_view payload, std::size_t packets_max);

// Walks over the packets of a payload. Does not judge them.
class PayloadReader {
 public:
  PayloadReader() = default;
  explicit PayloadReader(std::span<char> payload) : rest_(payload), more_(true) {}

  // Whether next() has another packet; an empty payload has one, which is empty.
  bool more() const noexcept { return more_; }
  // REQUIRES: more()
  std::span<char> next() noexcept;

 private:
  std::span<char> rest_;
  bool more_ = false;
};

// The bytes of a 'b' packet, `packet` with its 'b'. False, and nothing of use in `bytes`, when it is not base64.
[[nodiscard]] bool decode_base64_packet(std::string_view packet, std::string& bytes);

}  // namespace tidewire::engineio
