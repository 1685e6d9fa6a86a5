// socketio/packet_codec.h - Socket.IO protocol 5: text of one packet to its parts, as views; and the parts back to text.
//
// Pure: no sockets, no clock, no allocation. The JSON inside is validated by base/json_scanner, which the client calls when
// it knows what the packet is for.
// Lifetime: views point into the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hub/event_name.h"

namespace tidewire::socketio {

enum class PacketType : std::uint8_t { kConnect, kDisconnect, kEvent, kAck, kConnectError, kBinaryEvent, kBinaryAck };

struct PacketView {
  PacketType type = PacketType::kEvent;
  std::uint32_t attachments = 0;     // announced; 0 unless the type is a binary one
  std::string_view namespace_name;   // "/" if the packet names none; without a query
  bool has_ack_id = false;
  std::uint64_t ack_id = 0;
  std::string_view data;             // JSON text, empty if there is none
};

enum class [[nodiscard]] PacketError : std::uint8_t {
  kOk,
  kEmpty,                // no type
  kUnknownType,          // not 0..6
  kBadAttachmentCount,   // no digits, a leading zero, zero itself, or no '-' behind it
  kTooManyAttachments,
  kNamespaceTooLong,     // over kNamespaceNameBytesMax
  kBadAckId,             // over 2^53 - 1
};
std::string_view packet_error_text(PacketError error) noexcept;

PacketError parse_packet(std::string_view text, std::uint32_t attachments_max, PacketView& out) noexcept;

using hub::is_reserved_event;

}  // namespace tidewire::socketio
