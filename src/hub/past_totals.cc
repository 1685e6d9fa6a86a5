#include "hub/past_totals.h"

#include "base/limits.h"

namespace tidewire::hub {

void PastTotals::keep(const NamespaceKey& key, const DialectTotals& totals) {
  if (totals == DialectTotals{}) return;
  if (!tenants_.contains(key.tenant) && tenants_.size() >= base::limits::kPastTenantsMax) {
    lost_tenants_ = true;
    return;
  }
  const auto [place, is_new] = tenants_.try_emplace(key.tenant);
  Tenant& tenant = place->second;
  if (is_new) tenant.lost = lost_tenants_;  // it may have been one of them
  if (tenant.names.size() >= base::limits::kPastNamespacesPerTenantMax) {
    tenant.lost = true;
    return;
  }
  tenant.names[key.name] = totals;
}

DialectTotals PastTotals::take(const NamespaceKey& key) {
  const auto tenant = tenants_.find(key.tenant);
  if (tenant == tenants_.end()) return {};
  const auto known = tenant->second.names.find(key.name);
  if (known == tenant->second.names.end()) return {};
  const DialectTotals totals = known->second;
  tenant->second.names.erase(known);
  if (tenant->second.names.empty() && !tenant->second.lost) tenants_.erase(tenant);
  return totals;
}

DialectTotals PastTotals::find(const NamespaceKey& key) const {
  const auto tenant = tenants_.find(key.tenant);
  if (tenant == tenants_.end()) return {};
  const auto known = tenant->second.names.find(key.name);
  return known == tenant->second.names.end() ? DialectTotals{} : known->second;
}

bool PastTotals::lost(std::string_view tenant) const {
  const auto known = tenants_.find(tenant);
  return known == tenants_.end() ? lost_tenants_ : known->second.lost;
}

}  // namespace tidewire::hub
