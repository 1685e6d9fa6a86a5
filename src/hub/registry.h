// hub/registry.h - the namespaces an application declared, by name, by pattern or by predicate; one for all shards.
//
// Threads: any; a mutex guards the tables. It is taken when a shard meets a namespace for the first time, never per message.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "hub/handlers.h"

namespace tidewire::hub {

// Decides whether a dynamic namespace exists: answers at once or later, on the shard that asked. `auth` is the JSON text of
// the CONNECT payload, empty for none.
using NamespaceAnswer = UniqueFunction<void(bool allowed)>;
using NamespacePredicate = UniqueFunction<void(std::string_view name, std::string_view auth, NamespaceAnswer)>;

struct NamespaceParent {
  std::shared_ptr<NamespaceDefinition> definition;
  NamespacePredicate matches;
};

class NamespaceRegistry {
 public:
  // Called, on any thread, when a child or a declared namespace comes into being.
  UniqueFunction<void(const std::shared_ptr<NamespaceDefinition>&)> namespace_created;

  // The namespace of this name, made when missing. A parent with a synchronous match adopts it.
  std::shared_ptr<NamespaceDefinition> of(std::string_view name);
  std::shared_ptr<NamespaceDefinition> find(std::string_view name) const;
  std::shared_ptr<NamespaceDefinition> add_parent(NamespacePredicate matches);
  // The child `name` of `parent`; racing calls get the same one.
  std::shared_ptr<NamespaceDefinition> child(std::string_view name, const NamespaceParent& parent);
  // Forgets a dynamic namespace.
  void forget(const NamespaceDefinition& definition);

  // Parents in order of declaration; stable addresses.
  std::vector<const NamespaceParent*> parents() const;
  std::vector<std::shared_ptr<NamespaceDefinition>> children_of(const NamespaceDefinition& parent) const;
  std::vector<std::shared_ptr<NamespaceDefinition>> all() const;
  // The application has declared everything: several shards will read the handler lists now.
  void freeze();

 private:
  mutable std::mutex mutex_;
  base::StringMap<std::shared_ptr<NamespaceDefinition>> by_name_;
  std::vector<std::unique_ptr<NamespaceParent>> parents_;
  bool frozen_ = false;
};

}  // namespace tidewire::hub
