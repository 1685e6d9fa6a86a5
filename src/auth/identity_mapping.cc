#include "auth/identity_mapping.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "auth/numeric_date.h"

namespace tidewire::auth {
namespace {

Status refused(std::string_view claim, std::string_view why) {
  return Status(StatusCode::kInvalidArgument, "claim \"" + std::string(claim) + "\": " + std::string(why));
}

// Null when absent or null.
const Value* present(const Value* claim) noexcept { return claim == nullptr || claim->is_null() ? nullptr : claim; }

const Value* find_claim(const Value& claims, std::string_view name) noexcept {
  if (const Value* verbatim = present(claims.find(name))) return verbatim;
  const Value* at = &claims;
  for (std::size_t dot; at != nullptr && (dot = name.find('.')) != std::string_view::npos;
       name.remove_prefix(dot + 1)) {
    at = at->find(name.substr(0, dot));
  }
  return at == nullptr ? nullptr : present(at->find(name));
}

// C0, DEL and C1, which is C2 80 to C2 9F in UTF-8.
bool has_control_character(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) return true;
  }
  return false;
}

Status check_text(std::string_view claim, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return refused(claim, "longer than " + std::to_string(bytes_max) + " bytes");
  if (has_control_character(text)) return refused(claim, "with a control character");
  return {};
}

// A string, or an integer as its text; nothing for every other value.
std::optional<std::string_view> text_or_integer(const Value& value) noexcept {
  return value.is_integer() ? value.number_text() : value.as_string();
}

struct TextRule {
  std::size_t bytes_max;
  bool integers = false;
};

// The first of the claims that is there and not empty.
Status read_text(const Value& claims, const std::vector<std::string>& names, TextRule rule, std::string& out) {
  for (const std::string& name : names) {
    const Value* const claim = find_claim(claims, name);
    if (claim == nullptr) continue;
    const std::optional<std::string_view> text = rule.integers ? text_or_integer(*claim) : claim->as_string();
    if (!text) return refused(name, rule.integers ? "neither a string nor an integer" : "not a string");
    if (Status status = check_text(name, *text, rule.bytes_max); !status.ok()) return status;
    if (text->empty()) continue;
    out = *text;
    return {};
  }
  return {};
}

struct ListRule {
  std::string_view separators;
  bool integers;
  std::size_t count_max;
};

Status add(std::string_view claim, std::string_view text, const ListRule& rule, std::vector<std::string>& out) {
  if (text.empty() || std::ranges::find(out, text) != out.end()) return {};
  if (Status status = check_text(claim, text, Identity::kTextBytesMax); !status.ok()) return status;
  if (out.size() == rule.count_max) return refused(claim, "more than " + std::to_string(rule.count_max));
  out.emplace_back(text);
  return {};
}

Status add_separated(std::string_view claim, std::string_view text, const ListRule& rule,
                     std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(rule.separators), text.size());
    std::string_view item = text.substr(0, end);
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    item.remove_suffix(item.size() - (item.find_last_not_of(' ') + 1));
    if (Status status = add(claim, item, rule, out); !status.ok()) return status;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Status read_list(const Value& claims, const std::vector<std::string>& names, const ListRule& rule,
                 std::vector<std::string>& out) {
  for (const std::string& name : names) {
    const Value* const claim = find_claim(claims, name);
    if (claim == nullptr) continue;
    const auto text_of = [&rule](const Value& value) {
      return rule.integers ? text_or_integer(value) : value.as_string();
    };
    if (const std::optional<std::string_view> text = text_of(*claim)) {
      if (Status status = add_separated(name, *text, rule, out); !status.ok()) return status;
      continue;
    }
    if (!claim->is_array()) return refused(name, "neither a list nor a string");
    for (const Value& item : claim->items()) {
      const std::optional<std::string_view> text = text_of(item);
      if (!text)
        return refused(name, rule.integers ? "with something other than strings and integers"
                                           : "with something other than strings");
      if (Status status = add(name, *text, rule, out); !status.ok()) return status;
    }
  }
  return {};
}

Status read_date(const Value& claims, std::string_view name, std::optional<std::int64_t>& out) {
  const Value* const claim = present(claims.find(name));
  if (claim == nullptr) return {};
  out = numeric_date(*claim);
  return out ? Status() : refused(name, "not a point in time");
}

}  // namespace

Result<Identity> map_claims(const Value& claims, const ClaimMapping& mapping) {
  constexpr TextRule kUserId = {.bytes_max = Identity::kTextBytesMax, .integers = true};
  constexpr TextRule kName = {.bytes_max = Identity::kTextBytesMax};
  constexpr TextRule kLabel = {.bytes_max = Identity::kLabelBytesMax};
  constexpr ListRule kRoles = {.separators = ", ", .integers = false, .count_max = Identity::kRolesMax};
  constexpr ListRule kProjects = {.separators = ",", .integers = true, .count_max = Identity::kProjectsMax};
  if (!claims.is_object()) return Status(StatusCode::kInvalidArgument, "claims are an object");
  Identity identity;
  for (const auto& read : {
           read_text(claims, mapping.user_id, kUserId, identity.user_id),
           read_text(claims, mapping.email, kLabel, identity.email),
           read_text(claims, mapping.name, kLabel, identity.name),
           read_text(claims, mapping.tenant, kName, identity.tenant),
           read_text(claims, {"jti"}, kLabel, identity.token_id),
           read_text(claims, {"iss"}, kLabel, identity.issuer),
           read_list(claims, mapping.roles, kRoles, identity.roles),
           read_list(claims, mapping.projects, kProjects, identity.projects),
           read_date(claims, "iat", identity.issued_at_s),
           read_date(claims, "exp", identity.expires_at_s),
       }) {
    if (!read.ok()) return read;
  }
  identity.claims = claims;
  return identity;
}

}  // namespace tidewire::auth
