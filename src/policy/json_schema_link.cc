// References, once every schema of the document has its number: no loop may be left, and no detour.
#include <algorithm>

#include "policy/json_schema_program.h"

namespace tidewire::policy {
namespace {

enum class State : std::uint8_t { kNew, kOpen, kDone };

// Whether evaluating the node comes back to it without having gone into the instance. No deeper than there are nodes.
bool loops(const JsonSchemaProgram& program, NodeIndex index, std::vector<State>& states) {
  if (states[index] != State::kNew) return states[index] == State::kOpen;
  states[index] = State::kOpen;
  const SchemaNode& node = program.nodes[index];
  const auto into = [&](NodeIndex next) { return next != kNoNode && loops(program, next, states); };
  const bool found = into(node.ref) || into(node.excluded) || std::ranges::any_of(node.all_of, into) ||
                     std::ranges::any_of(node.any_of, into) || std::ranges::any_of(node.one_of, into);
  states[index] = State::kDone;
  return found;
}

bool is_plain_reference(const SchemaNode& node) {
  return node.ref != kNoNode && !node.never && node.types == kAnyType && !node.constant && !node.has_enum &&
         !node.for_numbers && !node.for_strings && !node.for_arrays && !node.for_objects && node.all_of.empty() &&
         node.any_of.empty() && node.one_of.empty() && node.excluded == kNoNode;
}

}  // namespace

NodeIndex find_loop(const JsonSchemaProgram& program) {
  std::vector<State> states(program.nodes.size(), State::kNew);
  for (NodeIndex index = 0; index < program.nodes.size(); ++index) {
    if (loops(program, index, states)) return index;
  }
  return kNoNode;
}

void skip_plain_references(JsonSchemaProgram& program) {
  const auto skip = [&](NodeIndex& index) {
    while (index != kNoNode && is_plain_reference(program.nodes[index])) index = program.nodes[index].ref;
  };
  for (SchemaNode& node : program.nodes) {
    for (auto* list : {&node.prefix_items, &node.all_of, &node.any_of, &node.one_of}) std::ranges::for_each(*list, skip);
    for (NodeIndex* index : {&node.items, &node.additional, &node.excluded}) skip(*index);
    for (SchemaNode::Property& property : node.properties) skip(property.schema);
    if (!is_plain_reference(node)) skip(node.ref);
  }
  skip(program.root);
}

}  // namespace tidewire::policy
