// app/websocket_route.h - raw WebSocket routes of the application: connections without any dialect.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "http/exchange.h"
#include "net/slow_peer.h"
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
  const net::SlowPeerRule slow_peers;
  struct OfShard {
    std::vector<RawPeer*> peers;
    std::uint64_t slow = 0;              // closed with 4008
    std::uint64_t refused_overload = 0;  // upgrades answered with 503
  };
  std::vector<OfShard> of_shard;  // sized at start; each shard touches its own
};

// Appends that shard's peers that do not take what waits for them, from `bytes_min` waiting on.
void gather_queues(WebSocketRoute::State& route, std::uint32_t shard, std::size_t bytes_min,
                   std::vector<base::ShedCandidate>& queues);
void close_peers(WebSocketRoute::State& route, std::uint32_t shard, std::uint16_t code, std::string_view reason);

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
