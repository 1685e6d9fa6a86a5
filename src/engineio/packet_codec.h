// engineio/packet_codec.h - one Engine.IO v4 packet as text: a digit for the type, then its data.
//
// Pure. Lifetime: views into the caller's bytes. A binary message has no text packet: on WebSocket it is a binary frame, in
// a polling payload 'b' and base64 (payload_codec.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tidewire::engineio {

enum class PacketType : std::uint8_t {
  kOpen = 0,
  kClose = 1,
  kPing = 2,
  kPong = 3,
  kMessage = 4,
  kUpgrade = 5,
  kNoop = 6,
  kBase64,   // 'b': a binary message for those who cannot send bytes
  kInvalid,  // empty, or no known type
};

inline PacketType packet_type(std::string_view packet) noexcept {
  if (packet.empty()) return PacketType::kInvalid;
  if (packet[0] == 'b') return PacketType::kBase64;
  const auto digit = static_cast<unsigned char>(packet[0] - '0');
  return digit <= 6 ? static_cast<PacketType>(digit) : PacketType::kInvalid;
}

// The whole packets that travel without data of their own, or with the probe's word.
inline constexpr std::string_view kClosePacket = "1";
inline constexpr std::string_view kPingPacket = "2";
inline constexpr std::string_view kNoopPacket = "6";
inline constexpr std::string_view kProbePing = "2probe";
inline constexpr std::string_view kProbePong = "3probe";
inline constexpr std::string_view kUpgradePacket = "5";

}  // namespace tidewire::engineio
