// http/router.h - path to handler. Exact paths and prefixes; the longest match wins; no match is 404.
//
// Requests with `Upgrade: websocket` have routes of their own and see no others: what is no WebSocket endpoint answers 404
// instead of treating the request as an ordinary one. A handler that serves both is added twice.
// Filled before the shard serves, read-only afterwards. One router per shard, handlers per shard.
#pragma once

#include <string>
#include <vector>

#include "http/exchange.h"

namespace tidewire::http {

class Router {
 public:
  enum class Match { kExact, kPrefix };
  // `handler` must live as long as the router.
  void add(std::string path, Match match, Handler& handler);
  // For requests with `Upgrade: websocket`.
  void add_upgrade(std::string path, Match match, Handler& handler);
  // The handler of a request, null for none (the connection answers 404).
  Handler* find(const Request& request) const;

 private:
  struct Route {
    std::string path;
    Match match;
    bool upgrade_only;
    Handler* handler;
  };
  static bool better(const Route& route, const Route& than) noexcept;
  std::vector<Route> routes_;
};

}  // namespace tidewire::http
