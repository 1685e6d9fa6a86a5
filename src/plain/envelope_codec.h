// plain/envelope_codec.h - the JSON envelopes of plain WebSocket clients: text to its meaning, as views.
//
//   {"type":"say","id":7,"room":"r","text":"hi"}    flat: event `say` with one argument {"room":"r","text":"hi"}
//   {"type":"say","id":7,"data":VALUE}              event `say` with one argument
//   {"type":"say","id":7,"args":[A,B]}              event `say` with several
//   {"type":"join","room":"r"}   leave, ping, ack, error: built in, see Kind
//
// Pure: no sockets, no clock; allocates only where text must be put together anew. Of two equal keys the last one counts.
// The text must already be known to be valid UTF-8 (websocket/ sees to that).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_scanner.h"
#include "tidewire/bytes.h"

namespace tidewire::plain {

enum class [[nodiscard]] EnvelopeError : std::uint8_t {
  kOk,
  kInvalidJson,
  kNotAnObject,
  kNoType,         // no member `type`, or none that is a string
  kBadId,          // neither a number nor a string of at most kIdBytesMax
  kReservedEvent,  // connect, disconnect and the like
  kBadBytes,       // {"$bytes":...} without base64, or beside a literal placeholder
  kBadRoom,        // join, leave: no `room`, or none that can be a room's name
  kTooManyRooms,   // of this connection
  kRoomLimit,      // of the server
  kBadAck,         // an acknowledgement without the number it answers
};
// The `code` of an error envelope: "invalid_json".
std::string_view envelope_error_code(EnvelopeError error) noexcept;
// Its `message`, for people.
std::string_view envelope_error_text(EnvelopeError error) noexcept;

// Between the quotes, as written.
inline constexpr std::size_t kIdBytesMax = 64;

class Envelope {
 public:
  enum class Kind : std::uint8_t { kEvent, kJoin, kLeave, kPing, kAck, kError };

  Envelope() = default;
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  // Reads `text`, whose bytes may be changed. Views live as long as both the text and this envelope. Called once.
  EnvelopeError parse(std::span<char> text, std::size_t json_depth);

  Kind kind() const noexcept { return kind_; }
  // The name of the event.
  std::string_view type() const noexcept { return type_; }
  // The JSON text of the id, empty for none. Also there after kReservedEvent and kBadBytes.
  std::string_view id() const noexcept { return id_; }
  // `a,b,c` and how many they are; octets as placeholders for these attachments.
  std::string_view arguments() const noexcept { return arguments_; }
  std::size_t argument_count() const noexcept { return argument_count_; }
  std::span<const Bytes> attachments() const noexcept { return attachments_; }

  // After kInvalidJson: what exactly.
  base::JsonError json_error() const noexcept { return json_error_; }

  // join, leave: the `room` of the first argument, unescaped; none if it cannot be a room's name: 1 to kRoomNameBytesMax
  // bytes of UTF-8 without control characters.
  std::optional<std::string> room() const;
  // ack: the number it answers; none for anything else.
  std::optional<std::uint64_t> ack_number() const noexcept;

 private:
  struct Parts;
  EnvelopeError take_type(std::string_view value);
  EnvelopeError take_id(std::string_view value);
  void take_arguments(std::span<char> text, const Parts& parts, std::size_t json_depth);
  void take_fields(std::span<char> text, const Parts& parts);
  EnvelopeError take_bytes();

  Kind kind_ = Kind::kEvent;
  base::JsonError json_error_ = base::JsonError::kOk;
  std::string_view type_;
  std::string_view id_;
  std::string_view arguments_;
  std::size_t argument_count_ = 0;
  std::string type_scratch_;
  std::string arguments_scratch_;
  std::string bytes_scratch_;
  std::vector<Bytes> attachments_;
};

// Whether this text of one argument may travel flat: an object without a member that an envelope has itself. One whose
// members are `args` with an array would be read as several arguments, one that is {"$bytes":...} alone as octets.
bool travels_flat(std::string_view argument);

}  // namespace tidewire::plain
