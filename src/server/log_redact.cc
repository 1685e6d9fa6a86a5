// server/log_redact.cc - the text as runs of word characters and what is between them:
//
//   word   = 1*( letter / digit / "-" / "_" )                 also the characters of base64url
//   jwt    = [ word chars ] "eyJ" *word-char 1*( "." word )
//   named  = word [ ["\"] quote ] blanks ( "=" / ":" / "%3D" / "%3A" ) blanks value
//   value  = [ "\" ] quote ... the same quote  /  the rest of the line (authorization, cookie)
//          / [ ( "Bearer" / "Basic" / "Digest" / "Token" ) blanks ] characters up to a separator
#include "server/log_redact.h"

#include <algorithm>
#include <array>

#include "base/json_characters.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kStars = "***";
constexpr std::array<std::string_view, 10> kSecretNames = {"token", "access_token", "auth", "api_key", "apikey",
                                                           "password", "secret", "sid", "authorization", "cookie"};
constexpr std::array<std::string_view, 4> kSchemes = {"bearer", "basic", "digest", "token"};

constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr char folded(char c) noexcept { return is_upper(c) ? static_cast<char>(c | 0x20) : c == '-' ? '_' : c; }
constexpr bool is_word(char c) noexcept {
  const char lower = folded(c);
  return (lower >= 'a' && lower <= 'z') || base::is_digit(c) || lower == '_';
}
constexpr bool is_quote(char c) noexcept { return c == '"' || c == '\''; }
// Ends a value that has no quotes.
constexpr bool is_separator(char c) noexcept {
  return static_cast<unsigned char>(c) <= ' ' || std::string_view("&;,\"'<>#)]}|").find(c) != std::string_view::npos;
}

bool equal_folded(std::string_view text, std::string_view lower) noexcept {
  return std::ranges::equal(text, lower, {}, folded);
}

// Whether `name` is `secret`, or its last word or words are: client_secret, x-api-key, refreshToken.
bool ends_in(std::string_view name, std::string_view secret) noexcept {
  if (name.size() < secret.size()) return false;
  const std::size_t begin = name.size() - secret.size();
  if (!equal_folded(name.substr(begin), secret)) return false;
  return begin == 0 || folded(name[begin - 1]) == '_' || (is_upper(name[begin]) && !is_upper(name[begin - 1]));
}

class Redaction {
 public:
  explicit Redaction(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) {
      if (is_word(text_[at_])) {
        word();
      } else if (text_.substr(at_).starts_with("://")) {
        copy_to(at_ + 3);
        user_info();
      } else {
        copy_to(at_ + (escape_at(at_) ? 3 : 1));
      }
    }
    return std::move(out_);
  }

 private:
  bool ended(std::size_t at) const noexcept { return at >= text_.size(); }
  bool escape_at(std::size_t at) const noexcept {
    return at + 2 < text_.size() && text_[at] == '%' && base::hex_value(text_[at + 1]) >= 0 && base::hex_value(text_[at + 2]) >= 0;
  }
  std::size_t word_end(std::size_t at) const noexcept {
    while (!ended(at) && is_word(text_[at])) ++at;
    return at;
  }
  std::size_t blanks_end(std::size_t at) const noexcept {
    while (!ended(at) && (text_[at] == ' ' || text_[at] == '\t')) ++at;
    return at;
  }
  void copy_to(std::size_t end) {
    out_.append(text_.substr(at_, end - at_));
    at_ = end;
  }
  void hide_to(std::size_t end) {
    if (end > at_) out_.append(kStars);
    at_ = end;
  }

  void word() {
    const std::size_t end = word_end(at_);
    const std::string_view name = text_.substr(at_, end - at_);
    if (const std::size_t token = name.find("eyJ"); token != std::string_view::npos) {
      std::size_t parts_end = end;
      while (parts_end + 1 < text_.size() && text_[parts_end] == '.' && is_word(text_[parts_end + 1])) parts_end = word_end(parts_end + 1);
      if (parts_end != end) {
        copy_to(at_ + token);
        return hide_to(parts_end);
      }
    }
    copy_to(end);
    if (!names_secret(name)) return;
    const std::size_t value = value_begin(end);
    if (value == end) return;
    copy_to(value);
    hide_value(ends_in(name, "authorization") || ends_in(name, "cookie"));
  }

  // Behind the '=' or ':' that follows a name ending at `end`; `end` if there is none.
  std::size_t value_begin(std::size_t end) const noexcept {
    std::size_t at = end;
    if (!ended(at) && text_[at] == '\\') ++at;
    if (!ended(at) && is_quote(text_[at])) ++at;
    at = blanks_end(at);
    if (ended(at)) return end;
    if (text_[at] == '=' || text_[at] == ':') return blanks_end(at + 1);
    if (escape_at(at) && text_[at + 1] == '3' && (folded(text_[at + 2]) == 'd' || folded(text_[at + 2]) == 'a')) return at + 3;
    return end;
  }

  void hide_value(bool whole_line) {
    const bool escaped = at_ + 1 < text_.size() && text_[at_] == '\\' && is_quote(text_[at_ + 1]);
    if (escaped) copy_to(at_ + 1);
    if (!ended(at_) && is_quote(text_[at_])) {
      const char quote = text_[at_];
      copy_to(at_ + 1);
      return hide_to(quoted_end(quote, escaped));
    }
    if (whole_line) return hide_to(std::min(text_.find_first_of("\r\n\"", at_), text_.size()));
    std::size_t end = at_;
    const std::size_t scheme_end = word_end(at_);
    const std::string_view scheme = text_.substr(at_, scheme_end - at_);
    const bool has_scheme = std::ranges::any_of(kSchemes, [&](std::string_view known) { return equal_folded(scheme, known); });
    if (has_scheme) end = blanks_end(scheme_end);
    while (!ended(end) && !is_separator(text_[end])) ++end;
    hide_to(end);
  }

  // The place of the closing quote. Behind an escaped opening quote it is escaped too, as in JSON within JSON.
  std::size_t quoted_end(char quote, bool escaped) const noexcept {
    std::size_t at = at_;
    while (!ended(at) && text_[at] != quote) {
      if (text_[at] == '\\') {
        if (escaped && at + 1 < text_.size() && text_[at + 1] == quote) return at;
        ++at;
      }
      ++at;
    }
    return std::min(at, text_.size());
  }

  // Behind "://": user and password, if an '@' says that there are.
  void user_info() {
    std::size_t end = at_;
    std::size_t last_at_sign = at_;
    while (!ended(end) && text_[end] != '/' && text_[end] != '?' && text_[end] != '#' && static_cast<unsigned char>(text_[end]) > ' ') {
      if (text_[end] == '@') last_at_sign = end;
      ++end;
    }
    hide_to(last_at_sign);
  }

  const std::string_view text_;
  std::size_t at_ = 0;  // everything before is in out_, or hidden
  std::string out_;
};

}  // namespace

bool names_secret(std::string_view name) noexcept {
  return std::ranges::any_of(kSecretNames, [&](std::string_view secret) { return ends_in(name, secret); });
}

std::string redact(std::string_view text) { return Redaction(text).run(); }

}  // namespace tidewire::server
