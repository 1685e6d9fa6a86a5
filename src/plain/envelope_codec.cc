// The grammar, after JSON's own:
//
//   envelope   := { "type": STRING, ["id": NUMBER | STRING,] content }
//   content    := "data": VALUE          one argument; other members mean nothing then
//               | "args": ARRAY          as many arguments as elements
//               | members...             one argument: the object of these members
//
// A flat message costs no copy when its own members come first: the comma behind them becomes the brace of the argument.
#include "plain/envelope_codec.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json_reader.h"
#include "base/limits.h"
#include "base/placeholders.h"
#include "base/utf8.h"
#include "hub/event_name.h"

namespace tidewire::plain {

using base::JsonKind;
using base::MemberCursor;

namespace {

enum class Key : std::uint8_t { kOther, kType, kId, kData, kArgs };

Key key_of(std::string_view raw) {
  std::string unescaped;
  if (raw.find('\\') != std::string_view::npos) {
    static_cast<void>(base::unescape_json_string(raw, unescaped));
    raw = unescaped;
  }
  if (raw == "type") return Key::kType;
  if (raw == "id") return Key::kId;
  if (raw == "data") return Key::kData;
  if (raw == "args") return Key::kArgs;
  return Key::kOther;
}

bool is_array(std::string_view value) noexcept { return base::json_kind(value) == JsonKind::kArray; }

std::string_view between_quotes(std::string_view string) noexcept { return string.substr(1, string.size() - 2); }

Envelope::Kind kind_of(std::string_view type) noexcept {
  if (type == "join") return Envelope::Kind::kJoin;
  if (type == "leave") return Envelope::Kind::kLeave;
  if (type == "ping") return Envelope::Kind::kPing;
  if (type == "ack") return Envelope::Kind::kAck;
  if (type == "error") return Envelope::Kind::kError;
  return Envelope::Kind::kEvent;
}

}  // namespace

std::string_view envelope_error_code(EnvelopeError error) noexcept {
  switch (error) {
    case EnvelopeError::kOk: return "ok";
    case EnvelopeError::kInvalidJson: return "invalid_json";
    case EnvelopeError::kNotAnObject: return "not_an_object";
    case EnvelopeError::kNoType: return "no_type";
    case EnvelopeError::kBadId: return "invalid_id";
    case EnvelopeError::kReservedEvent: return "reserved_event";
    case EnvelopeError::kBadBytes: return "invalid_bytes";
    case EnvelopeError::kBadRoom: return "invalid_room";
    case EnvelopeError::kTooManyRooms: return "too_many_rooms";
    case EnvelopeError::kRoomLimit: return "room_limit";
    case EnvelopeError::kBadAck: return "invalid_ack";
  }
  return "";
}

std::string_view envelope_error_text(EnvelopeError error) noexcept {
  switch (error) {
    case EnvelopeError::kOk: return "ok";
    case EnvelopeError::kInvalidJson: return "the message is not valid JSON";
    case EnvelopeError::kNotAnObject: return "the message is not a JSON object";
    case EnvelopeError::kNoType: return "the message has no string \"type\"";
    case EnvelopeError::kBadId: return "\"id\" must be a number or a string of at most 64 bytes";
    case EnvelopeError::kReservedEvent: return "this event name is reserved";
    case EnvelopeError::kBadBytes: return "\"$bytes\" must be base64, and no placeholder may stand beside it";
    case EnvelopeError::kBadRoom: return "\"room\" must be a string of 1 to 128 bytes without control characters";
    case EnvelopeError::kTooManyRooms: return "this connection is in too many rooms";
    case EnvelopeError::kRoomLimit: return "the server has as many rooms as it may";
    case EnvelopeError::kBadAck: return "an acknowledgement needs the \"id\" that it answers";
  }
  return "";
}

// What one walk over the members finds. Views of values are empty when the member is missing.
struct Envelope::Parts {
  std::string_view type, id, data, args;
  const char* first_field = nullptr;    // the opening quote of the first member that is neither type nor id
  bool fields_come_last = true;         // no type or id behind it

  explicit Parts(std::string_view object) {
    MemberCursor members(object);
    for (std::string_view raw_key, value; members.next(raw_key, value);) {
      const Key key = key_of(raw_key);
      if (key == Key::kType || key == Key::kId) {
        (key == Key::kType ? type : id) = value;
        if (first_field != nullptr) fields_come_last = false;
        continue;
      }
      if (first_field == nullptr) first_field = raw_key.data() - 1;
      if (key == Key::kData) data = value;
      if (key == Key::kArgs) args = value;
    }
  }
};

EnvelopeError Envelope::parse(std::span<char> text, std::size_t json_depth) {
  const std::string_view view(text.data(), text.size());
  json_error_ = base::scan_json(view, {.depth = json_depth});
  if (json_error_ != base::JsonError::kOk) return EnvelopeError::kInvalidJson;
  if (base::json_kind(view) != JsonKind::kObject) return EnvelopeError::kNotAnObject;
  const Parts parts(view);
  if (const EnvelopeError error = take_type(parts.type); error != EnvelopeError::kOk) return error;
  if (const EnvelopeError error = take_id(parts.id); error != EnvelopeError::kOk) return error;
  kind_ = kind_of(type_);
  if (hub::is_reserved_event(type_)) return EnvelopeError::kReservedEvent;
  take_arguments(text, parts, json_depth);
  return take_bytes();
}

EnvelopeError Envelope::take_type(std::string_view value) {
  if (value.empty() || base::json_kind(value) != JsonKind::kString) return EnvelopeError::kNoType;
  type_ = between_quotes(value);
  if (type_.find('\\') != std::string_view::npos) {
    static_cast<void>(base::unescape_json_string(type_, type_scratch_));
    type_ = type_scratch_;
  }
  return EnvelopeError::kOk;
}

EnvelopeError Envelope::take_id(std::string_view value) {
  if (value.empty()) return EnvelopeError::kOk;
  const JsonKind kind = base::json_kind(value);
  const bool good = kind == JsonKind::kNumber || (kind == JsonKind::kString && between_quotes(value).size() <= kIdBytesMax);
  if (!good) return EnvelopeError::kBadId;
  id_ = value;
  return EnvelopeError::kOk;
}

void Envelope::take_arguments(std::span<char> text, const Parts& parts, std::size_t json_depth) {
  if (!parts.data.empty()) {
    arguments_ = parts.data;
    argument_count_ = 1;
  } else if (!parts.args.empty() && is_array(parts.args)) {
    base::ArgumentsText list;
    static_cast<void>(base::scan_arguments(parts.args, {.depth = json_depth}, list));  // it was scanned before
    arguments_ = list.text;
    argument_count_ = list.count;
  } else if (parts.first_field != nullptr || kind_ != Kind::kAck) {  // an answer may be nothing but that
    take_fields(text, parts);
    argument_count_ = 1;
  }
}

void Envelope::take_fields(std::span<char> text, const Parts& parts) {
  const std::string_view object(text.data(), text.size());
  if (parts.first_field == nullptr) {
    arguments_ = "{}";
    return;
  }
  const std::size_t field = static_cast<std::size_t>(parts.first_field - text.data());
  if (parts.fields_come_last) {
    // Before the quote stands the brace, a comma or a blank: nothing that another view needs.
    text[field - 1] = '{';
    arguments_ = object.substr(field - 1, object.find_last_of('}') + 2 - field);
    return;
  }
  arguments_scratch_.reserve(text.size());
  MemberCursor members(object);
  for (std::string_view raw_key, value; members.next(raw_key, value);) {
    const Key key = key_of(raw_key);
    if (key == Key::kType || key == Key::kId) continue;
    arguments_scratch_.push_back(arguments_scratch_.empty() ? '{' : ',');
    arguments_scratch_.append(raw_key.data() - 1, value.data() + value.size());
  }
  arguments_scratch_.push_back('}');
  arguments_ = arguments_scratch_;
}

EnvelopeError Envelope::take_bytes() {
  if (!base::may_have_bytes_form(arguments_)) return EnvelopeError::kOk;
  if (base::bytes_form_to_placeholders(arguments_, bytes_scratch_, attachments_) != base::PlaceholderError::kOk) {
    return EnvelopeError::kBadBytes;
  }
  arguments_ = bytes_scratch_;
  return EnvelopeError::kOk;
}

std::optional<std::string> Envelope::room() const {
  if (argument_count_ == 0) return std::nullopt;
  std::string_view argument;
  base::ArgumentCursor(arguments_).next(argument);
  if (base::json_kind(argument) != JsonKind::kObject) return std::nullopt;
  std::string_view room;
  MemberCursor members(argument);
  std::string name;
  for (std::string_view raw_key, value; members.next(raw_key, value);) {
    name.clear();
    static_cast<void>(base::unescape_json_string(raw_key, name));
    if (name == "room") room = value;
  }
  if (room.empty() || base::json_kind(room) != JsonKind::kString) return std::nullopt;
  name.clear();
  const bool whole = base::unescape_json_string(between_quotes(room), name);
  const bool good = whole && !name.empty() && name.size() <= base::limits::kRoomNameBytesMax && !base::has_control_characters(name);
  return good ? std::optional<std::string>(std::move(name)) : std::nullopt;
}

std::optional<std::uint64_t> Envelope::ack_number() const noexcept {
  std::uint64_t number = 0;
  const char* const end = id_.data() + id_.size();
  const auto [rest, error] = std::from_chars(id_.data(), end, number);
  if (error != std::errc() || rest != end || number > base::limits::kAckIdMax) return std::nullopt;
  return number;
}

bool travels_flat(std::string_view argument) {
  if (base::json_kind(argument) != JsonKind::kObject) return false;
  MemberCursor members(argument);
  std::size_t count = 0;
  bool bytes = false;
  for (std::string_view raw_key, value; members.next(raw_key, value); ++count) {
    switch (key_of(raw_key)) {
      case Key::kType:
      case Key::kId:
      case Key::kData: return false;
      case Key::kArgs:
        if (is_array(value)) return false;
        break;
      case Key::kOther: bytes = raw_key == "$bytes"; break;
    }
  }
  return !(bytes && count == 1);
}

}  // namespace tidewire::plain
