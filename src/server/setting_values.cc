// read_setting and set_from_text of server/settings_table.h: values into fields. Kinds and ranges are checked by
// ConfigReader, whatever the source, so that a complaint reads alike everywhere.
#include <algorithm>
#include <charconv>
#include <optional>

#include "server/config_file.h"
#include "server/settings_table.h"

namespace tidewire::server {
namespace {

template <typename T>
constexpr bool is_whole = std::integral<T> && !std::same_as<T, bool>;

template <typename Number>
void read_number(const SettingRow& row, ConfigReader& table, Number& field) {
  const std::int64_t now = static_cast<std::int64_t>(field);
  std::int64_t number = now;
  switch (row.kind) {
    case SettingKind::kMilliseconds: number = table.duration_ms(row.key, now, row.range); break;
    case SettingKind::kSeconds: number = table.duration_s(row.key, now, row.range); break;
    case SettingKind::kBytes: number = table.size_bytes(row.key, now, row.range); break;
    default: number = table.number(row.key, now, row.range);
  }
  field = static_cast<Number>(number);  // each row's range fits its field
}

template <typename Enumeration>
void read_word(const SettingRow& row, ConfigReader& table, Enumeration& field) {
  const std::string word = table.choice(row.key, row.choices, row.choices[static_cast<std::size_t>(field)]);
  const auto at = std::ranges::find(row.choices, word) - row.choices.begin();
  field = static_cast<Enumeration>(at);
}

void read_texts(const SettingRow& row, ConfigReader& table, std::vector<std::string>& field) {
  field = table.texts(row.key, field);
  if (row.choices.empty()) return;
  std::string list;
  for (const std::string_view each : row.choices) list.append(list.empty() ? "" : ", ").append(each);
  for (const std::string& text : field) {
    if (std::ranges::find(row.choices, text) != row.choices.end()) continue;
    table.complain(row.key, "has \"" + text + "\"; it may have " + list + suggestion(text, row.choices));
  }
}

void read_map(const SettingRow& row, ConfigReader& table, std::map<std::string, std::string>& field) {
  const ConfigNode* node = table.table(row.key);
  if (node == nullptr) return;
  field.clear();
  for (const ConfigNode::Member& member : node->members()) {
    if (const auto text = member.value.as_text()) {
      field.emplace(member.key, *text);
    } else {
      table.complain(row.key,
                     "must have text for \"" + member.key + "\", not " + std::string(kind_name(member.value.kind())));
    }
  }
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::optional<bool> parse_flag(std::string_view text) {
  for (const std::string_view word : {"true", "1", "yes", "on"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"false", "0", "no", "off"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool all = error == std::errc() && end == text.data() + text.size();
  return all ? std::optional(number) : std::nullopt;
}

// The node that a file would have for what `text` says; nullopt after a complaint.
class TextReader {
 public:
  TextReader(const SettingRow& row, const std::string& origin, ConfigErrors& errors)
      : path_(name_of(row)), source_{.origin = origin}, errors_(errors) {}

  std::optional<ConfigNode> read(SettingKind kind, std::string_view text) {
    switch (kind) {
      case SettingKind::kFlag:
        if (const auto flag = parse_flag(text)) return ConfigNode(*flag, path_, source_);
        return refuse(text, "true or false");
      case SettingKind::kNumber:
        if (const auto number = parse_whole(text)) return ConfigNode(*number, path_, source_);
        return refuse(text, "a whole number");
      case SettingKind::kMilliseconds:
      case SettingKind::kSeconds:
      case SettingKind::kBytes:
        if (const auto number = parse_whole(text)) return ConfigNode(*number, path_, source_);
        return ConfigNode(std::string(text), path_, source_);
      case SettingKind::kText: return ConfigNode(std::string(text), path_, source_);
      case SettingKind::kTexts: return list(text);
      case SettingKind::kMap: return map(text);
      case SettingKind::kTree: return tree(text);
    }
    return std::nullopt;
  }

 private:
  std::nullopt_t refuse(std::string_view text, std::string_view wanted) {
    errors_.add(source_, path_ + " is \"" + std::string(text) + "\"; it must be " + std::string(wanted));
    return std::nullopt;
  }

  ConfigNode list(std::string_view text) {
    ConfigNode::List items;
    for (const std::string_view part : split(text)) items.emplace_back(std::string(part), path_, source_);
    return ConfigNode(std::move(items), path_, source_);
  }

  std::optional<ConfigNode> map(std::string_view text) {
    ConfigNode::Table members;
    for (const std::string_view part : split(text)) {
      const std::size_t equals = part.find('=');
      if (equals == std::string_view::npos) return refuse(text, "written as name=value,name=value");
      const std::string_view value = trimmed(part.substr(equals + 1));
      members.push_back({std::string(trimmed(part.substr(0, equals))), ConfigNode(std::string(value), path_, source_)});
    }
    return ConfigNode(std::move(members), path_, source_);
  }

  std::optional<ConfigNode> tree(std::string_view text) { return parse_json(text, path_, source_.origin, errors_); }

  const std::string path_;
  const ConfigSource source_;
  ConfigErrors& errors_;
};

}  // namespace

void read_setting(const SettingRow& row, ConfigReader& table, Settings& settings) {
  std::visit(
      [&](auto* field) {
        using Field = std::remove_pointer_t<decltype(field)>;
        if constexpr (is_whole<Field>) {
          read_number(row, table, *field);
        } else if constexpr (std::same_as<Field, bool>) {
          *field = table.flag(row.key, *field);
        } else if constexpr (std::is_enum_v<Field>) {
          read_word(row, table, *field);
        } else if constexpr (std::same_as<Field, std::string>) {
          *field = row.choices.empty() ? table.text(row.key, *field) : table.choice(row.key, row.choices, *field);
        } else if constexpr (std::same_as<Field, std::vector<std::string>>) {
          read_texts(row, table, *field);
        } else if constexpr (std::same_as<Field, std::map<std::string, std::string>>) {
          read_map(row, table, *field);
        } else {
          // Whatever is wrong inside is said by who owns it; that it is a list of tables is said here.
          const ConfigNode* node = table.node(row.key);
          table.tables(row.key);
          if (node != nullptr) *field = *node;
        }
      },
      row.field(settings));
}

bool set_from_text(const SettingRow& row, std::string_view text, const std::string& origin, Settings& settings,
                   ConfigErrors& errors) {
  std::optional<ConfigNode> node = TextReader(row, origin, errors).read(row.kind, text);
  if (!node) return false;
  const std::size_t before = errors.lines().size() + errors.left_out();
  const ConfigNode table(ConfigNode::Table{{std::string(row.key), std::move(*node)}}, std::string(row.section),
                         ConfigSource{.origin = origin});
  ConfigReader reader(table, errors);
  read_setting(row, reader, settings);
  return errors.lines().size() + errors.left_out() == before;
}

}  // namespace tidewire::server
