// hub/past_totals.h - how many sockets there have been in namespaces that are gone, so that "since the start" stays true.
//
//   tenants_ { tenant -> names { namespace -> totals by dialect }, lost }
//
// A dynamic namespace that is emptied, or a tenant's copy of a declared one, may be forgotten (cleanup_empty_child_namespaces of
// HubOptions); its totals wait here until somebody makes it again. Bounded, as names come from clients:
// kPastNamespacesPerTenantMax names of each of kPastTenantsMax tenants. What comes beyond is not kept, and lost() says so: who
// answers can tell that a figure may be too low. Nothing is pushed out, so that a tenant of many short-lived names costs the
// totals of no other.
// Threads: its shard only.
#pragma once

#include <string>

#include "base/string_map.h"
#include "hub/namespace.h"

namespace tidewire::hub {

class PastTotals {
 public:
  void keep(const NamespaceKey& key, const DialectTotals& totals);
  // Takes what is known of it out of here; zeros for nothing.
  DialectTotals take(const NamespaceKey& key);
  // The same, left here.
  DialectTotals find(const NamespaceKey& key) const;
  // Something of this tenant was not kept.
  bool lost(std::string_view tenant) const;

 private:
  struct Tenant {
    base::StringMap<DialectTotals> names;
    bool lost = false;
  };
  base::StringMap<Tenant> tenants_;
  bool lost_tenants_ = false;
};

}  // namespace tidewire::hub
