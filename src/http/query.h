// http/query.h - a query string (or form body) read as browsers write it: pairs, escapes, the last value of a key wins.
//
// A view: nothing is decoded before it is asked for. Bad escapes stay as they are, as in Node's querystring.
// Limits: kQueryPairsMax pairs are looked at; a value is at most as long as its text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tidewire::http {

inline constexpr std::size_t kQueryPairsMax = 1000;

class Query {
 public:
  explicit Query(std::string_view text) noexcept : text_(text) {}

  // The value as received, escapes included; none if the key is absent. Without allocation, for values that need no escape.
  std::optional<std::string_view> raw(std::string_view key) const noexcept;
  bool has(std::string_view key) const noexcept { return raw(key).has_value(); }
  // The decoded value; empty if the key is absent.
  std::string value(std::string_view key) const;

  // Calls take(key, value), both as received, for each pair in order.
  template <typename Take>
  void for_each_raw(Take&& take) const {
    std::string_view rest = text_;
    for (std::size_t pairs = 0; !rest.empty() && pairs < kQueryPairsMax; ++pairs) {
      const std::size_t ampersand = rest.find('&');
      const std::string_view pair = rest.substr(0, ampersand);
      rest.remove_prefix(ampersand == std::string_view::npos ? rest.size() : ampersand + 1);
      if (pair.empty()) continue;
      const std::size_t equals = pair.find('=');
      take(pair.substr(0, equals), equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    }
  }

 private:
  std::string_view text_;
};

// Appends `text` to `out` with %XX and '+' decoded; an escape that is none is copied.
void decode_form(std::string_view text, std::string& out);
std::string decode_form(std::string_view text);

// Appends a path with %XX decoded; false (and `out` unchanged) for a bad escape. '+' stands for itself.
bool decode_path(std::string_view text, std::string& out);

}  // namespace tidewire::http
