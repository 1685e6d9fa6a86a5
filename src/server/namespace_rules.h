// server/namespace_rules.h - which namespaces exist, and whether one may enter without a token: [[namespaces]].
//
//   [[namespaces]]
//   name = "/chat"              # or pattern = "/org-[a-z]+" (RE2, the whole name): made when somebody asks for it
//   anonymous = false           # default: auth.anonymous
//
// "/" exists always. The contracts of a pattern are those whose `namespace` is the pattern's text.
// Threads: immutable after read().
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_node.h"
#include "tidewire/value.h"

namespace re2 {
class RE2;
}

namespace tidewire::server {

struct NamespaceRule {
  std::string name;  // or the pattern's text
  std::shared_ptr<const re2::RE2> pattern;  // null: one namespace
  bool anonymous = true;
  std::string description;
};

class NamespaceRules {
 public:
  static NamespaceRules read(const ConfigNode& node, bool anonymous, ConfigErrors& errors);

  const std::vector<NamespaceRule>& rules() const noexcept { return rules_; }
  // Whether contracts may name it.
  bool declares(std::string_view name) const noexcept;
  // By name first, then by the first pattern that matches; a namespace of no rule is nobody's.
  bool may_be_anonymous(std::string_view name) const;
  Value to_value() const;

 private:
  std::vector<NamespaceRule> rules_;
};

}  // namespace tidewire::server
