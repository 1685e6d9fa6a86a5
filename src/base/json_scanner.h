// base/json_scanner.h - validates and bounds a JSON text in one pass, and says where its parts are. Values stay text.
//
//   ["say","room",{"n":1e400},[1,2]]        scan_event: name = say, arguments = "room",{"n":1e400},[1,2]  count = 3
//     ^name ^arguments............^
//
// The text must already be known to be valid UTF-8 (base/utf8.h). Accepts exactly what JavaScript's JSON.parse accepts,
// less what breaks a bound: depth, nodes, and the length of one number. Numbers are never converted, so they are
// written back verbatim; half a surrogate pair may stand as an escape. No recursion, no allocation, however many
// arguments there are. Lifetime: every view points into the scanned text. Looking inside a scanned text:
// base/json_reader.h. Threads: pure functions. Why not a packaged parser: docs/decisions/json.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace tidewire::base {

struct JsonLimits {
  std::size_t depth =
      limits::kJsonDepthDefault;  // open arrays and objects at once; more than kJsonDepthMax is read as that
  std::size_t nodes = std::numeric_limits<std::size_t>::max();  // values, containers included, keys not
  std::size_t number_bytes = limits::kJsonNumberBytesMax;
};

enum class [[nodiscard]] JsonError : std::uint8_t{
    kOk,
    kEmpty,             // nothing but blanks
    kTruncated,         // the text ends inside the value
    kTrailingData,      // something behind the value
    kUnexpected,        // a character that cannot stand here: NaN, 'single', a comma too many, a byte order mark
    kBadLiteral,        // neither true, false nor null
    kBadNumber,         // 01, +1, 1., .5, 1e
    kNumberTooLong,     // over limits.number_bytes
    kControlCharacter,  // raw, below U+0020, inside a string
    kBadEscape,         // \x, \u12
    kKeyExpected,       // {1:2}, {"a":1,}
    kColonExpected,     // {"a" 1}
    kTooDeep,           // over limits.depth
    kTooManyNodes,      // over limits.nodes
    kNotAnArray,        // scan_event, scan_arguments
    kNoEventName,       // scan_event: the first element is missing, or neither string nor number
};
// For people: the message of a protocol error.
std::string_view json_error_text(JsonError error) noexcept;

// Exactly one value, blanks around it allowed.
JsonError scan_json(std::string_view text, const JsonLimits& limits) noexcept;

// The arguments of an event as they were sent: `a,b,c` without brackets, blanks at both ends cut off.
struct ArgumentsText {
  std::string_view text;
  std::size_t count = 0;
};

struct EventArray {
  std::string_view name;  // between the quotes, still escaped; or the digits of a number
  bool name_is_number = false;
  bool name_has_escapes = false;
  ArgumentsText arguments;
};

// An array that begins with the name of the event. `out` is meaningful only after kOk.
JsonError scan_event(std::string_view text, const JsonLimits& limits, EventArray& out) noexcept;
// The array of an acknowledgement. `out` is meaningful only after kOk.
JsonError scan_arguments(std::string_view text, const JsonLimits& limits, ArgumentsText& out) noexcept;

// The name by which handlers are found: unescaped, a number as JavaScript would print it. A view of the event, or of
// `scratch` if something had to be rewritten.
std::string_view event_name(const EventArray& event, std::string& scratch);

}  // namespace tidewire::base
