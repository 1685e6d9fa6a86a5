#include "server/namespace_rules.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/limits.h"

namespace tidewire::server {
namespace {

constexpr std::int64_t kPatternMemoryBytesMax = 1024 * 1024;

std::shared_ptr<const re2::RE2> compile(const std::string& text) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kPatternMemoryBytesMax);
  return std::make_shared<const re2::RE2>(text, options);
}

}  // namespace

NamespaceRules NamespaceRules::read(const ConfigNode& node, bool anonymous, ConfigErrors& errors) {
  NamespaceRules out;
  for (const ConfigNode* each : tables_of(node, errors)) {
    ConfigReader table(*each, errors);
    NamespaceRule rule;
    rule.name = table.text("name", "");
    const std::string pattern = table.text("pattern", "");
    rule.anonymous = table.flag("anonymous", anonymous);
    rule.description = table.text("description", "");
    table.finish();
    if (rule.name.empty() == pattern.empty()) {
      table.complain(rule.name.empty() ? "name" : "pattern", "a namespace has either a name or a pattern");
      continue;
    }
    if (!pattern.empty()) {
      rule.name = pattern;
      rule.pattern = compile(pattern);
      if (!rule.pattern->ok()) table.complain("pattern", "is no expression: " + rule.pattern->error());
    } else if (rule.name.front() != '/' || rule.name.size() > base::limits::kNamespaceNameBytesMax) {
      table.complain("name", "begins with '/' and has at most 256 bytes");
    }
    if (out.declares(rule.name)) table.complain("name", "\"" + rule.name + "\" is declared twice");
    out.rules_.push_back(std::move(rule));
  }
  // Names first: a namespace that is declared belongs to no pattern.
  std::ranges::stable_partition(out.rules_, [](const NamespaceRule& rule) { return rule.pattern == nullptr; });
  if (!out.declares("/")) out.rules_.insert(out.rules_.begin(), {"/", nullptr, anonymous, {}});
  return out;
}

bool NamespaceRules::declares(std::string_view name) const noexcept {
  return std::ranges::any_of(rules_, [name](const NamespaceRule& rule) { return rule.name == name; });
}

bool NamespaceRules::may_be_anonymous(std::string_view name) const {
  for (const NamespaceRule& rule : rules_) {
    if (rule.pattern == nullptr && rule.name == name) return rule.anonymous;
  }
  for (const NamespaceRule& rule : rules_) {
    if (rule.pattern != nullptr && re2::RE2::FullMatch(re2::StringPiece(name.data(), name.size()), *rule.pattern)) return rule.anonymous;
  }
  return true;  // the hub will say that there is no such namespace
}

Value NamespaceRules::to_value() const {
  Value list = Value::array();
  for (const NamespaceRule& rule : rules_) {
    Value value = Value::object({{rule.pattern == nullptr ? "name" : "pattern", rule.name}, {"anonymous", rule.anonymous}});
    if (!rule.description.empty()) value.set("description", rule.description);
    list.push_back(std::move(value));
  }
  return list;
}

}  // namespace tidewire::server
