#include "policy/json_string.h"

#include <algorithm>

#include "base/json_characters.h"
#include "base/json_reader.h"

namespace tidewire::policy {
namespace {

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

JsonString json_string(const Value& value) {
  const std::string_view text = *value.as_string();
  // Only a text with a backslash can be an escaped one, and then it differs from the plain string of these characters.
  return {text, text.find('\\') != std::string_view::npos && !(value == Value(text))};
}

std::string_view JsonString::readable(std::string& scratch) const {
  if (!escaped) return text;
  scratch.clear();
  base::unescape_json_string(text, scratch);
  return scratch;
}

std::size_t JsonString::length() const noexcept {
  if (!escaped) return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
  std::size_t count = 0;
  bool after_high = false;  // behind the escape of a first half
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (continues(text[at])) continue;
    const std::string_view rest = text.substr(at);
    const bool unit = rest.starts_with("\\u") && rest.size() >= 6;
    const int first = unit ? base::hex_value(rest[2]) : 0, second = unit ? base::hex_value(rest[3]) : 0;
    const bool low = first == 0xd && second >= 0xc;
    if (!(after_high && low)) ++count;
    after_high = first == 0xd && second >= 0x8 && second < 0xc;
    if (rest.front() == '\\') at += unit ? 5 : 1;
  }
  return count;
}

}  // namespace tidewire::policy
