#include "server/reload.h"

#include "server/settings_table.h"

namespace tidewire::server {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

}  // namespace

std::string ReloadPlan::text() const {
  if (applied.empty() && needs_restart.empty()) return "nothing changed";
  std::string out;
  if (!applied.empty()) out.append(joined(applied)).append(" changed");
  if (needs_restart.empty()) return out;
  out.append(out.empty() ? "" : "; ").append(joined(needs_restart));
  return out.append(needs_restart.size() == 1 ? " needs a restart" : " need a restart");
}

ReloadPlan plan_reload(Settings running, Settings wanted) {
  ReloadPlan plan;
  for (const SettingRow& row : settings_table()) {
    if (same_setting(row, running, wanted)) continue;
    const bool live = row.reload == Reload::kLive;
    (live ? plan.applied : plan.needs_restart).push_back(name_of(row));
    if (live) copy_setting(row, wanted, running);
  }
  plan.settings = std::move(running);
  return plan;
}

}  // namespace tidewire::server
