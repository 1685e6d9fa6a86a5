// hub/registry.h - the namespaces an application declared, by name, by pattern or by predicate; one for all shards.
//
// Dynamic namespaces are bounded: peers choose their names. One that is not held by any shard any more may be released.
//
// A namespace that is made while the server runs is published when its `namespace_created` listener has returned: nobody enters
// it, on any shard, before the handlers that the listener adds are there. No lock is held while the listener runs.
// Threads: any; a mutex guards the tables. It is taken when a shard meets a namespace for the first time, never per message.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/string_map.h"
#include "hub/handlers.h"

namespace tidewire::hub {

// Decides whether a dynamic namespace exists: answers at once or later, on the shard that asked. `auth` is the JSON text of
// the CONNECT payload, empty for none.
using NamespaceAnswer = UniqueFunction<void(bool allowed)>;
using NamespacePredicate = UniqueFunction<void(std::string_view name, std::string_view auth, NamespaceAnswer)>;

// The same by the name alone and at once, without consequences; from any thread.
using NamespacePattern = std::function<bool(std::string_view name)>;

struct NamespaceParent {
  std::shared_ptr<NamespaceDefinition> definition;
  NamespacePredicate matches;
  NamespacePattern fits;  // none: only `matches` knows, and asking it may have consequences
};

// "" is "/", "chat" is "/chat".
std::string full_namespace_name(std::string_view name);

class NamespaceRegistry {
 public:
  using Found = UniqueFunction<void(const std::shared_ptr<NamespaceDefinition>&)>;

  // Called, on any thread, when a child or a declared namespace comes into being. Throws nothing.
  Found namespace_created;

  // How many dynamic namespaces child() may make. Before the first.
  void set_dynamic_max(std::size_t count) noexcept { dynamic_max_ = count; }

  // The namespace of this name, made when missing. A parent with a synchronous match adopts it: then it is dynamic and counts,
  // but is not refused. It may be one that is being made and not published yet.
  std::shared_ptr<NamespaceDefinition> of(std::string_view name);
  std::shared_ptr<NamespaceDefinition> find(std::string_view name) const;
  std::shared_ptr<NamespaceDefinition> add_parent(NamespacePredicate matches);
  std::shared_ptr<NamespaceDefinition> add_parent(NamespacePattern fits);
  // Whether somebody could come into a namespace of this name: it exists, or a pattern fits. Makes none and asks no predicate.
  bool accepts(std::string_view name) const;
  // The child `name` of `parent`; racing calls get the same one. Null when it is being made: then `later` hears of it, on the
  // thread that makes it. kResourceExhausted when it would be one too many.
  Result<std::shared_ptr<NamespaceDefinition>> child(std::string_view name, const NamespaceParent& parent, Found later);
  // A shard makes its Namespace. Returns what it is made of: the given one, or one of that name that came since it was released.
  std::shared_ptr<NamespaceDefinition> hold(const std::shared_ptr<NamespaceDefinition>& definition);
  // A shard has ended its Namespace; with the last one a dynamic definition goes. REQUIRES: it was held
  void release(const NamespaceDefinition& definition);

  // Parents in order of declaration; stable addresses.
  std::vector<const NamespaceParent*> parents() const;
  std::vector<std::shared_ptr<NamespaceDefinition>> children_of(const NamespaceDefinition& parent) const;
  std::vector<std::shared_ptr<NamespaceDefinition>> all() const;
  // The application has declared everything: several shards will read the handler lists now.
  void freeze();

 private:
  // Not published yet: its listener runs.
  struct Making {
    std::shared_ptr<NamespaceDefinition> definition;
    std::vector<Found> waiting;
  };
  std::shared_ptr<NamespaceDefinition> add_parent(NamespacePredicate matches, NamespacePattern fits);
  // Publishes what is made; returns what the name means from now on.
  std::shared_ptr<NamespaceDefinition> announce(const std::shared_ptr<NamespaceDefinition>& definition);

  mutable std::mutex mutex_;
  base::StringMap<std::shared_ptr<NamespaceDefinition>> by_name_;
  base::StringMap<Making> making_;
  std::vector<std::unique_ptr<NamespaceParent>> parents_;
  std::size_t dynamic_count_ = 0;  // in by_name_ and making_
  std::size_t dynamic_max_ = base::limits::kDynamicNamespacesMax;
  bool frozen_ = false;
};

}  // namespace tidewire::hub
