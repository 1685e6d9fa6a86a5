// One recursion over schema and instance together. Its depth and its steps are bounded, whatever the two look like:
//
//   check --> type, enum, const --> by kind: numbers | strings | arrays | objects --> combined ($ref, allOf, anyOf, oneOf, not)
//     ^                                              items       members                        alternatives, quietly
//     +----------------------------------------------+-----------+------------------------------+
#include <algorithm>
#include <cmath>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "base/limits.h"
#include "policy/excerpt.h"
#include "policy/json_pointer.h"
#include "policy/json_schema.h"
#include "policy/json_schema_program.h"
#include "policy/json_string.h"

namespace tidewire::policy {
namespace {

using Limits = JsonSchemaLimits;

// Where in the instance we are: a list up the stack, written out only for a violation.
struct Place {
  const Place* outer = nullptr;
  const Text* key = nullptr;  // of a member; none: the index counts
  std::size_t index = 0;
};

std::string pointer_to(const Place* place) {
  std::vector<const Place*> path;
  for (; place->outer != nullptr; place = place->outer) path.push_back(place);
  std::string pointer;
  for (auto step = path.rbegin(); step != path.rend() && pointer.size() <= Limits::kMessageBytesMax; ++step) {
    const Text* const key = (*step)->key;
    append_pointer(pointer, key == nullptr ? std::to_string((*step)->index) : key->text.substr(0, Limits::kMessageBytesMax));
  }
  return excerpt(pointer, Limits::kMessageBytesMax);
}

class Validator {
 public:
  explicit Validator(const JsonSchemaProgram& program) noexcept : program_(program) {}

  std::optional<Violation> run(const Value& instance) {
    if (check(program_.root, instance, Place())) return std::nullopt;
    return std::move(violation_);
  }

 private:
  struct Hashed {
    std::size_t hash;
    std::size_t values;  // how many it is made of: what a comparison costs
    std::size_t index;
  };

  // `message` makes the text; it is not called while alternatives are tried. Always false.
  template <typename Message>
  bool fail(const Place& place, std::string_view keyword, Message&& message) {
    if (quiet_ == 0) violation_ = Violation{pointer_to(&place), keyword, excerpt(message(), Limits::kMessageBytesMax)};
    return false;
  }
  // False when the work is too much. Then every answer is false, and who turns answers round asks exhausted_ first.
  bool spend(std::size_t steps, const Place& place) {
    if (steps <= steps_left_ && !exhausted_) [[likely]] {
      steps_left_ -= steps;
      return true;
    }
    return give_up(place);
  }
  bool give_up(const Place& place) {
    if (!exhausted_) violation_ = Violation{pointer_to(&place), "limit", "too complex to be validated"};
    exhausted_ = true;
    return false;
  }

  bool check(NodeIndex index, const Value& value, const Place& place);
  bool check_type(const SchemaNode& node, const Value& value, const Place& place);
  bool check_values(const SchemaNode& node, const Value& value, const Place& place);
  bool check_number(const SchemaNode& node, const Value& value, const Place& place);
  bool check_string(const SchemaNode& node, const Value& value, const Place& place);
  bool check_pattern(const SchemaNode& node, std::string_view text, const Place& place);
  bool check_array(const SchemaNode& node, const Value& value, const Place& place);
  bool check_unique(const Value& value, const Place& place);
  bool check_object(const SchemaNode& node, const Value& value, const Place& place);
  bool check_member(const SchemaNode& node, const SchemaNode::Property* property, const Value::Member& member,
                    const Place& place);
  bool check_combined(const SchemaNode& node, const Value& value, const Place& place);
  bool check_alternatives(const SchemaNode& node, const Value& value, const Place& place);
  bool check_count(const CountRange& range, std::size_t found, std::string_view minimum, std::string_view maximum,
                   std::string_view what, const Place& place);

  // Whether the value matches, without a violation. Look at exhausted_ before believing it.
  bool try_quietly(NodeIndex index, const Value& value, const Place& place) {
    ++quiet_;
    const bool good = check(index, value, place);
    --quiet_;
    return good;
  }
  // Equal values have equal hashes. Adds to `values` how many there are in `value`.
  std::size_t hash(const Value& value, std::size_t& values, const Place& place, std::size_t depth = 0);

  const JsonSchemaProgram& program_;
  std::size_t steps_left_ = Limits::kStepsMax;
  std::size_t open_ = 0;   // calls of check()
  std::size_t quiet_ = 0;  // alternatives that are being tried
  bool exhausted_ = false;
  std::optional<Violation> violation_;
};

bool Validator::check(NodeIndex index, const Value& value, const Place& place) {
  if (open_ == Limits::kEvaluationsOpenMax) return give_up(place);
  if (!spend(1, place)) return false;
  const SchemaNode& node = program_.nodes[index];
  ++open_;
  bool good = check_type(node, value, place) && check_values(node, value, place);
  switch (value.kind()) {
    case Value::Kind::kNumber: good = good && (!node.for_numbers || check_number(node, value, place)); break;
    case Value::Kind::kString:
    case Value::Kind::kBytes: good = good && (!node.for_strings || check_string(node, value, place)); break;
    case Value::Kind::kArray: good = good && (!node.for_arrays || check_array(node, value, place)); break;
    case Value::Kind::kObject: good = good && (!node.for_objects || check_object(node, value, place)); break;
    case Value::Kind::kNull:
    case Value::Kind::kBool: break;
  }
  good = good && (!node.for_all || check_combined(node, value, place));
  --open_;
  return good;
}

std::string type_names(TypeSet types) {
  constexpr std::string_view kNames[] = {"null",  "a boolean", "a number",  "a string",
                                         "bytes", "an array",  "an object", "an integer"};
  std::string text;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((types & (1u << bit)) == 0) continue;
    types = static_cast<TypeSet>(types & ~(1u << bit));
    text.append(text.empty() ? "" : types == 0 ? " or " : ", ").append(kNames[bit]);
  }
  return text;
}

bool Validator::check_type(const SchemaNode& node, const Value& value, const Place& place) {
  if (node.never) return fail(place, "false", [] { return std::string("nothing is allowed here"); });
  if ((node.types & type_bit(value.kind())) != 0) return true;
  if (value.is_number() && (node.types & kIntegerBit) != 0) {
    if (value.is_integer() || Decimal::parse(*value.number_text()).is_integer()) return true;
    return fail(place, "type", [&] {
      return "expected " + type_names(node.types) + ", found " + std::string(*value.number_text());
    });
  }
  return fail(place, "type", [&] {
    return "expected " + type_names(node.types) + ", found " + std::string(kind_name(value.kind()));
  });
}

bool Validator::check_values(const SchemaNode& node, const Value& value, const Place& place) {
  if (node.constant && !(*node.constant == value)) {
    return fail(place, "const", [&] { return "expected " + excerpt(node.constant->to_json(), 100); });
  }
  if (!node.has_enum) return true;
  if (!spend(node.enum_others.size(), place)) return false;
  const auto same = [&value](const Value& allowed) { return allowed == value; };
  const auto among_strings = [&] {
    const JsonString string = json_string(value);
    return !string.escaped && is_one_of(node.enum_strings, string.text);
  };
  if ((value.is_string() && among_strings()) || std::ranges::any_of(node.enum_others, same)) return true;
  return fail(place, "enum", [&] { return "expected one of " + node.enum_text; });
}

bool Validator::check_number(const SchemaNode& node, const Value& value, const Place& place) {
  const std::string_view text = *value.number_text();
  const auto broken = broken_bound(node, Decimal::parse(text));
  if (!broken) return true;
  return fail(place, broken->keyword, [&] {
    return "expected " + std::string(broken->what) + broken->bound->text + ", found " + std::string(text);
  });
}

bool Validator::check_count(const CountRange& range, std::size_t found, std::string_view minimum, std::string_view maximum,
                            std::string_view what, const Place& place) {
  if (range.holds(found)) return true;
  const bool few = found < range.min;
  return fail(place, few ? minimum : maximum, [&] {
    return std::string(few ? "expected at least " : "expected at most ") + std::to_string(few ? range.min : range.max) + " " +
           std::string(what) + ", found " + std::to_string(found);
  });
}

bool Validator::check_string(const SchemaNode& node, const Value& value, const Place& place) {
  if (value.is_bytes()) {
    return check_count(node.length, value.as_bytes()->size(), "minLength", "maxLength", "bytes", place);
  }
  const JsonString string = json_string(value);
  if (!spend(string.text.size() / 256, place)) return false;
  if (node.length.set &&
      !check_count(node.length, string.length(), "minLength", "maxLength", "characters", place)) {
    return false;
  }
  if (node.pattern || node.format != Format::kNone) {
    std::string unescaped;
    const std::string_view text = string.readable(unescaped);
    if (node.pattern && !check_pattern(node, text, place)) return false;
    if (!matches(node.format, text)) {
      return fail(place, "format", [&] { return "expected " + std::string(format_example(node.format)); });
    }
  }
  return true;
}

bool Validator::check_pattern(const SchemaNode& node, std::string_view text, const Place& place) {
  // Out of memory for its automaton, RE2 falls back to work in proportion to both sizes: that is what is counted. Measured at up
  // to 16 ns for each byte and instruction, all steps of a validation are then half a second; with the automaton, a millisecond.
  const auto program_size = static_cast<std::size_t>(std::max(1, node.pattern->expression->ProgramSize()));
  if (!spend(text.size() * program_size / 256, place)) return false;
  if (re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *node.pattern->expression)) return true;
  return fail(place, "pattern", [&] { return "does not match the pattern " + excerpt(node.pattern->text, 100); });
}

bool Validator::check_array(const SchemaNode& node, const Value& value, const Place& place) {
  const std::span<const Value> items = value.items();
  if (!check_count(node.item_count, items.size(), "minItems", "maxItems", "items", place)) return false;
  for (std::size_t index = 0; index < items.size(); ++index) {
    const bool first = index < node.prefix_items.size();
    if (!first && node.items == kNoNode) break;
    const Place inside{&place, nullptr, index};
    if (!check(first ? node.prefix_items[index] : node.items, items[index], inside)) return false;
  }
  return !node.unique_items || check_unique(value, place);
}

bool Validator::check_unique(const Value& value, const Place& place) {
  const std::span<const Value> items = value.items();
  if (!spend(items.size(), place)) return false;
  std::vector<Hashed> hashed;
  hashed.reserve(items.size());
  for (std::size_t index = 0; index < items.size(); ++index) {
    std::size_t values = 0;
    const std::size_t key = hash(items[index], values, place);
    if (exhausted_) return false;
    hashed.push_back({key, values, index});
  }
  std::ranges::sort(hashed, [](const Hashed& a, const Hashed& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.index < b.index;
  });
  for (std::size_t i = 0; i < hashed.size(); ++i) {
    for (std::size_t j = i + 1; j < hashed.size() && hashed[j].hash == hashed[i].hash; ++j) {
      if (!spend(std::min(hashed[i].values, hashed[j].values), place)) return false;
      if (!(items[hashed[i].index] == items[hashed[j].index])) continue;
      return fail(place, "uniqueItems", [&] {
        return "items " + std::to_string(hashed[i].index) + " and " + std::to_string(hashed[j].index) + " are equal";
      });
    }
  }
  return true;
}

std::size_t Validator::hash(const Value& value, std::size_t& values, const Place& place, std::size_t depth) {
  if (depth > base::limits::kJsonDepthMax) {
    give_up(place);
    return 0;
  }
  const std::string_view text = value.as_string().value_or(value.is_bytes() ? value.as_bytes()->view() : "");
  if (!spend(1 + text.size() / 256, place)) return 0;
  ++values;
  const auto kind = static_cast<unsigned>(value.kind());
  if (value.is_bool()) return absl::HashOf(kind, *value.as_bool());
  if (value.is_number()) return absl::HashOf(kind, *value.as_double());  // equal numbers have equal doubles
  std::size_t sum = absl::HashOf(kind, absl::string_view(text.data(), text.size()));
  for (const Value& item : value.items()) sum = absl::HashOf(sum, hash(item, values, place, depth + 1));
  for (const Value::Member& member : value.members()) {
    if (exhausted_) return 0;
    // A sum, since the order of members does not count.
    sum += absl::HashOf(absl::string_view(member.key.text), hash(member.value, values, place, depth + 1));
  }
  return sum;
}

// Few properties are compared one after the other, mostly by their sizes: a ninth of the instructions of validating eight members less.
const SchemaNode::Property* property_of(const SchemaNode& node, const Text& key) {
  constexpr std::size_t kFew = 16;
  auto found = node.properties.begin();
  if (node.properties.size() > kFew) {
    found = std::ranges::lower_bound(node.properties, key, KeyOrder(), &SchemaNode::Property::name);
    return found != node.properties.end() && found->name == key ? &*found : nullptr;
  }
  while (found != node.properties.end() && found->name != key) ++found;
  return found == node.properties.end() ? nullptr : &*found;
}

bool Validator::check_object(const SchemaNode& node, const Value& value, const Place& place) {
  const std::span<const Value::Member> members = value.members();
  if (!check_count(node.member_count, members.size(), "minProperties", "maxProperties", "members", place)) return false;
  if (node.properties.empty() && node.additional == kNoNode) return true;
  if (!spend(members.size(), place)) return false;
  std::size_t required_found = 0;  // keys are unique
  for (const Value::Member& member : members) {
    const SchemaNode::Property* const property = property_of(node, member.key);
    if (property != nullptr && property->required) ++required_found;
    if (!check_member(node, property, member, place)) return false;
  }
  if (required_found == node.required.size()) return true;
  return fail(place, "required", [&] {
    const auto missing = std::ranges::find_if(node.required, [&](const Text& name) { return value.find(name) == nullptr; });
    return "the member " + quoted(missing->text) + " is missing";
  });
}

bool Validator::check_member(const SchemaNode& node, const SchemaNode::Property* property, const Value::Member& member,
                             const Place& place) {
  const bool listed = property != nullptr && property->schema != kNoNode;
  const NodeIndex schema = listed ? property->schema : node.additional;
  if (schema == kNoNode) return true;
  if (!listed && program_.nodes[schema].never) {
    return fail(place, "additionalProperties", [&] { return "the member " + quoted(member.key.text) + " is not known"; });
  }
  const Place inside{&place, &member.key, 0};
  return check(schema, member.value, inside);
}

bool Validator::check_combined(const SchemaNode& node, const Value& value, const Place& place) {
  if (node.ref != kNoNode && !check(node.ref, value, place)) return false;
  if (!std::ranges::all_of(node.all_of, [&](NodeIndex index) { return check(index, value, place); })) return false;
  if (!check_alternatives(node, value, place)) return false;
  if (node.excluded == kNoNode) return true;
  const bool matched = try_quietly(node.excluded, value, place);
  if (exhausted_) return false;
  return !matched || fail(place, "not", [] { return std::string("is what the contract excludes"); });
}

bool Validator::check_alternatives(const SchemaNode& node, const Value& value, const Place& place) {
  const auto matching = [&](NodeIndex index) { return try_quietly(index, value, place); };
  if (!node.any_of.empty() && std::ranges::none_of(node.any_of, matching)) {
    if (exhausted_) return false;
    return fail(place, "anyOf", [&] {
      return "matches none of the " + std::to_string(node.any_of.size()) + " alternatives";
    });
  }
  if (node.one_of.empty()) return true;
  const auto count = std::ranges::count_if(node.one_of, matching);
  if (exhausted_) return false;
  return count == 1 || fail(place, "oneOf", [&] {
    return "matches " + std::to_string(count) + " of the " + std::to_string(node.one_of.size()) +
           " alternatives, expected exactly one";
  });
}

}  // namespace

std::optional<BrokenBound> broken_bound(const SchemaNode& node, const Decimal& number) {
  if (node.minimum && number < node.minimum->value) return BrokenBound{"minimum", "at least ", &*node.minimum};
  if (node.maximum && number > node.maximum->value) return BrokenBound{"maximum", "at most ", &*node.maximum};
  if (node.exclusive_minimum && number <= node.exclusive_minimum->value) {
    return BrokenBound{"exclusiveMinimum", "more than ", &*node.exclusive_minimum};
  }
  if (node.exclusive_maximum && number >= node.exclusive_maximum->value) {
    return BrokenBound{"exclusiveMaximum", "less than ", &*node.exclusive_maximum};
  }
  if (node.multiple_of && !number.is_multiple_of(node.multiple_of->value)) {
    return BrokenBound{"multipleOf", "a multiple of ", &*node.multiple_of};
  }
  return std::nullopt;
}

bool is_one_of(const std::vector<Text>& strings, std::string_view text) noexcept {
  const auto order = [](const Text& a, std::string_view b) { return a.text.size() != b.size() ? a.text.size() < b.size() : a.text < b; };
  const auto found = std::lower_bound(strings.begin(), strings.end(), text, order);
  return found != strings.end() && found->text == text && !found->escaped;
}

std::optional<Violation> JsonSchema::validate(const Value& instance) const { return Validator(*program_).run(instance); }

}  // namespace tidewire::policy
