#include "policy/json_pointer.h"

#include <algorithm>

#include "base/json_characters.h"

namespace tidewire::policy {
namespace {

std::string unescape_pointer(std::string_view token) {
  std::string out;
  for (std::size_t at = 0; at < token.size(); ++at) {
    const bool escape = token[at] == '~' && at + 1 < token.size() && (token[at + 1] == '0' || token[at + 1] == '1');
    out += escape ? (token[++at] == '0' ? '~' : '/') : token[at];
  }
  return out;
}

}  // namespace

void append_pointer(std::string& pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~' || c == '/') {
      pointer += c == '~' ? "~0" : "~1";
    } else {
      pointer += c;
    }
  }
}

std::optional<std::string> decode_fragment(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (text.size() - at < 3) return std::nullopt;
    const int high = base::hex_value(text[at + 1]), low = base::hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

const Value* resolve_pointer(const Value& root, std::string_view pointer) {
  const Value* at = &root;
  while (!pointer.empty() && at != nullptr) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string token = unescape_pointer(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (at->is_array()) {
      const bool index = !token.empty() && token.size() <= 6 && std::ranges::all_of(token, base::is_digit);
      const std::size_t number = index ? std::stoul(token) : at->size();
      at = number < at->size() ? &at->items()[number] : nullptr;
    } else {
      at = at->find(token);
    }
  }
  return at;
}

}  // namespace tidewire::policy
