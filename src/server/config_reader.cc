// ConfigReader of server/config_node.h. The texts of the complaints are all here.
#include <algorithm>
#include <cmath>

#include "server/config_node.h"

namespace tidewire::server {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 80;  // of a value in a complaint
  std::string out = "\"";
  out.append(text.substr(0, kShownBytesMax)).append(text.size() > kShownBytesMax ? "...\"" : "\"");
  return out;
}

std::string range_text(NumberRange range, std::string_view unit) {
  constexpr NumberRange kAll;
  const std::string behind = unit.empty() ? std::string() : " " + std::string(unit);
  if (range.most == kAll.most) return "at least " + std::to_string(range.least) + behind;
  if (range.least == kAll.least) return "at most " + std::to_string(range.most) + behind;
  return "from " + std::to_string(range.least) + " to " + std::to_string(range.most) + behind;
}

std::string wrong_kind_text(std::string_view wanted, const ConfigNode& found) {
  return "must be " + std::string(wanted) + ", not " + std::string(kind_name(found.kind()));
}

std::optional<std::int64_t> parse_whole_seconds(std::string_view text) noexcept {
  const auto milliseconds = parse_duration_ms(text);
  return milliseconds && *milliseconds % 1000 == 0 ? std::optional(*milliseconds / 1000) : std::nullopt;
}

std::vector<const ConfigNode*> tables_in(const ConfigNode& list, ConfigErrors& errors) {
  std::vector<const ConfigNode*> tables;
  if (list.is_none()) return tables;
  if (!list.is_list()) {
    errors.add(list.source(), list.path() + " " + wrong_kind_text("a list of tables", list));
    return tables;
  }
  for (const ConfigNode& item : list.items()) {
    if (item.is_table()) {
      tables.push_back(&item);
    } else {
      errors.add(item.source(), item.path() + " " + wrong_kind_text("a table", item));
    }
  }
  return tables;
}

}  // namespace

std::vector<const ConfigNode*> tables_of(const ConfigNode& list, ConfigErrors& errors) { return tables_in(list, errors); }

ConfigReader::ConfigReader(const ConfigNode& table, ConfigErrors& errors) : table_(table), errors_(errors) {
  if (!table_.is_table() && !table_.is_none()) {
    errors_.add(table_.source(), (table_.path().empty() ? "this" : table_.path()) + " " + wrong_kind_text("a table", table_));
  }
}

std::string ConfigReader::path_of(std::string_view key) const {
  return table_.path().empty() ? std::string(key) : table_.path() + "." + std::string(key);
}

const ConfigNode* ConfigReader::node(std::string_view key) {
  ignore(key);
  return table_.find(key);
}

void ConfigReader::ignore(std::string_view key) {
  if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
}

bool ConfigReader::has(std::string_view key) { return node(key) != nullptr; }

void ConfigReader::complain(std::string_view key, std::string_view sentence) {
  const ConfigNode* found = table_.find(key);
  errors_.add(found != nullptr ? found->source() : table_.source(), path_of(key) + " " + std::string(sentence));
}

void ConfigReader::wrong_kind(std::string_view key, const ConfigNode& found, std::string_view wanted) {
  complain(key, wrong_kind_text(wanted, found));
}

std::optional<std::int64_t> ConfigReader::within(std::string_view key, std::int64_t found, std::string_view written,
                                                 NumberRange range, std::string_view unit) {
  if (found >= range.least && found <= range.most) return found;
  complain(key, "is " + std::string(written) + "; it must be " + range_text(range, unit));
  return std::nullopt;
}

std::string ConfigReader::required_text(std::string_view key) {
  const ConfigNode* found = node(key);
  if (found == nullptr) {
    complain(key, "is missing");
  } else if (!found->is_text()) {
    wrong_kind(key, *found, "text");
  } else if (found->as_text()->empty()) {
    complain(key, "must not be empty");
  } else {
    return std::string(*found->as_text());
  }
  return {};
}

std::string ConfigReader::text(std::string_view key, std::string_view otherwise) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return std::string(otherwise);
  if (found->is_text()) return std::string(*found->as_text());
  wrong_kind(key, *found, "text");
  return std::string(otherwise);
}

std::string ConfigReader::choice(std::string_view key, std::span<const std::string_view> allowed,
                                 std::string_view otherwise) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return std::string(otherwise);
  if (!found->is_text()) {
    wrong_kind(key, *found, "text");
    return std::string(otherwise);
  }
  const std::string_view word = *found->as_text();
  if (std::ranges::find(allowed, word) != allowed.end()) return std::string(word);
  std::string list;
  for (const std::string_view each : allowed) list.append(list.empty() ? "" : ", ").append(each);
  complain(key, "is " + quoted(word) + "; it must be one of " + list + suggestion(word, allowed));
  return std::string(otherwise);
}

std::int64_t ConfigReader::number(std::string_view key, std::int64_t otherwise, NumberRange range) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return otherwise;
  if (const auto number = found->as_integer()) {
    return within(key, *number, std::to_string(*number), range, "").value_or(otherwise);
  }
  wrong_kind(key, *found, "a whole number");
  return otherwise;
}

double ConfigReader::real(std::string_view key, double otherwise, double least, double most) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return otherwise;
  const auto real = found->as_real();
  if (!real) {
    wrong_kind(key, *found, "a number");
  } else if (!(*real >= least && *real <= most)) {  // NaN as well
    complain(key, "is " + Value(*real).to_json() + "; it must be from " + Value(least).to_json() + " to " +
                      Value(most).to_json());
  } else {
    return *real;
  }
  return otherwise;
}

bool ConfigReader::flag(std::string_view key, bool otherwise) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return otherwise;
  if (const auto flag = found->as_flag()) return *flag;
  wrong_kind(key, *found, "true or false");
  return otherwise;
}

std::vector<std::string> ConfigReader::texts(std::string_view key, std::vector<std::string> otherwise) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return otherwise;
  if (found->is_text()) return {std::string(*found->as_text())};
  if (!found->is_list()) {
    wrong_kind(key, *found, "text or a list of texts");
    return otherwise;
  }
  std::vector<std::string> texts;
  for (const ConfigNode& item : found->items()) {
    if (!item.is_text()) {
      errors_.add(item.source(), item.path() + " " + wrong_kind_text("text", item));
      return otherwise;
    }
    texts.emplace_back(*item.as_text());
  }
  return texts;
}

std::int64_t ConfigReader::measured(std::string_view key, std::int64_t otherwise, NumberRange range, std::string_view unit,
                                    std::string_view wanted,
                                    std::optional<std::int64_t> (*parse)(std::string_view) noexcept) {
  const ConfigNode* found = node(key);
  if (found == nullptr) return otherwise;
  if (const auto number = found->as_integer()) {
    return within(key, *number, std::to_string(*number), range, unit).value_or(otherwise);
  }
  if (!found->is_text()) {
    wrong_kind(key, *found, wanted);
    return otherwise;
  }
  const auto number = parse(*found->as_text());
  if (number) return within(key, *number, quoted(*found->as_text()), range, unit).value_or(otherwise);
  complain(key, "is " + quoted(*found->as_text()) + "; it must be " + std::string(wanted));
  return otherwise;
}

std::int64_t ConfigReader::duration_ms(std::string_view key, std::int64_t otherwise, NumberRange range) {
  return measured(key, otherwise, range, "ms", "milliseconds, or text such as \"250ms\", \"5s\", \"2m\", \"24h\"",
                  &parse_duration_ms);
}

std::int64_t ConfigReader::duration_s(std::string_view key, std::int64_t otherwise, NumberRange range) {
  return measured(key, otherwise, range, "s", "seconds, or text such as \"5s\", \"2m\", \"24h\"", &parse_whole_seconds);
}

std::int64_t ConfigReader::size_bytes(std::string_view key, std::int64_t otherwise, NumberRange range) {
  return measured(key, otherwise, range, "bytes", "bytes, or text such as \"64KB\", \"64KiB\", \"1MB\"", &parse_size_bytes);
}

const ConfigNode* ConfigReader::table(std::string_view key) {
  const ConfigNode* found = node(key);
  if (found == nullptr || found->is_table()) return found;
  wrong_kind(key, *found, "a table");
  return nullptr;
}

std::vector<const ConfigNode*> ConfigReader::tables(std::string_view key) {
  const ConfigNode* found = node(key);
  return found == nullptr ? std::vector<const ConfigNode*>() : tables_in(*found, errors_);
}

void ConfigReader::finish() {
  const std::vector<std::string_view> known(asked_.begin(), asked_.end());
  for (const ConfigNode::Member& member : table_.members()) {
    if (std::ranges::find(known, member.key) != known.end()) continue;
    const std::string inside = table_.path().empty() ? "" : " in " + table_.path();
    errors_.add(member.value.source(), "unknown key " + quoted(member.key) + inside + suggestion(member.key, known));
  }
}

}  // namespace tidewire::server
