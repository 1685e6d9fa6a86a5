// base/json_reader.h - looks inside a JSON text that was scanned before (base/json_scanner.h), trusting that scan.
//
// Two ways: cursors step over whole arguments or members and yield their text; JsonReader yields every token.
// Lifetime: views of the text. Threads: one cursor, one thread.
// Why not part of the scanner: that runs on every message and yields as little as possible; this runs when somebody
// asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidewire::base {

// Which kind of value a text holds, by its first character that is no blank. REQUIRES: scanned.
enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
JsonKind json_kind(std::string_view text) noexcept;

// Appends the string whose text between the quotes is `raw`. Half a surrogate pair cannot be UTF-8: its escape is then
// kept as it stands (\ud83d, six characters) and the answer is false: to write such a string back, keep `raw`.
bool unescape_json_string(std::string_view raw, std::string& out);

// The nearest double; infinite or zero beyond the range, as in JavaScript.
double json_number(std::string_view number) noexcept;

// Walks `a,b,c`, or what stands between the brackets of an array.
class ArgumentCursor {
 public:
  explicit ArgumentCursor(std::string_view arguments) noexcept : rest_(arguments) {}
  // The text of the next argument without blanks around; false at the end.
  bool next(std::string_view& argument) noexcept;
  // What follows the last argument, its comma included.
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

// Walks the members of an object in the order they stand. A key may come twice: the last one counts.
class MemberCursor {
 public:
  // REQUIRES: json_kind(object) == JsonKind::kObject
  explicit MemberCursor(std::string_view object) noexcept;
  // The key between its quotes, still escaped, and the text of the value without blanks around; false at the end.
  bool next(std::string_view& raw_key, std::string_view& value) noexcept;

 private:
  std::string_view rest_;
};

struct JsonToken {
  enum Kind : std::uint8_t {
    kEnd,
    kNull,
    kTrue,
    kFalse,
    kNumber,
    kString,
    kKey,
    kBeginArray,
    kEndArray,
    kBeginObject,
    kEndObject
  };
  Kind kind = kEnd;
  std::string_view text;        // kNumber: its characters; kString, kKey: between the quotes, still escaped
  const char* begin = nullptr;  // the first character of the token, a quote included
};

// REQUIRES: scanned, or the `a,b,c` of a scanned array.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) noexcept : at_(text.data()), end_(text.data() + text.size()) {}

  // The next token; kEnd for ever at the end of the text. Commas and colons are no tokens.
  JsonToken next() noexcept;
  // Just behind the last token.
  const char* position() const noexcept { return at_; }

 private:
  const char* at_;
  const char* const end_;
};

}  // namespace tidewire::base
