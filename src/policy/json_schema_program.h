// policy/json_schema_program.h - what a compiled schema is made of. Inside the folder only.
//
//   nodes   [0]            [1]           [2]
//           properties --> type string
//             "id" -----------------------> minimum 1
//           items: 0      (a $ref: an index like any other)
//
// A node that is nothing but a $ref is not here: who would point at it points at its target.
// Immutable after compile, shared between threads.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decimal.h"
#include "policy/json_format.h"
#include "tidewire/value.h"

namespace tidewire::policy {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = std::numeric_limits<NodeIndex>::max();

// One bit per Value::Kind; "integer" is a number with one bit more to look at.
using TypeSet = std::uint8_t;
constexpr TypeSet type_bit(Value::Kind kind) noexcept { return static_cast<TypeSet>(1u << static_cast<unsigned>(kind)); }
inline constexpr TypeSet kIntegerBit = 0x80;
inline constexpr TypeSet kAnyType = 0x7f;

struct CountRange {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
  bool set = false;

  bool holds(std::size_t count) const noexcept { return count >= min && count <= max; }
};

// Keys by size first: most comparisons end there.
struct KeyOrder {
  bool operator()(const Text& a, const Text& b) const noexcept {
    if (a.text.size() != b.text.size()) return a.text.size() < b.text.size();
    return a.escaped != b.escaped ? b.escaped : a.text < b.text;
  }
};

struct SchemaNode {
  struct Bound {
    Decimal value;
    std::string text;  // as the schema has it
  };
  struct Property {
    Text name;
    NodeIndex schema = kNoNode;  // kNoNode: only required
    bool required = false;
  };
  struct Pattern {
    std::string text;
    std::shared_ptr<const re2::RE2> expression;
  };

  bool never = false;  // the schema `false`
  TypeSet types = kAnyType;

  std::optional<Value> constant;
  bool has_enum = false;
  std::vector<Text> enum_strings;  // in KeyOrder
  std::vector<Value> enum_others;
  std::string enum_text;  // for the message

  std::optional<Bound> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;

  CountRange length;
  std::optional<Pattern> pattern;
  Format format = Format::kNone;

  CountRange item_count;
  bool unique_items = false;
  std::vector<NodeIndex> prefix_items;
  NodeIndex items = kNoNode;  // of those behind prefix_items

  CountRange member_count;
  std::vector<Property> properties;  // in KeyOrder of their names
  std::vector<Text> required;        // as the schema lists them
  NodeIndex additional = kNoNode;

  NodeIndex ref = kNoNode;
  std::vector<NodeIndex> all_of, any_of, one_of;
  NodeIndex excluded = kNoNode;

  // Set by compile: whether accepts() knows all of its keywords.
  bool simple = false;
  // Set by compile: whether any of the keywords of a group is there.
  bool for_numbers = false, for_strings = false, for_arrays = false, for_objects = false, for_all = false;
};

struct JsonSchemaProgram {
  std::vector<SchemaNode> nodes;
  NodeIndex root = 0;
};

// The first bound that a number breaks.
struct BrokenBound {
  std::string_view keyword, what;  // "minimum", "at least "
  const SchemaNode::Bound* bound;
};
std::optional<BrokenBound> broken_bound(const SchemaNode& node, const Decimal& number);
// REQUIRES: sorted in KeyOrder
bool is_one_of(const std::vector<Text>& strings, std::string_view text) noexcept;
// In json_schema_accept.cc.
bool is_simple(const SchemaNode& node) noexcept;

// The second half of compiling, in json_schema_link.cc.
// A node whose evaluation comes back to it without having gone into the instance, or kNoNode.
NodeIndex find_loop(const JsonSchemaProgram& program);
// Lets who points at a plain $ref point at its target: recursion then costs one call per level of the instance, not two.
// REQUIRES: find_loop(program) == kNoNode
void skip_plain_references(JsonSchemaProgram& program);

}  // namespace tidewire::policy
