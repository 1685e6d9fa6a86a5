// The keywords, one function each, in a table; then the references, when every schema of the document has its number.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/limits.h"
#include "policy/excerpt.h"
#include "policy/json_pointer.h"
#include "policy/json_schema.h"
#include "policy/json_schema_program.h"
#include "policy/json_string.h"

namespace tidewire::policy {
namespace {

using Limits = JsonSchemaLimits;
constexpr std::size_t kErrorCutBytes = 80;

// How many single-character edits make one of the other; both short.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

// Values in the document, or more than the limit: too many, or deeper than any parsed one.
std::size_t count_values(const Value& value, std::size_t depth) {
  std::size_t count = 1;
  if (depth > base::limits::kJsonDepthMax) return Limits::kValuesMax + 1;
  for (const Value& item : value.items()) {
    if (count > Limits::kValuesMax) return count;
    count += count_values(item, depth + 1);
  }
  for (const Value::Member& member : value.members()) {
    if (count > Limits::kValuesMax) return count;
    count += count_values(member.value, depth + 1);
  }
  return count;
}

class Compiler {
 public:
  Result<std::shared_ptr<const JsonSchemaProgram>> run(const Value& schema);

 private:
  struct Keyword {
    std::string_view name;
    void (Compiler::*compile)(SchemaNode& node, const Value& value);
  };
  struct Reference {
    NodeIndex from;
    std::string target;  // as written
    std::string pointer;  // of the $ref
  };
  static const std::array<Keyword, 40> kKeywords;

  // The first error stays; everything below looks whether there is one.
  void fail(std::string_view message);
  bool failed() const noexcept { return !error_.ok(); }
  void expected(std::string_view what, const Value& found);

  NodeIndex compile(const Value& schema);
  NodeIndex compile_at(std::string_view key, const Value& schema);
  std::vector<NodeIndex> compile_list(const Value& list);
  void compile_keyword(SchemaNode& node, const Value::Member& member);
  void unknown_keyword(std::string_view name);
  void finish(SchemaNode& node);

  void count(std::size_t CountRange::*bound, CountRange& range, const Value& value);
  void bound(std::optional<SchemaNode::Bound>& bound, const Value& value);
  void definitions(SchemaNode& node, const Value& value);

  void on_annotation(SchemaNode&, const Value&) {}
  void on_text(SchemaNode& node, const Value& value);
  void on_id(SchemaNode& node, const Value& value);
  void on_ref(SchemaNode& node, const Value& value);
  void on_type(SchemaNode& node, const Value& value);
  void on_const(SchemaNode& node, const Value& value) { node.constant = value; }
  void on_enum(SchemaNode& node, const Value& value);
  void on_required(SchemaNode& node, const Value& value);
  void on_properties(SchemaNode& node, const Value& value);
  void on_additional_properties(SchemaNode& node, const Value& value) { node.additional = compile(value); }
  void on_prefix_items(SchemaNode& node, const Value& value);
  void on_items(SchemaNode& node, const Value& value);
  void on_additional_items(SchemaNode& node, const Value& value);
  void on_unique_items(SchemaNode& node, const Value& value);
  void on_pattern(SchemaNode& node, const Value& value);
  void on_format(SchemaNode& node, const Value& value);
  void on_multiple_of(SchemaNode& node, const Value& value);
  void on_minimum(SchemaNode& node, const Value& value) { bound(node.minimum, value); }
  void on_maximum(SchemaNode& node, const Value& value) { bound(node.maximum, value); }
  void on_exclusive_minimum(SchemaNode& node, const Value& value) { bound(node.exclusive_minimum, value); }
  void on_exclusive_maximum(SchemaNode& node, const Value& value) { bound(node.exclusive_maximum, value); }
  void on_min_length(SchemaNode& node, const Value& value) { count(&CountRange::min, node.length, value); }
  void on_max_length(SchemaNode& node, const Value& value) { count(&CountRange::max, node.length, value); }
  void on_min_items(SchemaNode& node, const Value& value) { count(&CountRange::min, node.item_count, value); }
  void on_max_items(SchemaNode& node, const Value& value) { count(&CountRange::max, node.item_count, value); }
  void on_min_properties(SchemaNode& node, const Value& value) { count(&CountRange::min, node.member_count, value); }
  void on_max_properties(SchemaNode& node, const Value& value) { count(&CountRange::max, node.member_count, value); }
  void on_all_of(SchemaNode& node, const Value& value) { node.all_of = compile_list(value); }
  void on_any_of(SchemaNode& node, const Value& value) { node.any_of = compile_list(value); }
  void on_one_of(SchemaNode& node, const Value& value) { node.one_of = compile_list(value); }
  void on_not(SchemaNode& node, const Value& value) { node.excluded = compile(value); }

  void resolve_references(const Value& root);

  JsonSchemaProgram program_;
  absl::flat_hash_map<const Value*, NodeIndex> index_of_;  // every schema of the document
  std::vector<Reference> references_;
  std::vector<std::string> pointers_;  // of each node, for messages
  std::string pointer_ = "#";
  const Value* schema_ = nullptr;  // being compiled, for keywords that look at their siblings
  std::size_t depth_ = 0;
  std::size_t pattern_count_ = 0;
  Status error_;
};

const std::array<Compiler::Keyword, 40> Compiler::kKeywords = {{
    {"$ref", &Compiler::on_ref},
    {"type", &Compiler::on_type},
    {"enum", &Compiler::on_enum},
    {"const", &Compiler::on_const},
    {"required", &Compiler::on_required},
    {"properties", &Compiler::on_properties},
    {"additionalProperties", &Compiler::on_additional_properties},
    {"minProperties", &Compiler::on_min_properties},
    {"maxProperties", &Compiler::on_max_properties},
    {"items", &Compiler::on_items},
    {"prefixItems", &Compiler::on_prefix_items},
    {"additionalItems", &Compiler::on_additional_items},
    {"minItems", &Compiler::on_min_items},
    {"maxItems", &Compiler::on_max_items},
    {"uniqueItems", &Compiler::on_unique_items},
    {"minLength", &Compiler::on_min_length},
    {"maxLength", &Compiler::on_max_length},
    {"pattern", &Compiler::on_pattern},
    {"format", &Compiler::on_format},
    {"minimum", &Compiler::on_minimum},
    {"maximum", &Compiler::on_maximum},
    {"exclusiveMinimum", &Compiler::on_exclusive_minimum},
    {"exclusiveMaximum", &Compiler::on_exclusive_maximum},
    {"multipleOf", &Compiler::on_multiple_of},
    {"allOf", &Compiler::on_all_of},
    {"anyOf", &Compiler::on_any_of},
    {"oneOf", &Compiler::on_one_of},
    {"not", &Compiler::on_not},
    {"definitions", &Compiler::definitions},
    {"$defs", &Compiler::definitions},
    {"$id", &Compiler::on_id},
    {"$schema", &Compiler::on_text},
    {"$comment", &Compiler::on_text},
    {"title", &Compiler::on_text},
    {"description", &Compiler::on_text},
    {"default", &Compiler::on_annotation},
    {"examples", &Compiler::on_annotation},
    {"deprecated", &Compiler::on_annotation},
    {"readOnly", &Compiler::on_annotation},
    {"writeOnly", &Compiler::on_annotation},
}};

void Compiler::fail(std::string_view message) {
  if (failed()) return;
  error_ = Status(StatusCode::kInvalidArgument, pointer_ + ": " + std::string(message));
}

void Compiler::expected(std::string_view what, const Value& found) {
  fail("expected " + std::string(what) + ", found " + std::string(kind_name(found.kind())));
}

Result<std::shared_ptr<const JsonSchemaProgram>> Compiler::run(const Value& schema) {
  if (count_values(schema, 1) > Limits::kValuesMax) {
    fail("more than " + std::to_string(Limits::kValuesMax) + " JSON values");
  } else {
    compile(schema);
    resolve_references(schema);
  }
  if (failed()) return error_;
  if (const NodeIndex index = find_loop(program_); index != kNoNode) {
    pointer_ = pointers_[index];
    fail("$ref leads back here without going into the value, so it would never end");
    return error_;
  }
  skip_plain_references(program_);
  for (SchemaNode& node : program_.nodes) node.simple = is_simple(node);
  return std::shared_ptr<const JsonSchemaProgram>(std::make_shared<JsonSchemaProgram>(std::move(program_)));
}

NodeIndex Compiler::compile(const Value& schema) {
  if (failed()) return kNoNode;
  if (program_.nodes.size() == Limits::kNodesMax) fail("more than " + std::to_string(Limits::kNodesMax) + " schemas");
  if (depth_ == Limits::kDepthMax) fail("more than " + std::to_string(Limits::kDepthMax) + " schemas within each other");
  if (!schema.is_object() && !schema.is_bool()) expected("a schema, that is an object or a boolean", schema);
  if (failed()) return kNoNode;

  const auto index = static_cast<NodeIndex>(program_.nodes.size());
  program_.nodes.emplace_back();
  pointers_.push_back(pointer_);
  index_of_.emplace(&schema, index);
  const Value* const outer = std::exchange(schema_, &schema);
  ++depth_;
  SchemaNode node;
  node.never = schema.as_bool() == false;
  for (const Value::Member& member : schema.members()) compile_keyword(node, member);
  --depth_;
  schema_ = outer;
  if (failed()) return kNoNode;
  finish(node);
  program_.nodes[index] = std::move(node);
  return index;
}

void Compiler::compile_keyword(SchemaNode& node, const Value::Member& member) {
  if (failed()) return;
  const std::size_t outer = pointer_.size();
  append_pointer(pointer_, excerpt(member.key.text, kErrorCutBytes));
  const auto* keyword = std::ranges::find(kKeywords, std::string_view(member.key.text), &Keyword::name);
  if (keyword == kKeywords.end()) {
    unknown_keyword(member.key.text);
  } else {
    (this->*keyword->compile)(node, member.value);
  }
  pointer_.resize(outer);
}

void Compiler::unknown_keyword(std::string_view name) {
  constexpr std::size_t kComparedBytesMax = 64;
  const std::string_view compared = name.substr(0, kComparedBytesMax);
  const auto nearest = std::ranges::min_element(
      kKeywords, {}, [compared](const Keyword& keyword) { return edit_distance(compared, keyword.name); });
  fail("unknown keyword " + quoted(name, kErrorCutBytes) + "; the nearest known one is \"" + std::string(nearest->name) + '"');
}

NodeIndex Compiler::compile_at(std::string_view key, const Value& schema) {
  const std::size_t outer = pointer_.size();
  append_pointer(pointer_, excerpt(key, kErrorCutBytes));
  const NodeIndex index = compile(schema);
  pointer_.resize(outer);
  return index;
}

std::vector<NodeIndex> Compiler::compile_list(const Value& list) {
  std::vector<NodeIndex> nodes;
  if (!list.is_array() || list.size() == 0) {
    fail("expected a list of at least one schema");
    return nodes;
  }
  for (const Value& schema : list.items()) nodes.push_back(compile_at(std::to_string(nodes.size()), schema));
  return nodes;
}

// Groups the keywords by the kind of value they are for, and makes properties and required names one sorted list.
void Compiler::finish(SchemaNode& node) {
  std::ranges::sort(node.properties, KeyOrder(), &SchemaNode::Property::name);
  std::vector<SchemaNode::Property> only_required;
  for (const Text& name : node.required) {
    const auto found = std::ranges::lower_bound(node.properties, name, KeyOrder(), &SchemaNode::Property::name);
    if (found != node.properties.end() && found->name == name) {
      found->required = true;
    } else {
      only_required.push_back({name, kNoNode, true});
    }
  }
  std::ranges::move(only_required, std::back_inserter(node.properties));
  std::ranges::sort(node.properties, KeyOrder(), &SchemaNode::Property::name);

  node.for_numbers = node.minimum || node.maximum || node.exclusive_minimum || node.exclusive_maximum || node.multiple_of;
  node.for_strings = node.length.set || node.pattern || node.format != Format::kNone;
  node.for_arrays = node.item_count.set || node.unique_items || !node.prefix_items.empty() || node.items != kNoNode;
  node.for_objects = node.member_count.set || !node.properties.empty() || node.additional != kNoNode;
  node.for_all = node.ref != kNoNode || !node.all_of.empty() || !node.any_of.empty() || !node.one_of.empty() ||
                 node.excluded != kNoNode;
}

void Compiler::count(std::size_t CountRange::*bound, CountRange& range, const Value& value) {
  const std::optional<std::uint64_t> number = value.as_uint64();
  if (!number) return fail("expected a whole number from 0 on");
  range.*bound = *number;
  range.set = true;
}

void Compiler::bound(std::optional<SchemaNode::Bound>& bound, const Value& value) {
  if (!value.is_number()) return expected("a number", value);
  bound.emplace(SchemaNode::Bound{Decimal::parse(*value.number_text()), std::string(*value.number_text())});
}

void Compiler::on_multiple_of(SchemaNode& node, const Value& value) {
  bound(node.multiple_of, value);
  if (node.multiple_of && node.multiple_of->value <= Decimal()) fail("expected a number above 0");
}

void Compiler::definitions(SchemaNode&, const Value& value) {
  if (!value.is_object()) return expected("an object of schemas", value);
  for (const Value::Member& member : value.members()) compile_at(member.key.text, member.value);
}

void Compiler::on_text(SchemaNode&, const Value& value) {
  if (!value.is_string()) expected("a string", value);
}

void Compiler::on_id(SchemaNode& node, const Value& value) {
  on_text(node, value);
  if (depth_ > 1) fail("an $id inside the document would change what \"#\" means in a $ref; only the whole document has one");
}

void Compiler::on_ref(SchemaNode& node, const Value& value) {
  const std::optional<std::string_view> target = value.as_string();
  if (!target) return expected("a string", value);
  if (!target->starts_with('#')) {
    return fail("only references inside the document, that begin with '#', are followed; found " + quoted(*target));
  }
  references_.push_back({index_of_.find(schema_)->second, std::string(*target), pointer_});
  node.ref = 0;  // until resolve_references()
}

void Compiler::on_type(SchemaNode& node, const Value& value) {
  constexpr std::pair<std::string_view, TypeSet> kTypes[] = {
      {"null", type_bit(Value::Kind::kNull)},     {"boolean", type_bit(Value::Kind::kBool)},
      {"number", type_bit(Value::Kind::kNumber)}, {"string", type_bit(Value::Kind::kString)},
      {"bytes", type_bit(Value::Kind::kBytes)},   {"array", type_bit(Value::Kind::kArray)},
      {"object", type_bit(Value::Kind::kObject)}, {"integer", kIntegerBit},
  };
  node.types = 0;
  const auto add = [&](const Value& name) {
    const auto* type = std::ranges::find_if(kTypes, [&](const auto& entry) { return name == Value(entry.first); });
    if (type == std::end(kTypes)) return fail("expected null, boolean, integer, number, string, bytes, array or object");
    node.types = static_cast<TypeSet>(node.types | type->second);
  };
  if (value.is_array() && value.size() > 0) {
    for (const Value& name : value.items()) add(name);
  } else {
    add(value);
  }
}

void Compiler::on_enum(SchemaNode& node, const Value& value) {
  if (!value.is_array() || value.size() == 0) return fail("expected a list of at least one value");
  if (value.size() > Limits::kEnumMax) return fail("more than " + std::to_string(Limits::kEnumMax) + " values");
  node.has_enum = true;
  for (const Value& entry : value.items()) {
    if (entry.is_string() && !json_string(entry).escaped) {
      node.enum_strings.emplace_back(*entry.as_string());
    } else {
      node.enum_others.push_back(entry);
    }
    if (node.enum_text.size() < Limits::kMessageBytesMax) {
      node.enum_text.append(node.enum_text.empty() ? "" : ", ").append(excerpt(entry.to_json(), 40));
    }
  }
  std::ranges::sort(node.enum_strings, KeyOrder());
}

void Compiler::on_required(SchemaNode& node, const Value& value) {
  if (!value.is_array()) return expected("a list of names", value);
  for (const Value& name : value.items()) {
    if (!name.is_string()) return expected("a list of names", name);
    if (json_string(name).escaped) return fail("a name with half a surrogate pair");
    node.required.emplace_back(*name.as_string());
  }
  std::vector<Text> sorted = node.required;
  std::ranges::sort(sorted, KeyOrder());
  if (std::ranges::adjacent_find(sorted) != sorted.end()) fail("a name comes twice");
}

void Compiler::on_properties(SchemaNode& node, const Value& value) {
  if (!value.is_object()) return expected("an object of schemas", value);
  for (const Value::Member& member : value.members()) {
    node.properties.push_back({member.key, compile_at(member.key.text, member.value), false});
  }
}

void Compiler::on_prefix_items(SchemaNode& node, const Value& value) { node.prefix_items = compile_list(value); }

void Compiler::on_items(SchemaNode& node, const Value& value) {
  if (!value.is_array()) {
    node.items = compile(value);
  } else if (schema_->find("prefixItems") != nullptr) {
    fail("beside prefixItems it must be one schema");
  } else {
    node.prefix_items = compile_list(value);
  }
}

void Compiler::on_additional_items(SchemaNode& node, const Value& value) {
  const Value* const items = schema_->find("items");
  if (items == nullptr || !items->is_array()) return fail("means something only where items is a list");
  node.items = compile(value);
}

void Compiler::on_unique_items(SchemaNode& node, const Value& value) {
  if (!value.is_bool()) return expected("a boolean", value);
  node.unique_items = *value.as_bool();
}

void Compiler::on_pattern(SchemaNode& node, const Value& value) {
  const std::optional<std::string_view> text = value.as_string();
  if (!text) return expected("a string", value);
  if (++pattern_count_ > Limits::kPatternsMax) return fail("more than " + std::to_string(Limits::kPatternsMax) + " patterns");
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_never_capture(true);
  options.set_max_mem(static_cast<std::int64_t>(Limits::kPatternBytesMax));
  auto expression = std::make_shared<const re2::RE2>(re2::StringPiece(text->data(), text->size()), options);
  if (!expression->ok()) return fail("not a pattern of RE2: " + excerpt(expression->error(), kErrorCutBytes));
  if (expression->ProgramSize() > static_cast<int>(Limits::kPatternProgramMax)) {
    return fail("too large a pattern; minLength and maxLength count characters at less cost than {m,n}");
  }
  node.pattern = SchemaNode::Pattern{std::string(*text), std::move(expression)};
}

void Compiler::on_format(SchemaNode& node, const Value& value) {
  const std::optional<Format> format = format_of(value.as_string().value_or(""));
  if (!format) return fail("expected one of " + std::string(format_names()));
  node.format = *format;
}

void Compiler::resolve_references(const Value& root) {
  for (const Reference& reference : references_) {
    if (failed()) return;
    const std::optional<std::string> pointer = decode_fragment(std::string_view(reference.target).substr(1));
    const Value* const target = pointer ? resolve_pointer(root, *pointer) : nullptr;
    const auto found = index_of_.find(target);
    if (found == index_of_.end()) {
      pointer_ = reference.pointer;
      return fail(quoted(reference.target) + " names no schema of this document");
    }
    program_.nodes[reference.from].ref = found->second;
  }
}

}  // namespace

Result<JsonSchema> JsonSchema::compile(const Value& schema) {
  auto program = Compiler().run(schema);
  if (!program.ok()) return program.status();
  return JsonSchema(std::move(*program));
}

}  // namespace tidewire::policy
