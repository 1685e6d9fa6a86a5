#include "policy/excerpt.h"

namespace tidewire::policy {
namespace {

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Each by a question mark: below U+0020, U+007F, and the two bytes of U+0080 to U+009F.
void replace_controls(std::string& text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) text[i] = '?';
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) text[i] = text[i + 1] = '?';
  }
}

}  // namespace

std::string excerpt(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kCut = "...";
  std::string out;
  if (text.size() <= bytes_max) {
    out = text;
  } else {
    std::size_t end = bytes_max - kCut.size();
    while (end > 0 && continues(text[end])) --end;
    out.append(text.substr(0, end)).append(kCut);
  }
  replace_controls(out);
  return out;
}

std::string quoted(std::string_view text, std::size_t bytes_max) { return '"' + excerpt(text, bytes_max) + '"'; }

}  // namespace tidewire::policy
