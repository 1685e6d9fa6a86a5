#include <algorithm>
#include <cctype>
#include <ctime>

#include "app/core.h"
#include "http/query.h"

namespace tidewire {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// "Fri Nov 20 2026 12:00:00 GMT+0000 (Coordinated Universal Time)": JavaScript's Date in UTC.
std::string date_text(std::int64_t epoch_ms) {
  const std::time_t seconds = static_cast<std::time_t>(epoch_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[80];
  return std::string(text, std::strftime(text, sizeof text, "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", &utc));
}

// The head was parsed strictly when it came: lines end in CRLF, names have no blanks.
void read_head(std::string_view head, Handshake& out) {
  const std::size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first != std::string_view::npos && second != std::string_view::npos) out.url = line.substr(first + 1, second - first - 1);
  for (std::string_view rest = head.substr(std::min(head.size(), line_end + 2)); !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view header = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    const std::size_t colon = header.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = header.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    out.headers.emplace_back(lower_case(header.substr(0, colon)), std::string(value));
  }
}

template <typename Pairs>
std::string_view find_last(const Pairs& pairs, std::string_view key) {
  const auto found = std::find_if(pairs.rbegin(), pairs.rend(), [&](const auto& pair) { return pair.first == key; });
  return found == pairs.rend() ? std::string_view() : std::string_view(found->second);
}

Value to_object(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<Value::Member> members;
  members.reserve(pairs.size());
  for (const auto& [key, value] : pairs) members.push_back({key, value});
  return Value::object(std::move(members));
}

}  // namespace

std::string_view Handshake::header(std::string_view name) const noexcept { return find_last(headers, name); }
std::string_view Handshake::query_value(std::string_view key) const noexcept { return find_last(query, key); }

bool Handshake::query_has(std::string_view key) const noexcept {
  return std::any_of(query.begin(), query.end(), [&](const auto& pair) { return pair.first == key; });
}

Value Handshake::to_value() const {
  return Value::object({{"headers", to_object(headers)},
                        {"time", time},
                        {"address", address},
                        {"xdomain", xdomain},
                        {"secure", secure},
                        {"issued", issued},
                        {"url", url},
                        {"query", to_object(query)},
                        {"auth", auth}});
}

Handshake make_handshake(const hub::ConnectionFacts& facts, std::string_view auth_json) {
  Handshake made;
  made.address = facts.address;
  made.secure = facts.secure;
  made.issued = facts.issued_ms;
  made.time = date_text(facts.issued_ms);
  read_head(facts.request_head, made);
  made.xdomain = !made.header("origin").empty();
  if (const std::size_t question = made.url.find('?'); question != std::string::npos) {
    http::Query(std::string_view(made.url).substr(question + 1)).for_each_raw([&](std::string_view key, std::string_view value) {
      made.query.emplace_back(http::decode_form(key), http::decode_form(value));
    });
  }
  made.auth = auth_json.empty() ? Value::object() : Value::parse(auth_json).value_or(Value::object());
  return made;
}

}  // namespace tidewire
