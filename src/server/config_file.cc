#include "server/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64  // ours is kConfigDepthMax, with a better sentence
#include <toml++/toml.h>

namespace tidewire::server {
namespace {


// Converts while counting what is bounded. After the first bound that breaks it answers with empty nodes only.
class Converter {
 public:
  Converter(const std::string& origin, ConfigErrors& errors) : origin_(origin), errors_(errors) {}

  ConfigNode node(const toml::node& from, std::string path, std::size_t depth) {
    const ConfigSource where = source(from);
    if (const auto* table = from.as_table()) {
      return admit(table->size(), depth, path, where) ? members(*table, path, depth, where) : ConfigNode();
    }
    if (const auto* list = from.as_array()) {
      return admit(list->size(), depth, path, where) ? items(*list, path, depth, where) : ConfigNode();
    }
    if (const auto* text = from.as_string()) return ConfigNode(text->get(), std::move(path), where);
    if (const auto* integer = from.as_integer()) return ConfigNode(integer->get(), std::move(path), where);
    if (const auto* real = from.as_floating_point()) return ConfigNode(real->get(), std::move(path), where);
    if (const auto* flag = from.as_boolean()) return ConfigNode(flag->get(), std::move(path), where);
    return refuse(where, path + " is a date or a time; no key has such a value: write it as text, in quotes");
  }

  ConfigNode node(const Value& from, std::string path, std::size_t depth) {
    const ConfigSource where{.origin = origin_};
    switch (from.kind()) {
      case Value::Kind::kBool: return ConfigNode(*from.as_bool(), std::move(path), where);
      case Value::Kind::kNumber: return number(from, std::move(path), where);
      case Value::Kind::kString: return ConfigNode(std::string(*from.as_string()), std::move(path), where);
      case Value::Kind::kArray:
        return admit(from.size(), depth, path, where) ? items(from, path, depth, where) : ConfigNode();
      case Value::Kind::kObject:
        return admit(from.size(), depth, path, where) ? members(from, path, depth, where) : ConfigNode();
      case Value::Kind::kNull:
      case Value::Kind::kBytes: break;
    }
    return refuse(where, path + " is null; leave out what has no value");
  }

  bool ok() const noexcept { return ok_; }

 private:
  ConfigSource source(const toml::node& from) const {
    const toml::source_position& begin = from.source().begin;
    return {.origin = origin_, .line = begin.line};
  }

  ConfigNode refuse(const ConfigSource& where, const std::string& sentence) {
    if (ok_) errors_.add(where, sentence);
    ok_ = false;
    return {};
  }

  bool admit(std::size_t entries, std::size_t depth, const std::string& path, const ConfigSource& where) {
    nodes_ += entries;
    const std::string name = path.empty() ? "the file" : path;
    if (depth > kConfigDepthMax) {
      refuse(where, name + " is nested more than " + std::to_string(kConfigDepthMax) + " deep");
    } else if (entries > kConfigListEntriesMax) {
      refuse(where, name + " has more than " + std::to_string(kConfigListEntriesMax) + " entries");
    } else if (nodes_ > kConfigNodesMax) {
      refuse(where, "more than " + std::to_string(kConfigNodesMax) + " values in all");
    }
    return ok_;
  }

  static std::string member_path(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }
  static std::string item_path(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
  }

  // toml++ sorts by key; people read complaints from top to bottom.
  ConfigNode members(const toml::table& table, const std::string& path, std::size_t depth, const ConfigSource& where) {
    std::vector<std::pair<const toml::key*, const toml::node*>> order;
    for (const auto& [key, value] : table) order.emplace_back(&key, &value);
    std::ranges::stable_sort(
        order, [](const auto& a, const auto& b) { return a.first->source().begin < b.first->source().begin; });
    ConfigNode::Table members;
    for (const auto& [key, value] : order) {
      if (!ok_) break;
      members.push_back({std::string(key->str()), node(*value, member_path(path, key->str()), depth + 1)});
    }
    return ConfigNode(std::move(members), path, where);
  }

  ConfigNode members(const Value& object, const std::string& path, std::size_t depth, const ConfigSource& where) {
    ConfigNode::Table members;
    for (const Value::Member& member : object.members()) {
      if (!ok_) break;
      members.push_back({member.key.text, node(member.value, member_path(path, member.key.text), depth + 1)});
    }
    return ConfigNode(std::move(members), path, where);
  }

  ConfigNode items(const toml::array& list, const std::string& path, std::size_t depth, const ConfigSource& where) {
    ConfigNode::List items;
    for (const toml::node& item : list) {
      if (!ok_) break;
      items.push_back(node(item, item_path(path, items.size()), depth + 1));
    }
    return ConfigNode(std::move(items), path, where);
  }

  ConfigNode items(const Value& list, const std::string& path, std::size_t depth, const ConfigSource& where) {
    ConfigNode::List items;
    for (const Value& item : list.items()) {
      if (!ok_) break;
      items.push_back(node(item, item_path(path, items.size()), depth + 1));
    }
    return ConfigNode(std::move(items), path, where);
  }

  static ConfigNode number(const Value& from, std::string path, const ConfigSource& where) {
    if (from.is_integer()) {
      if (const auto integer = from.as_int64()) return ConfigNode(*integer, std::move(path), where);
    }
    return ConfigNode(*from.as_double(), std::move(path), where);
  }

  const std::string& origin_;
  ConfigErrors& errors_;
  std::size_t nodes_ = 0;
  bool ok_ = true;
};

template <typename From>
std::optional<ConfigNode> convert(const From& from, const std::string& path, const std::string& origin,
                                  ConfigErrors& errors) {
  Converter converter(origin, errors);
  ConfigNode node = converter.node(from, path, 1);
  return converter.ok() ? std::optional(std::move(node)) : std::nullopt;
}

// [a.a.a.a...] needs no brackets within each other, so the bound of toml++ does not see it, and the tables it makes are freed
// by recursion. More dots on one line than the depth allows, before any value begins, can only be that.
std::optional<std::uint32_t> line_with_too_many_dots(std::string_view text) {
  std::uint32_t line = 1;
  std::size_t dots = 0;
  bool in_key = true;
  for (const char character : text) {
    if (character == '\n') {
      ++line;
      dots = 0;
      in_key = true;
    } else if (character == '=' || character == '#') {
      in_key = false;
    } else if (in_key && character == '.' && ++dots > kConfigDepthMax) {
      return line;
    }
  }
  return std::nullopt;
}

bool too_long(std::string_view text, const std::string& origin, ConfigErrors& errors) {
  if (text.size() <= kConfigFileBytesMax) return false;
  errors.add({.origin = origin}, "has more than " + std::to_string(kConfigFileBytesMax) + " bytes");
  return true;
}

}  // namespace

std::optional<ConfigNode> parse_toml(std::string_view text, const std::string& origin, ConfigErrors& errors) {
  if (too_long(text, origin, errors)) return std::nullopt;
  if (const auto line = line_with_too_many_dots(text)) {
    errors.add({.origin = origin, .line = *line}, "a key is nested more than " + std::to_string(kConfigDepthMax) + " deep");
    return std::nullopt;
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::source_position& begin = parsed.error().source().begin;
    errors.add({.origin = origin, .line = begin.line, .column = begin.column}, parsed.error().description());
    return std::nullopt;
  }
  return convert(static_cast<const toml::node&>(parsed.table()), "", origin, errors);
}

std::optional<ConfigNode> parse_json(std::string_view text, const std::string& path, const std::string& origin,
                                     ConfigErrors& errors) {
  if (too_long(text, origin, errors)) return std::nullopt;
  const Result<Value> value = Value::parse(text);
  if (!value.ok()) {
    errors.add({.origin = origin}, "this is no JSON: " + value.status().message());
    return std::nullopt;
  }
  return convert(*value, path, origin, errors);
}

std::optional<ConfigNode> read_config_file(const std::string& path, ConfigErrors& errors) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) {
    errors.add({.origin = path}, std::string("cannot be opened: ") + std::strerror(errno));
    return std::nullopt;
  }
  std::string text(kConfigFileBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    errors.add({.origin = path}, std::string("cannot be read: ") + std::strerror(errno));
    return std::nullopt;
  }
  return parse_toml(text, path, errors);
}

}  // namespace tidewire::server
