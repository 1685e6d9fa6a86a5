#include "hub/registry.h"

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"

namespace tidewire::hub {
namespace {

// "chat" is "/chat", and "" is "/".
}  // namespace

std::string full_namespace_name(std::string_view name) {
  return name.empty() || name.front() != '/' ? "/" + std::string(name) : std::string(name);
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::of(std::string_view name) {
  const std::string wanted = full_namespace_name(name);
  if (auto found = find(wanted)) return found;
  // A child made by hand belongs to the parent whose pattern it matches, when that answers at once.
  const NamespaceParent* adopter = nullptr;
  for (const NamespaceParent* parent : parents()) {
    bool matched = false;
    auto answered = std::make_shared<bool*>(&matched);
    parent->matches(wanted, {}, [answered](bool allowed) {
      if (*answered != nullptr) **answered = allowed;
    });
    *answered = nullptr;
    if (matched) {
      adopter = parent;
      break;
    }
  }
  std::shared_ptr<NamespaceDefinition> made;
  {
    std::lock_guard lock(mutex_);
    if (const auto known = by_name_.find(wanted); known != by_name_.end()) return known->second;
    Making& making = making_[wanted];
    if (making.definition != nullptr) return making.definition;
    made = std::make_shared<NamespaceDefinition>(wanted, adopter == nullptr ? nullptr : adopter->definition);
    made->dynamic = adopter != nullptr;
    dynamic_count_ += made->dynamic ? 1 : 0;
    making.definition = made;
  }
  return announce(made);
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

bool NamespaceRegistry::accepts(std::string_view name) const {
  const std::string wanted = full_namespace_name(name);
  if (wanted.size() > base::limits::kNamespaceNameBytesMax) return false;  // no dialect lets it through
  if (find(wanted) != nullptr) return true;
  return std::ranges::any_of(parents(), [&](const NamespaceParent* parent) { return parent->fits && parent->fits(wanted); });
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::add_parent(NamespacePredicate matches) {
  return add_parent(std::move(matches), {});
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::add_parent(NamespacePattern fits) {
  NamespacePredicate matches = [fits](std::string_view name, std::string_view, const NamespaceAnswer& answer) { answer(fits(name)); };
  return add_parent(std::move(matches), std::move(fits));
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::add_parent(NamespacePredicate matches, NamespacePattern fits) {
  std::lock_guard lock(mutex_);
  auto parent = std::make_unique<NamespaceParent>();
  parent->definition = std::make_shared<NamespaceDefinition>("/_" + std::to_string(parents_.size()));
  parent->definition->is_parent = true;
  parent->matches = std::move(matches);
  parent->fits = std::move(fits);
  parents_.push_back(std::move(parent));
  return parents_.back()->definition;
}

Result<std::shared_ptr<NamespaceDefinition>> NamespaceRegistry::child(std::string_view name, const NamespaceParent& parent,
                                                                      Found later) {
  std::shared_ptr<NamespaceDefinition> made;
  {
    std::lock_guard lock(mutex_);
    if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
    if (const auto making = making_.find(name); making != making_.end()) {
      making->second.waiting.push_back(std::move(later));
      return std::shared_ptr<NamespaceDefinition>();
    }
    if (dynamic_count_ >= dynamic_max_) return Status(StatusCode::kResourceExhausted, "too many dynamic namespaces");
    ++dynamic_count_;
    made = std::make_shared<NamespaceDefinition>(std::string(name), parent.definition);
    made->dynamic = true;
    making_[name].definition = made;
  }
  return announce(made);
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::announce(const std::shared_ptr<NamespaceDefinition>& definition) {
  if (namespace_created) namespace_created(definition);
  std::shared_ptr<NamespaceDefinition> published;
  std::vector<Found> waiting;
  {
    std::lock_guard lock(mutex_);
    if (frozen_) definition->freeze();
    const auto [place, is_new] = by_name_.try_emplace(definition->name(), definition);
    // hold() may have brought back the one before, which has members now.
    if (!is_new && definition->dynamic) --dynamic_count_;
    published = place->second;
    const auto making = making_.find(definition->name());
    waiting = std::move(making->second.waiting);
    making_.erase(making);
  }
  for (const Found& found : waiting) found(published);
  return published;
}

std::shared_ptr<NamespaceDefinition> NamespaceRegistry::hold(const std::shared_ptr<NamespaceDefinition>& definition) {
  std::lock_guard lock(mutex_);
  const auto [place, again] = by_name_.try_emplace(definition->name(), definition);
  if (again) ++dynamic_count_;  // found by one shard, then released by the last other one
  ++place->second->instances;
  return place->second;
}

void NamespaceRegistry::release(const NamespaceDefinition& definition) {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(definition.name());
  TW_ASSERT(found != by_name_.end() && found->second.get() == &definition && definition.instances > 0);
  if (--found->second->instances > 0 || !definition.dynamic) return;
  by_name_.erase(found);
  --dynamic_count_;
}

std::vector<const NamespaceParent*> NamespaceRegistry::parents() const {
  std::lock_guard lock(mutex_);
  std::vector<const NamespaceParent*> list;
  for (const auto& parent : parents_) list.push_back(parent.get());
  return list;
}

std::vector<std::shared_ptr<NamespaceDefinition>> NamespaceRegistry::children_of(const NamespaceDefinition& parent) const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<NamespaceDefinition>> list;
  for (const auto& [name, definition] : by_name_) {
    if (definition->parent() == &parent) list.push_back(definition);
  }
  return list;
}

std::vector<std::shared_ptr<NamespaceDefinition>> NamespaceRegistry::all() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<NamespaceDefinition>> list;
  for (const auto& [name, definition] : by_name_) list.push_back(definition);
  return list;
}

void NamespaceRegistry::freeze() {
  std::lock_guard lock(mutex_);
  frozen_ = true;
  for (const auto& [name, definition] : by_name_) definition->freeze();
  for (const auto& parent : parents_) parent->definition->freeze();
}

}  // namespace tidewire::hub
