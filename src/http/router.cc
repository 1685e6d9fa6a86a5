#include "http/router.h"

#include <utility>

namespace tidewire::http {

void Router::add(std::string path, Match match, Handler& handler) {
  routes_.push_back({std::move(path), match, false, &handler});
}

void Router::add_upgrade(std::string path, Match match, Handler& handler) {
  routes_.push_back({std::move(path), match, true, &handler});
}

Handler* Router::find(const Request& request) const {
  const bool upgrade = request.upgrade && equals_ignoring_case(request.header("upgrade"), "websocket");
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (route.upgrade_only != upgrade) continue;
    const bool matches = route.match == Match::kExact ? request.path == route.path : request.path.starts_with(route.path);
    if (matches && (best == nullptr || better(route, *best))) best = &route;
  }
  return best == nullptr ? nullptr : best->handler;
}

// An exact match beats a prefix of the same text.
bool Router::better(const Route& route, const Route& than) noexcept {
  if (route.path.size() != than.path.size()) return route.path.size() > than.path.size();
  return route.match == Match::kExact && than.match == Match::kPrefix;
}

}  // namespace tidewire::http
