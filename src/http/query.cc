#include "http/query.h"

#include "http/characters.h"

namespace tidewire::http {
namespace {

// The byte that text[at] = '%' escapes; -1 if it is no escape.
int escaped_byte(std::string_view text, std::size_t at) noexcept {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Reads one decoded character and moves on.
char next_decoded(std::string_view text, std::size_t& at) noexcept {
  const int byte = text[at] == '%' ? escaped_byte(text, at) : -1;
  const char c = byte >= 0 ? static_cast<char>(byte) : text[at] == '+' ? ' ' : text[at];
  at += byte >= 0 ? 3 : 1;
  return c;
}

bool decodes_to(std::string_view text, std::string_view key) noexcept {
  std::size_t at = 0;
  for (const char c : key) {
    if (at >= text.size() || next_decoded(text, at) != c) return false;
  }
  return at == text.size();
}

}  // namespace

std::optional<std::string_view> Query::raw(std::string_view key) const noexcept {
  std::optional<std::string_view> found;
  for_each_raw([&](std::string_view name, std::string_view value) {
    if (decodes_to(name, key)) found = value;
  });
  return found;
}

std::string Query::value(std::string_view key) const {
  const std::optional<std::string_view> found = raw(key);
  return found ? decode_form(*found) : std::string();
}

void decode_form(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size());
  for (std::size_t at = 0; at < text.size();) out.push_back(next_decoded(text, at));
}

std::string decode_form(std::string_view text) {
  std::string out;
  decode_form(text, out);
  return out;
}

bool decode_path(std::string_view text, std::string& out) {
  const std::size_t before = out.size();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out.push_back(text[at]);
      continue;
    }
    const int byte = escaped_byte(text, at);
    if (byte < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(byte));
    at += 2;
  }
  return true;
}

}  // namespace tidewire::http
