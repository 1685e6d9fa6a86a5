#include "server/config_node.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tidewire::server {

std::string ConfigSource::text() const {
  std::string text = origin;
  if (line != 0) text.append(":").append(std::to_string(line));
  if (line != 0 && column != 0) text.append(":").append(std::to_string(column));
  return text;
}

ConfigNode::ConfigNode() = default;
ConfigNode::ConfigNode(Storage storage, std::string path, ConfigSource source)
    : storage_(std::move(storage)), path_(std::move(path)), source_(std::move(source)) {}
ConfigNode::ConfigNode(bool flag, std::string path, ConfigSource source)
    : ConfigNode(Storage(std::in_place_type<bool>, flag), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(std::int64_t integer, std::string path, ConfigSource source)
    : ConfigNode(Storage(std::in_place_type<std::int64_t>, integer), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(double real, std::string path, ConfigSource source)
    : ConfigNode(Storage(std::in_place_type<double>, real), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(std::string text, std::string path, ConfigSource source)
    : ConfigNode(Storage(std::in_place_type<std::string>, std::move(text)), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(const char* text, std::string path, ConfigSource source)
    : ConfigNode(std::string(text), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(List items, std::string path, ConfigSource source)
    : ConfigNode(Storage(std::in_place_type<List>, std::move(items)), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(Table members, std::string path, ConfigSource source)
    : ConfigNode(Storage(std::in_place_type<Table>, std::move(members)), std::move(path), std::move(source)) {}
ConfigNode::ConfigNode(const ConfigNode& other) = default;
ConfigNode::ConfigNode(ConfigNode&& other) noexcept = default;
ConfigNode& ConfigNode::operator=(ConfigNode other) noexcept {
  storage_.swap(other.storage_);
  path_.swap(other.path_);
  std::swap(source_, other.source_);
  return *this;
}
ConfigNode::~ConfigNode() = default;

std::optional<bool> ConfigNode::as_flag() const noexcept {
  const bool* flag = std::get_if<bool>(&storage_);
  return flag != nullptr ? std::optional(*flag) : std::nullopt;
}

std::optional<std::int64_t> ConfigNode::as_integer() const noexcept {
  const std::int64_t* integer = std::get_if<std::int64_t>(&storage_);
  return integer != nullptr ? std::optional(*integer) : std::nullopt;
}

std::optional<double> ConfigNode::as_real() const noexcept {
  if (const std::int64_t* integer = std::get_if<std::int64_t>(&storage_)) return static_cast<double>(*integer);
  const double* real = std::get_if<double>(&storage_);
  return real != nullptr ? std::optional(*real) : std::nullopt;
}

std::optional<std::string_view> ConfigNode::as_text() const noexcept {
  const std::string* text = std::get_if<std::string>(&storage_);
  return text != nullptr ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::span<const ConfigNode> ConfigNode::items() const noexcept {
  const List* list = std::get_if<List>(&storage_);
  return list != nullptr ? std::span<const ConfigNode>(*list) : std::span<const ConfigNode>();
}

std::span<const ConfigNode::Member> ConfigNode::members() const noexcept {
  const Table* table = std::get_if<Table>(&storage_);
  return table != nullptr ? std::span<const Member>(*table) : std::span<const Member>();
}

const ConfigNode* ConfigNode::find(std::string_view key) const noexcept {
  for (const Member& member : members()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Value ConfigNode::to_value() const {
  switch (kind()) {
    case Kind::kNone: return Value();
    case Kind::kFlag: return Value(*as_flag());
    case Kind::kInteger: return Value(*as_integer());
    case Kind::kReal: return Value(*as_real());
    case Kind::kText: return Value(*as_text());
    case Kind::kList: {
      std::vector<Value> values;
      values.reserve(items().size());
      for (const ConfigNode& item : items()) values.push_back(item.to_value());
      return Value::array(std::move(values));
    }
    case Kind::kTable: {
      std::vector<Value::Member> values;
      values.reserve(members().size());
      for (const Member& member : members()) values.push_back({Text(member.key), member.value.to_value()});
      return Value::object(std::move(values));
    }
  }
  return Value();
}

// Depth is bounded by whoever built the trees.
bool ConfigNode::equal(const ConfigNode& a, const ConfigNode& b) {
  if (a.kind() != b.kind()) return false;
  if (!a.is_table()) return a.storage_ == b.storage_;
  if (a.members().size() != b.members().size()) return false;
  return std::ranges::all_of(a.members(), [&b](const Member& member) {
    const ConfigNode* other = b.find(member.key);
    return other != nullptr && equal(member.value, *other);
  });
}

std::string_view kind_name(ConfigNode::Kind kind) noexcept {
  constexpr std::array<std::string_view, 7> kNames = {"nothing", "true or false", "a whole number", "a number",
                                                      "text",    "a list",        "a table"};
  return kNames[static_cast<std::size_t>(kind)];
}

void ConfigErrors::add(const ConfigSource& where, std::string_view sentence) {
  if (lines_.size() >= kConfigErrorsMax) {
    ++left_out_;
    return;
  }
  const std::string place = where.text();
  lines_.push_back(place.empty() ? std::string(sentence) : place + ": " + std::string(sentence));
}

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

std::optional<std::int64_t> parse_measure(std::string_view text, std::span<const Unit> units) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

// Edits from one word to the other; two letters swapped count as one. Both at most kWordBytesMax.
constexpr std::size_t kWordBytesMax = 64;
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kWordBytesMax + 1>, kWordBytesMax + 1> edits{};
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        edits[i][j] = i + j;
        continue;
      }
      const std::size_t change = edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      edits[i][j] = std::min({change, edits[i - 1][j] + 1, edits[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
      }
    }
  }
  return edits[a.size()][b.size()];
}

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept {
  constexpr std::array<Unit, 5> kUnits = {{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  return parse_measure(text, kUnits);
}

std::optional<std::int64_t> parse_size_bytes(std::string_view text) noexcept {
  constexpr std::int64_t kKi = 1024;
  constexpr std::array<Unit, 8> kUnits = {{{"", 1}, {"B", 1}, {"KB", 1000}, {"MB", 1'000'000}, {"GB", 1'000'000'000},
                                           {"KiB", kKi}, {"MiB", kKi * kKi}, {"GiB", kKi * kKi * kKi}}};
  return parse_measure(text, kUnits);
}

std::string_view nearest_name(std::string_view written, std::span<const std::string_view> known) {
  if (written.size() > kWordBytesMax) return {};
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(1, (written.size() + 1) / 3) + 1;
  for (const std::string_view name : known) {
    if (name.size() > kWordBytesMax || name == written) continue;
    const std::size_t edits = distance(written, name);
    if (edits >= least) continue;
    least = edits;
    nearest = name;
  }
  return nearest;
}

std::string suggestion(std::string_view written, std::span<const std::string_view> known) {
  const std::string_view nearest = nearest_name(written, known);
  return nearest.empty() ? std::string() : "; did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace tidewire::server
