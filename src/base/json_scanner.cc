// base/json_scanner.cc - RFC 8259, which is also the grammar of JSON.parse:
//
//   value  = "null" | "true" | "false" | number | string | array | object         blanks (space \t \n \r) around every
//   token array  = "[" [ value *( "," value ) ] "]" object = "{" [ string ":" value *( "," string ":" value ) ] "}"
//   number = [ "-" ] ( "0" | 1-9 *digit ) [ "." 1*digit ] [ ( "e" | "E" ) [ "+" | "-" ] 1*digit ]
//   string = '"' *( any but " \ and below U+0020 | "\" one of "\/bfnrt | "\u" 4 hex digits ) '"'
#include "base/json_scanner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/json_characters.h"
#include "base/json_reader.h"
#include "base/json_writer.h"

namespace tidewire::base {
namespace {

// One pass over a text. Open containers are one bit each: set for an object.
class Scan {
 public:
  Scan(std::string_view text, const JsonLimits& limits) noexcept
      : at_(text.data()),
        end_(text.data() + text.size()),
        nodes_left_(limits.nodes),
        number_bytes_(limits.number_bytes),
        depth_max_(std::min(limits.depth, limits::kJsonDepthMax)) {}

  const char* position() const noexcept { return at_; }
  bool at_end() const noexcept { return at_ == end_; }
  bool at_character(char c) const noexcept { return at_ != end_ && *at_ == c; }
  void step() noexcept { ++at_; }
  void skip_blanks() noexcept {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }
  // Counts one array as opened, or closed, by the caller.
  JsonError open_array() noexcept { return open(false); }
  void close_array() noexcept { --depth_; }

  // One value that begins here, no blank before it.
  JsonError value() noexcept {
    const std::size_t outer_depth = depth_;
    for (;;) {
      bool has_members = false;
      if (const JsonError error = begin_value(has_members); error != JsonError::kOk) return error;
      if (has_members) continue;
      for (bool next_member = false; !next_member;) {
        if (depth_ == outer_depth) return JsonError::kOk;
        if (const JsonError error = after_member(next_member); error != JsonError::kOk) return error;
      }
    }
  }

  // A string that begins here. `has_escapes` is set, never cleared.
  JsonError string(bool& has_escapes) noexcept {
    ++at_;
    for (;;) {
      at_ = skip_plain(at_, end_);
      if (at_ == end_) return JsonError::kTruncated;
      if (*at_ == '"') {
        ++at_;
        return JsonError::kOk;
      }
      if (*at_ != '\\') return JsonError::kControlCharacter;
      has_escapes = true;
      if (const JsonError error = escape(); error != JsonError::kOk) return error;
    }
  }

  JsonError number() noexcept {
    const char* const begin = at_;
    if (*at_ == '-') ++at_;
    if (at_character('0')) {
      ++at_;
    } else if (!digits()) {
      return bad_number();
    }
    if (at_character('.')) {
      ++at_;
      if (!digits()) return bad_number();
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!digits()) return bad_number();
    }
    if (at_ != end_ && (is_digit(*at_) || *at_ == '.')) return JsonError::kBadNumber;
    return static_cast<std::size_t>(at_ - begin) > number_bytes_ ? JsonError::kNumberTooLong : JsonError::kOk;
  }

 private:
  JsonError bad_number() const noexcept { return at_end() ? JsonError::kTruncated : JsonError::kBadNumber; }

  bool digits() noexcept {
    const char* const begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != begin;
  }

  JsonError escape() noexcept {
    ++at_;
    if (at_ == end_) return JsonError::kTruncated;
    const char c = *at_++;
    if (c != 'u') return std::strchr("\"\\/bfnrt", c) != nullptr && c != '\0' ? JsonError::kOk : JsonError::kBadEscape;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return JsonError::kTruncated;
      if (hex_value(*at_) < 0) return JsonError::kBadEscape;
    }
    return JsonError::kOk;
  }

  JsonError literal(std::string_view word) noexcept {
    const std::string_view here(at_, std::min(word.size(), static_cast<std::size_t>(end_ - at_)));
    if (here != word.substr(0, here.size())) return JsonError::kBadLiteral;
    at_ += here.size();
    return here.size() == word.size() ? JsonError::kOk : JsonError::kTruncated;
  }

  JsonError open(bool object) noexcept {
    if (depth_ >= depth_max_) return JsonError::kTooDeep;
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    std::uint64_t& word = objects_[depth_ / 64];
    word = object ? word | bit : word & ~bit;
    ++depth_;
    return JsonError::kOk;
  }
  bool in_object() const noexcept { return (objects_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1) != 0; }

  // A scalar to its end, or a container to the begin of its first member.
  JsonError begin_value(bool& has_members) noexcept {
    if (at_ == end_) return JsonError::kTruncated;
    if (nodes_left_ == 0) return JsonError::kTooManyNodes;
    --nodes_left_;
    switch (*at_) {
      case '"': {
        bool has_escapes = false;
        return string(has_escapes);
      }
      case '[':
      case '{':
        return begin_container(has_members);
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return *at_ == '-' || is_digit(*at_) ? number() : JsonError::kUnexpected;
    }
  }

  JsonError begin_container(bool& has_members) noexcept {
    const bool object = *at_ == '{';
    if (const JsonError error = open(object); error != JsonError::kOk) return error;
    ++at_;
    skip_blanks();
    if (at_character(object ? '}' : ']')) {
      ++at_;
      --depth_;
      return JsonError::kOk;
    }
    has_members = true;
    return object ? key() : JsonError::kOk;
  }

  // Behind a member: a comma leads to the next one, a bracket closes the container.
  JsonError after_member(bool& next_member) noexcept {
    skip_blanks();
    if (at_ == end_) return JsonError::kTruncated;
    const bool object = in_object();
    if (*at_ == ',') {
      next_member = true;
      ++at_;
      skip_blanks();
      return object ? key() : JsonError::kOk;
    }
    if (*at_ != (object ? '}' : ']')) return JsonError::kUnexpected;
    ++at_;
    --depth_;
    return JsonError::kOk;
  }

  // A key and its colon, to the begin of the value.
  JsonError key() noexcept {
    if (at_ == end_) return JsonError::kTruncated;
    if (*at_ != '"') return JsonError::kKeyExpected;
    bool has_escapes = false;
    if (const JsonError error = string(has_escapes); error != JsonError::kOk) return error;
    skip_blanks();
    if (at_ == end_) return JsonError::kTruncated;
    if (*at_ != ':') return JsonError::kColonExpected;
    ++at_;
    skip_blanks();
    return JsonError::kOk;
  }

  const char* at_;
  const char* const end_;
  std::size_t nodes_left_;
  const std::size_t number_bytes_;
  const std::size_t depth_max_;
  std::size_t depth_ = 0;
  std::array<std::uint64_t, limits::kJsonDepthMax / 64> objects_{};
};

JsonError end_of_text(Scan& scan) noexcept {
  scan.skip_blanks();
  return scan.at_end() ? JsonError::kOk : JsonError::kTrailingData;
}

JsonError begin_array(Scan& scan) noexcept {
  scan.skip_blanks();
  if (scan.at_end()) return JsonError::kEmpty;
  if (!scan.at_character('[')) return JsonError::kNotAnArray;
  if (const JsonError error = scan.open_array(); error != JsonError::kOk) return error;
  scan.step();
  scan.skip_blanks();
  return JsonError::kOk;
}

// Values with commas between them up to the closing bracket, of which at least one is there.
JsonError elements(Scan& scan, ArgumentsText& out) noexcept {
  const char* const begin = scan.position();
  for (std::size_t count = 1;; ++count) {
    if (const JsonError error = scan.value(); error != JsonError::kOk) return error;
    const char* const end = scan.position();
    scan.skip_blanks();
    if (scan.at_character(']')) {
      scan.step();
      scan.close_array();
      out = {std::string_view(begin, static_cast<std::size_t>(end - begin)), count};
      return end_of_text(scan);
    }
    if (scan.at_end()) return JsonError::kTruncated;
    if (!scan.at_character(',')) return JsonError::kUnexpected;
    scan.step();
    scan.skip_blanks();
  }
}

JsonError scan_name(Scan& scan, EventArray& out) noexcept {
  if (scan.at_end()) return JsonError::kTruncated;
  const char* const begin = scan.position();
  const bool quoted = *begin == '"';
  if (!quoted && *begin != '-' && !is_digit(*begin)) return JsonError::kNoEventName;
  const JsonError error = quoted ? scan.string(out.name_has_escapes) : scan.number();
  if (error != JsonError::kOk) return error;
  out.name = std::string_view(begin, static_cast<std::size_t>(scan.position() - begin));
  if (quoted) out.name = out.name.substr(1, out.name.size() - 2);
  out.name_is_number = !quoted;
  return JsonError::kOk;
}

}  // namespace

std::string_view json_error_text(JsonError error) noexcept {
  constexpr std::string_view kTexts[] = {
      "ok",
      "no JSON value",
      "JSON ends too early",
      "something stands behind the JSON value",
      "unexpected character in JSON",
      "unknown word in JSON",
      "malformed number in JSON",
      "number in JSON too long",
      "control character in JSON string",
      "malformed escape in JSON string",
      "a key was expected in JSON",
      "a colon was expected in JSON",
      "JSON nested too deep",
      "too many values in JSON",
      "not a JSON array",
      "no event name",
  };
  static_assert(std::size(kTexts) == static_cast<std::size_t>(JsonError::kNoEventName) + 1);
  return kTexts[static_cast<std::size_t>(error)];
}

JsonError scan_json(std::string_view text, const JsonLimits& limits) noexcept {
  Scan scan(text, limits);
  scan.skip_blanks();
  if (scan.at_end()) return JsonError::kEmpty;
  if (const JsonError error = scan.value(); error != JsonError::kOk) return error;
  return end_of_text(scan);
}

JsonError scan_arguments(std::string_view text, const JsonLimits& limits, ArgumentsText& out) noexcept {
  Scan scan(text, limits);
  out = {};
  if (const JsonError error = begin_array(scan); error != JsonError::kOk) return error;
  if (!scan.at_character(']')) return elements(scan, out);
  scan.step();
  return end_of_text(scan);
}

JsonError scan_event(std::string_view text, const JsonLimits& limits, EventArray& out) noexcept {
  Scan scan(text, limits);
  out = {};
  if (const JsonError error = begin_array(scan); error != JsonError::kOk) return error;
  if (const JsonError error = scan_name(scan, out); error != JsonError::kOk) return error;
  scan.skip_blanks();
  if (scan.at_end()) return JsonError::kTruncated;
  const bool has_arguments = scan.at_character(',');
  if (!has_arguments && !scan.at_character(']')) return JsonError::kUnexpected;
  scan.step();
  if (!has_arguments) return end_of_text(scan);
  scan.skip_blanks();
  return elements(scan, out.arguments);
}

std::string_view event_name(const EventArray& event, std::string& scratch) {
  if (!event.name_is_number && !event.name_has_escapes) return event.name;
  scratch.clear();
  if (event.name_has_escapes) {
    static_cast<void>(unescape_json_string(event.name, scratch));
    return scratch;
  }
  const double number = json_number(event.name);
  if (!std::isfinite(number)) return event.name;
  append_json_number(scratch, number);
  return scratch;
}

}  // namespace tidewire::base
