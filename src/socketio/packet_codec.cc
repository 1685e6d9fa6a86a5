// The grammar, with <> for what is a number in digits:
//
//   packet    = type [ count "-" ] [ namespace "," ] [ ack-id ] [ json ]
//   type      = "0" .. "6"              count only with 5 and 6
//   namespace = "/" anything but ","    to the end when there is no ","; a "?query" is cut off
//
// Digits are digits: what JavaScript's Number() would also take (blanks, 1e0, 0x1, 1.0) is refused.

#include "socketio/packet_codec.h"

#include "base/limits.h"

namespace tidewire::socketio {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Takes "<count>-" off the front of `rest`.
PacketError take_count(std::string_view& rest, std::uint32_t maximum, std::uint32_t& count) noexcept {
  std::size_t digits = 0;
  std::uint64_t value = 0;
  bool too_many = false;
  while (digits < rest.size() && is_digit(rest[digits])) {
    value = value * 10 + static_cast<std::uint64_t>(rest[digits++] - '0');
    if (value > maximum) too_many = true;
    if (too_many) value = maximum;
  }
  if (digits == 0 || rest[0] == '0' || digits == rest.size() || rest[digits] != '-') return PacketError::kBadAttachmentCount;
  if (too_many) return PacketError::kTooManyAttachments;
  count = static_cast<std::uint32_t>(value);
  rest.remove_prefix(digits + 1);
  return PacketError::kOk;
}

PacketError take_namespace(std::string_view& rest, std::string_view& name) noexcept {
  name = "/";
  if (rest.empty() || rest.front() != '/') return PacketError::kOk;
  const std::size_t comma = rest.find(',');
  name = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  if (const std::size_t query = name.find('?'); query != std::string_view::npos) name = name.substr(0, query);
  return name.size() > base::limits::kNamespaceNameBytesMax ? PacketError::kNamespaceTooLong : PacketError::kOk;
}

PacketError take_ack_id(std::string_view& rest, PacketView& out) noexcept {
  std::size_t digits = 0;
  while (digits < rest.size() && is_digit(rest[digits])) {
    out.ack_id = out.ack_id * 10 + static_cast<std::uint64_t>(rest[digits++] - '0');
    if (out.ack_id > base::limits::kAckIdMax) return PacketError::kBadAckId;
  }
  out.has_ack_id = digits > 0;
  rest.remove_prefix(digits);
  return PacketError::kOk;
}

}  // namespace

std::string_view packet_error_text(PacketError error) noexcept {
  switch (error) {
    case PacketError::kOk: return "ok";
    case PacketError::kEmpty: return "empty packet";
    case PacketError::kUnknownType: return "unknown packet type";
    case PacketError::kBadAttachmentCount: return "illegal attachments";
    case PacketError::kTooManyAttachments: return "too many attachments";
    case PacketError::kNamespaceTooLong: return "namespace name too long";
    case PacketError::kBadAckId: return "illegal acknowledgement id";
  }
  return "";
}

PacketError parse_packet(std::string_view text, std::uint32_t attachments_max, PacketView& out) noexcept {
  if (text.empty()) return PacketError::kEmpty;
  if (text.front() < '0' || text.front() > '6') return PacketError::kUnknownType;
  out = PacketView();
  out.type = static_cast<PacketType>(text.front() - '0');
  std::string_view rest = text.substr(1);
  if (out.type == PacketType::kBinaryEvent || out.type == PacketType::kBinaryAck) {
    if (const PacketError error = take_count(rest, attachments_max, out.attachments); error != PacketError::kOk) return error;
  }
  if (const PacketError error = take_namespace(rest, out.namespace_name); error != PacketError::kOk) return error;
  if (const PacketError error = take_ack_id(rest, out); error != PacketError::kOk) return error;
  out.data = rest;
  return PacketError::kOk;
}

}  // namespace tidewire::socketio
