// app/websocket_route.h - raw WebSocket routes of the application: connections without any dialect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "http/exchange.h"
#include "tidewire/http.h"
#include "websocket/connection.h"

namespace tidewire {

class Core;
class RawPeer;

// Shared by all shards: immutable after start, but for each shard's own peers.
struct WebSocketRoute::State {
  State(Core& owner, std::string route_path, bool is_prefix, WebSocketHandlers route_handlers);
  Core& core;
  const std::string path;
  const bool prefix;
  const WebSocketHandlers handlers;
  websocket::Options options;
  std::vector<std::vector<RawPeer*>> peers_of_shard;  // sized at start; each shard touches its own
};

// One per route and shard: accepts upgrades.
class WebSocketRouteHandler final : public http::Handler {
 public:
  WebSocketRouteHandler(WebSocketRoute::State& route, std::uint32_t shard) : route_(route), shard_(shard) {}
  void on_head(http::Exchange& exchange) override;
  void on_request(http::Exchange& exchange, std::string_view body) override;

 private:
  WebSocketRoute::State& route_;
  const std::uint32_t shard_;
};

}  // namespace tidewire
