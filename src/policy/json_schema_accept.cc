// The short way: a JSON text is held against the schema as it stands, token by token, and no Value is made of it.
//
//   accepts() --yes--> the instance is good
//             --no---> nobody knows: it is bad, or something here is too rare to be worth code (an escape, a key twice, a pattern,
//                      alternatives). Then validate() is asked, which also says what is wrong.
//
// So whatever is left out here costs time and never an answer.
#include <algorithm>
#include <bitset>

#include "base/json_reader.h"
#include "policy/json_schema.h"
#include "policy/json_schema_program.h"
#include "policy/json_string.h"

namespace tidewire::policy {
namespace {

using base::JsonReader;
using base::JsonToken;
using Kind = Value::Kind;

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kPropertiesMax = 64;

bool has_escape(std::string_view raw) noexcept { return raw.find('\\') != std::string_view::npos; }

class Acceptor {
 public:
  Acceptor(const JsonSchemaProgram& program, std::string_view json) noexcept : program_(program), reader_(json) {}

  bool run() { return value(program_.root, reader_.next(), 0); }

 private:
  bool value(NodeIndex index, const JsonToken& token, std::size_t depth) {
    if (index == kNoNode) return skip(token);
    const SchemaNode& node = program_.nodes[index];
    if (!node.simple || depth == kDepthMax) return false;
    switch (token.kind) {
      case JsonToken::kNull: return may_be(node, Kind::kNull) && !node.has_enum;
      case JsonToken::kTrue:
      case JsonToken::kFalse: return may_be(node, Kind::kBool) && !node.has_enum;
      case JsonToken::kNumber: return number(node, token.text);
      case JsonToken::kString: return string(node, token.text);
      case JsonToken::kBeginArray: return may_be(node, Kind::kArray) && !node.has_enum && array(node, depth);
      case JsonToken::kBeginObject: return may_be(node, Kind::kObject) && !node.has_enum && object(node, depth);
      case JsonToken::kKey:
      case JsonToken::kEndArray:
      case JsonToken::kEndObject:
      case JsonToken::kEnd: break;
    }
    return false;
  }

  static bool may_be(const SchemaNode& node, Kind kind) noexcept { return (node.types & type_bit(kind)) != 0; }

  static bool number(const SchemaNode& node, std::string_view text) {
    const bool any = may_be(node, Kind::kNumber);
    if (node.has_enum || (!any && (node.types & kIntegerBit) == 0)) return false;
    if (any && !node.for_numbers) return true;
    const Decimal decimal = Decimal::parse(text);
    return (any || decimal.is_integer()) && !broken_bound(node, decimal);
  }

  static bool string(const SchemaNode& node, std::string_view raw) {
    if (!may_be(node, Kind::kString) || has_escape(raw)) return false;
    if (node.has_enum && !is_one_of(node.enum_strings, raw)) return false;
    if (node.length.set && !node.length.holds(JsonString{raw}.length())) return false;
    return matches(node.format, raw);
  }

  bool array(const SchemaNode& node, std::size_t depth) {
    std::size_t count = 0;
    for (JsonToken token = reader_.next(); token.kind != JsonToken::kEndArray; token = reader_.next()) {
      if (token.kind == JsonToken::kEnd || !value(node.items, token, depth + 1)) return false;
      ++count;
    }
    return node.item_count.holds(count);
  }

  bool object(const SchemaNode& node, std::size_t depth) {
    std::bitset<kPropertiesMax> seen;  // of those that are required
    std::size_t required_found = 0;
    for (JsonToken key = reader_.next(); key.kind != JsonToken::kEndObject; key = reader_.next()) {
      if (key.kind != JsonToken::kKey || has_escape(key.text)) return false;
      const SchemaNode::Property* property = property_of(node, key.text);
      NodeIndex schema = node.additional;
      if (property != nullptr) {
        const auto which = static_cast<std::size_t>(property - node.properties.data());
        if (seen.test(which)) return false;  // twice: the last one counts
        seen.set(which);
        required_found += property->required ? 1 : 0;
        if (property->schema != kNoNode) schema = property->schema;
      }
      if (!value(schema, reader_.next(), depth + 1)) return false;
    }
    return required_found == node.required.size();
  }

  // REQUIRES: node.simple, which bounds them
  static const SchemaNode::Property* property_of(const SchemaNode& node, std::string_view key) noexcept {
    const auto found = std::ranges::find_if(node.properties, [key](const SchemaNode::Property& property) { return property.name == key; });
    return found == node.properties.end() ? nullptr : &*found;
  }

  // What no schema is about.
  bool skip(const JsonToken& first) {
    std::size_t open = 0;
    for (JsonToken token = first;; token = reader_.next()) {
      if (token.kind == JsonToken::kEnd) return false;
      if (token.kind == JsonToken::kBeginArray || token.kind == JsonToken::kBeginObject) ++open;
      if (token.kind == JsonToken::kEndArray || token.kind == JsonToken::kEndObject) --open;
      if (open == 0) return true;
    }
  }

  const JsonSchemaProgram& program_;
  JsonReader reader_;
};

}  // namespace

bool is_simple(const SchemaNode& node) noexcept {
  const bool rare = node.never || node.constant || !node.enum_others.empty() || node.pattern || node.unique_items ||
                    !node.prefix_items.empty() || node.member_count.set || node.for_all;
  const bool reserved = std::ranges::any_of(node.required, &Text::escaped);
  return !rare && !reserved && node.properties.size() <= kPropertiesMax;
}

bool JsonSchema::accepts(std::string_view json) const {
  // A step of validate() takes a byte at least: what is shorter never runs out of them.
  return json.size() <= JsonSchemaLimits::kStepsMax && Acceptor(*program_, json).run();
}

}  // namespace tidewire::policy
