#include "base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "base/json_characters.h"
#include "base/utf8.h"

namespace tidewire::base {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

template <typename Integer>
void append_integer(std::string& out, Integer number) {
  std::array<char, 24> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
    case '\\':
      out.push_back('\\');
      out.push_back(c);
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\t':
      out.append("\\t");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\r':
      out.append("\\r");
      return;
    default:
      out.append(c < 0x10 ? "\\u000" : "\\u001");
      out.push_back("0123456789abcdef"[c & 15]);
      return;
  }
}

// The same text with U+FFFD for every byte that is not part of a character.
std::string repaired(std::string_view text) {
  std::string out;
  Utf8Validator validator;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t at = begin;
    do {
      ++at;
    } while (validator.feed(text.substr(at - 1, 1)) && !validator.complete() && at < text.size());
    if (validator.complete()) {
      out.append(text.substr(begin, at - begin));
    } else {
      out.append(kReplacement);
      at = begin + 1;
    }
    validator.reset();
    begin = at;
  }
  return out;
}

// ECMAScript's Number::toString for a finite number: `digits` x 10^(point - count of digits), laid out plainly between
// 1e-6 and 1e21 and with an exponent beyond.
void append_layout(std::string& out, std::string_view digits, int point) {
  const int count = static_cast<int>(digits.size());
  if (point > 21 || point <= -6) {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits.substr(1));
    out.append(point > 0 ? "e+" : "e");
    append_integer(out, point - 1);
  } else if (point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    out.append(digits.substr(0, static_cast<std::size_t>(point)))
        .append(".")
        .append(digits.substr(static_cast<std::size_t>(point)));
  }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const special = skip_plain(at, end);
    out.append(at, special);
    if (special == end) break;
    append_escape(out, *special);
    at = special + 1;
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (valid_utf8(text)) {
    append_json_escaped(out, text);
  } else {
    append_json_escaped(out, repaired(text));
  }
  out.push_back('"');
}

void append_json_number(std::string& out, std::int64_t number) { append_integer(out, number); }
void append_json_number(std::string& out, std::uint64_t number) { append_integer(out, number); }

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out.append("null");
    return;
  }
  if (number == 0) {
    out.push_back('0');  // JavaScript drops the sign of -0
    return;
  }
  // d.ddde[+-]xx, the shortest digits that read back as the same number.
  std::array<char, 32> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  std::string_view scientific(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  if (scientific.starts_with('-')) {
    out.push_back('-');
    scientific.remove_prefix(1);
  }
  const std::size_t mark = scientific.find('e');
  std::array<char, 20> digits{scientific[0]};
  const std::size_t fraction = mark > 2 ? scientific.copy(digits.data() + 1, mark - 2, 2) : 0;
  int exponent = 0;
  const char* const sign = scientific.data() + mark + 1;
  std::from_chars(*sign == '+' ? sign + 1 : sign, end, exponent);
  append_layout(out, std::string_view(digits.data(), 1 + fraction), exponent + 1);
}

}  // namespace tidewire::base
