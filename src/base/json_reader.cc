// base/json_reader.cc - no check here may fail: whatever is read was scanned. Ends of text are looked at all the same,
// so that a broken promise reads a wrong value, never foreign memory.
#include "base/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>

#include "base/assert.h"
#include "base/json_characters.h"

namespace tidewire::base {
namespace {

bool is_separator(char c) noexcept { return is_blank(c) || c == ',' || c == ':'; }

std::string_view between(const char* begin, const char* end) noexcept {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// `at` is behind the opening quote; the closing quote, or `end`.
const char* string_end(const char* at, const char* end) noexcept {
  for (;;) {
    at = skip_plain(at, end);
    if (at == end || *at == '"') return at;
    at += std::min<std::ptrdiff_t>(*at == '\\' ? 2 : 1, end - at);
  }
}

// Just behind the string that begins at `at`.
const char* behind_string(const char* at, const char* end) noexcept {
  at = string_end(at + 1, end);
  return at == end ? end : at + 1;
}

// Just behind a number, true, false or null.
const char* behind_word(const char* at, const char* end) noexcept {
  return std::find_if(at, end, [](char c) { return is_separator(c) || c == ']' || c == '}'; });
}

// Just behind the value that begins at `at`.
const char* behind_value(const char* at, const char* end) noexcept {
  if (at == end) return end;
  if (*at == '"') return behind_string(at, end);
  if (*at != '[' && *at != '{') return behind_word(at, end);
  std::size_t depth = 0;
  while (at != end) {
    const char c = *at;
    if (c == '"') {
      at = behind_string(at, end);
      continue;
    }
    ++at;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) break;
  }
  return at;
}

const char* skip_separators(const char* at, const char* end) noexcept {
  while (at != end && is_separator(*at)) ++at;
  return at;
}

unsigned hex4(const char* digits) noexcept {
  unsigned unit = 0;
  for (int i = 0; i < 4; ++i) unit = unit << 4 | static_cast<unsigned>(hex_value(digits[i]));
  return unit;
}

void append_utf8(unsigned point, std::string& out) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 63));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 63));
    put(0x80 | (point & 63));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 63));
    put(0x80 | (point >> 6 & 63));
    put(0x80 | (point & 63));
  }
}

// `rest` begins with \uXXXX. Appends the character, a whole pair if there is one; returns how many characters that
// took, and clears `whole` for half a pair.
std::size_t unescape_unit(std::string_view rest, std::string& out, bool& whole) {
  const unsigned unit = hex4(rest.data() + 2);
  if (unit < 0xd800 || unit > 0xdfff) {
    append_utf8(unit, out);
    return 6;
  }
  if (unit < 0xdc00 && rest.size() >= 12 && rest[6] == '\\' && rest[7] == 'u') {
    const unsigned low = hex4(rest.data() + 8);
    if (low >= 0xdc00 && low <= 0xdfff) {
      append_utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
      return 12;
    }
  }
  out.append(rest.substr(0, 6));
  whole = false;
  return 6;
}

char unescaped(char c) noexcept {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // quote, backslash, slash stand for themselves
  }
}

}  // namespace

JsonKind json_kind(std::string_view text) noexcept {
  const auto first = std::find_if_not(text.begin(), text.end(), is_blank);
  TW_ASSERT(first != text.end());
  switch (*first) {
    case 'n':
      return JsonKind::kNull;
    case 't':
    case 'f':
      return JsonKind::kBool;
    case '"':
      return JsonKind::kString;
    case '[':
      return JsonKind::kArray;
    case '{':
      return JsonKind::kObject;
    default:
      return JsonKind::kNumber;
  }
}

bool unescape_json_string(std::string_view raw, std::string& out) {
  bool whole = true;
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t backslash = std::min(raw.find('\\', at), raw.size());
    out.append(raw.substr(at, backslash - at));
    at = backslash;
    if (at == raw.size()) break;
    if (raw[at + 1] == 'u') {
      at += unescape_unit(raw.substr(at), out, whole);
    } else {
      out.push_back(unescaped(raw[at + 1]));
      at += 2;
    }
  }
  return whole;
}

double json_number(std::string_view number) noexcept {
  double value = 0;
  const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  static_cast<void>(rest);
  if (error != std::errc::result_out_of_range) return value;
  // Too large or too small: the mantissa is far shorter than the exponent is large, so the exponent's sign tells which.
  const double magnitude =
      number.find('-', 1) == std::string_view::npos ? std::numeric_limits<double>::infinity() : 0.0;
  return number.starts_with('-') ? -magnitude : magnitude;
}

bool ArgumentCursor::next(std::string_view& argument) noexcept {
  const char* const end = rest_.data() + rest_.size();
  const char* const begin = skip_separators(rest_.data(), end);
  if (begin == end) {
    rest_ = {};
    return false;
  }
  const char* const behind = behind_value(begin, end);
  argument = between(begin, behind);
  rest_ = between(behind, end);
  return true;
}

MemberCursor::MemberCursor(std::string_view object) noexcept {
  const std::size_t open = object.find('{');
  const std::size_t close = object.rfind('}');
  TW_ASSERT(open != std::string_view::npos && close != std::string_view::npos);
  rest_ = object.substr(open + 1, close - open - 1);
}

bool MemberCursor::next(std::string_view& raw_key, std::string_view& value) noexcept {
  ArgumentCursor cursor(rest_);  // a key and its value are two values with a colon between
  if (!cursor.next(raw_key)) return false;
  raw_key = raw_key.substr(1, raw_key.size() - 2);
  static_cast<void>(cursor.next(value));
  rest_ = cursor.rest();
  return true;
}

JsonToken JsonReader::next() noexcept {
  at_ = skip_separators(at_, end_);
  JsonToken token;
  token.begin = at_;
  if (at_ == end_) return token;
  switch (*at_) {
    case '[':
    case ']':
    case '{':
    case '}':
      token.kind = *at_ == '['   ? JsonToken::kBeginArray
                   : *at_ == ']' ? JsonToken::kEndArray
                   : *at_ == '{' ? JsonToken::kBeginObject
                                 : JsonToken::kEndObject;
      ++at_;
      return token;
    case '"': {
      const char* const closing = string_end(at_ + 1, end_);
      token.text = between(at_ + 1, closing);
      at_ = closing == end_ ? end_ : closing + 1;
      const char* follower = at_;
      while (follower != end_ && is_blank(*follower)) ++follower;
      token.kind = follower != end_ && *follower == ':' ? JsonToken::kKey : JsonToken::kString;
      return token;
    }
    default:
      at_ = behind_word(at_, end_);
      token.text = between(token.begin, at_);
      token.kind = token.text == "null"    ? JsonToken::kNull
                   : token.text == "true"  ? JsonToken::kTrue
                   : token.text == "false" ? JsonToken::kFalse
                                           : JsonToken::kNumber;
      return token;
  }
}

}  // namespace tidewire::base
