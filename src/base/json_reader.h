// base/json_reader.h - the tokens of a JSON text that was scanned before, one by one, trusting that scan.
//
// Threads: one reader, one thread. Lifetime: views of the text. Why not part of the scanner: the scanner runs on every
// message and yields as little as possible; this runs when somebody looks inside.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidewire::base {

struct JsonToken {
  enum Kind : std::uint8_t { kEnd, kNull, kTrue, kFalse, kNumber, kString, kKey, kBeginArray, kEndArray, kBeginObject, kEndObject };
  Kind kind = kEnd;
  bool has_escapes = false;  // kString, kKey
  std::string_view text;     // kNumber: its characters; kString, kKey: between the quotes
  const char* begin = nullptr;  // the first character of the token, a quote included
};

// REQUIRES: the text was scanned with kOk, or is the `a,b,c` of a scanned array.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) noexcept : at_(text.data()), end_(text.data() + text.size()) {}

  // The next token; kEnd for ever at the end of the text. Commas and colons are no tokens.
  JsonToken next() noexcept;
  // Just behind the last token.
  const char* position() const noexcept { return at_; }

 private:
  JsonToken string_token() noexcept;

  const char* at_;
  const char* end_;
};

}  // namespace tidewire::base
