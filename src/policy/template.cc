#include "policy/template.h"

#include <algorithm>

#include "base/json_characters.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "policy/excerpt.h"
#include "policy/json_string.h"

namespace tidewire::policy {
namespace {

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || base::is_digit(c) || c == '_' || c == '-' || c == '$';
}

bool is_path(std::string_view path) noexcept {
  char before = '.';
  for (const char c : path) {
    if (c == '.' ? before == '.' : !is_name_character(c)) return false;
    before = c;
  }
  return before != '.';
}

// Takes a text apart, and remembers where it is for the error.
class Parser {
 public:
  Parser(std::string_view text, Template::Use use) noexcept : text_(text), use_(use) {}

  Status run(std::vector<Template::Piece>& pieces) {
    if (text_.empty()) return wrong("is empty");
    if (text_.size() > kTextBytesMax) return wrong("is longer than 512 bytes");
    if (!base::valid_utf8(text_)) return wrong("is not valid UTF-8");
    if (base::has_control_characters(text_)) return wrong("has control characters");
    while (at_ < text_.size()) {
      if (pieces.size() == Template::kPiecesMax) return wrong("more than 16 places");
      pieces.emplace_back();
      if (Status status = piece(pieces.back()); !status.ok()) return status;
    }
    return literals_fit(pieces);
  }

 private:
  static constexpr std::size_t kTextBytesMax = 512;

  Status wrong(std::string_view why) const {
    return Status(StatusCode::kInvalidArgument,
                  quoted(text_, 80) + ": byte " + std::to_string(at_) + ": " + std::string(why));
  }

  Status piece(Template::Piece& piece) {
    const std::size_t brace = std::min(text_.find_first_of("{}", at_), text_.size());
    piece.literal = text_.substr(at_, brace - at_);
    at_ = brace;
    if (at_ == text_.size()) return Status();
    if (text_[at_] == '}') return wrong("a '}' without a '{'");
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) return wrong("the '{' is never closed");
    const std::string_view path = text_.substr(at_ + 1, end - at_ - 1);
    if (!is_path(path) || path.size() > Template::kPathBytesMax) {
      return wrong("between the braces: names of letters, digits, _, - and $, with dots between them, at most 64 bytes");
    }
    piece.path = path;
    at_ = end + 1;
    if (use_ == Template::Use::kRoom && at_ < text_.size() && text_[at_] != ':') {
      return wrong("in a room's name a ':' or the end must follow a '}'");
    }
    return Status();
  }

  // Each place adds at least one byte.
  Status literals_fit(const std::vector<Template::Piece>& pieces) const {
    std::size_t bytes = 0;
    for (const Template::Piece& piece : pieces) bytes += piece.literal.size() + (piece.path.empty() ? 0 : 1);
    return bytes <= base::limits::kRoomNameBytesMax ? Status() : wrong("cannot be filled within 128 bytes");
  }

  const std::string_view text_;
  const Template::Use use_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Template> Template::compile(std::string_view text, Use use) {
  Template result;
  result.text_ = text;
  result.use_ = use;
  if (Status status = Parser(text, use).run(result.pieces_); !status.ok()) return status;
  return result;
}

Status Template::append(const std::string& path, const std::optional<std::string>& value, std::string& out) const {
  const auto refused = [&path](std::string_view why) {
    return Status(StatusCode::kInvalidArgument, "{" + path + "} " + std::string(why));
  };
  if (!value) return refused("is missing, or neither a string nor an integer");
  if (value->empty()) return refused("is empty");
  if (value->size() > kValueBytesMax) return refused("is longer than 128 bytes");
  if (!base::valid_utf8(*value)) return refused("is not valid UTF-8");
  if (base::has_control_characters(*value)) return refused("has control characters");
  if (use_ == Use::kRoom && value->find(':') != std::string::npos) return refused("has a ':', which separates the parts of a room's name");
  out += *value;
  return Status();
}

Status Template::check_whole(const std::string& out) const {
  if (out.size() <= base::limits::kRoomNameBytesMax) return Status();
  return Status(StatusCode::kInvalidArgument, quoted(text_, 80) + " is longer than 128 bytes when filled");
}

std::optional<std::string> value_at(const Value& root, std::string_view path) {
  const Value* at = &root;
  while (at != nullptr && !path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    at = at->find(path.substr(0, dot));
    path.remove_prefix(std::min(path.size(), dot + 1));
  }
  if (at == nullptr) return std::nullopt;
  if (at->is_integer()) return std::string(*at->number_text());
  if (!at->is_string() || json_string(*at).escaped) return std::nullopt;
  return std::string(*at->as_string());
}

}  // namespace tidewire::policy
