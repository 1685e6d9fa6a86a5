#include "server/settings_print.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "server/settings_check.h"

namespace tidewire::server {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 4> kDurations = {{{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::int64_t kKi = 1024;
constexpr std::array<Unit, 7> kSizes = {{{"GiB", kKi* kKi* kKi},
                                         {"GB", 1'000'000'000},
                                         {"MiB", kKi* kKi},
                                         {"MB", 1'000'000},
                                         {"KiB", kKi},
                                         {"KB", 1000},
                                         {"B", 1}}};

// In the largest unit that leaves no rest; zero is a bare number.
std::string measure(std::int64_t number, std::span<const Unit> units) {
  if (number == 0) return "0";
  const auto unit = std::ranges::find_if(units, [number](const Unit& each) { return number % each.factor == 0; });
  return "\"" + std::to_string(number / unit->factor) + std::string(unit->name) + "\"";
}

std::string print_number(SettingKind kind, std::int64_t number) {
  // A minute of milliseconds reads well as "60s", an hour of seconds as "1h".
  if (kind == SettingKind::kMilliseconds) {
    return measure(number, number % 3'600'000 == 0 ? std::span(kDurations) : std::span(kDurations).subspan(2));
  }
  if (kind == SettingKind::kSeconds) {
    return measure(number * 1000, number % 3600 == 0 ? std::span(kDurations) : std::span(kDurations).subspan(2));
  }
  if (kind == SettingKind::kBytes) return measure(number, kSizes);
  return std::to_string(number);
}

std::string print_key(std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string(key) : toml_quoted(key);
}

std::string print_real(double real) {
  if (std::isnan(real)) return "nan";
  if (std::isinf(real)) return real > 0 ? "inf" : "-inf";
  std::string text = Value(real).to_json();
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Keys of trees whose text is not for the eyes of who reads a terminal, whichever part owns the tree.
bool is_secret_key(std::string_view key) {
  std::string name(key);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name.ends_with("_file")) return false;
  if (name == "key" || name == "k" || name == "d") return true;  // of an API key; of a JSON Web Key
  const std::array<std::string_view, 5> parts = {"secret", "token", "password", "authorization", "private"};
  return std::ranges::any_of(parts, [&name](std::string_view part) { return name.find(part) != std::string::npos; });
}

// https://user:password@host
bool has_user_information(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority = text.substr(scheme + 3, text.find_first_of("/?#", scheme + 3) - scheme - 3);
  return authority.find('@') != std::string_view::npos;
}

// A value on one line. Depth is bounded by whoever built the tree.
std::string print_node(const ConfigNode& node, bool secret) {
  switch (node.kind()) {
    case ConfigNode::Kind::kNone: return "\"\"";
    case ConfigNode::Kind::kFlag: return *node.as_flag() ? "true" : "false";
    case ConfigNode::Kind::kInteger: return std::to_string(*node.as_integer());
    case ConfigNode::Kind::kReal: return print_real(*node.as_real());
    case ConfigNode::Kind::kText:
      return toml_quoted(secret || has_user_information(*node.as_text()) ? kSecretMask : *node.as_text());
    case ConfigNode::Kind::kList: break;
    case ConfigNode::Kind::kTable: break;
  }
  std::string out;
  for (const ConfigNode& item : node.items()) out.append(out.empty() ? "" : ", ").append(print_node(item, secret));
  if (node.is_list()) return "[" + out + "]";
  for (const ConfigNode::Member& member : node.members()) {
    out.append(out.empty() ? "" : ", ").append(print_key(member.key)).append(" = ");
    out.append(print_node(member.value, secret || is_secret_key(member.key)));
  }
  return "{" + out + "}";
}

std::string print_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(toml_quoted(text));
  return "[" + out + "]";
}

std::string print_map(const std::map<std::string, std::string>& map) {
  std::string out;
  for (const auto& [key, value] : map) {
    out.append(out.empty() ? "" : ", ").append(print_key(key)).append(" = ").append(toml_quoted(value));
  }
  return "{" + out + "}";
}

class Printer {
 public:
  Printer(Settings& settings, const ProvenanceMap& provenance) : settings_(settings), provenance_(provenance) {}

  std::string run() {
    out_ = "# What is in force, and where it was said.\n\n";
    lines("");
    for (const std::string_view section : settings_sections()) {
      out_.append("\n[").append(section).append("]\n");
      lines(section);
      trees(section);
    }
    trees("");
    return std::move(out_);
  }

 private:
  static const ConfigNode* tree_of(const SettingRow& row, Settings& settings) {
    return row.kind == SettingKind::kTree ? std::get<ConfigNode*>(row.field(settings)) : nullptr;
  }

  void came_from(const SettingRow& row) {
    const auto found = provenance_.find(name_of(row));
    out_.append("  # ").append(found == provenance_.end() ? "default" : found->second.text).append("\n");
  }

  void lines(std::string_view section) {
    for (const SettingRow& row : settings_table()) {
      if (row.section != section) continue;
      const ConfigNode* tree = tree_of(row, settings_);
      if (tree != nullptr && (tree->is_none() || !tree->items().empty())) continue;  // below, or nowhere
      out_.append(row.key).append(" = ").append(tree != nullptr ? "[]" : print_value(row, settings_));
      came_from(row);
    }
  }

  void trees(std::string_view section) {
    for (const SettingRow& row : settings_table()) {
      const ConfigNode* tree = row.section == section ? tree_of(row, settings_) : nullptr;
      if (tree == nullptr) continue;
      for (const ConfigNode& item : tree->items()) {
        out_.append("\n[[").append(name_of(row)).append("]]");
        came_from(row);
        for (const ConfigNode::Member& member : item.members()) {
          out_.append(print_key(member.key))
              .append(" = ")
              .append(print_node(member.value, is_secret_key(member.key)))
              .append("\n");
        }
      }
    }
  }

  Settings& settings_;
  const ProvenanceMap& provenance_;
  std::string out_;
};

}  // namespace

std::string toml_quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      out.append("\\").push_back(character);
    } else if (character == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    } else {
      out.push_back(character);
    }
  }
  return out + "\"";
}

std::string print_value(const SettingRow& row, Settings& settings) {
  return std::visit(
      [&row](auto* field) -> std::string {
        using Field = std::remove_pointer_t<decltype(field)>;
        if constexpr (std::same_as<Field, bool>) {
          return *field ? "true" : "false";
        } else if constexpr (std::integral<Field>) {
          return print_number(row.kind, static_cast<std::int64_t>(*field));
        } else if constexpr (std::is_enum_v<Field>) {
          return toml_quoted(row.choices[static_cast<std::size_t>(*field)]);
        } else if constexpr (std::same_as<Field, std::string>) {
          return toml_quoted(row.secret && !field->empty() ? kSecretMask : std::string_view(*field));
        } else if constexpr (std::same_as<Field, std::vector<std::string>>) {
          return print_texts(*field);
        } else if constexpr (std::same_as<Field, ConfigNode>) {
          return print_node(*field, row.secret);
        } else {
          return print_map(*field);
        }
      },
      row.field(settings));
}

std::string print_settings(Settings settings, const ProvenanceMap& provenance) { return Printer(settings, provenance).run(); }

}  // namespace tidewire::server
