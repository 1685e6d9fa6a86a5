// plain/endpoint.h - what the plain clients of one shard share: options, dialects, counters, and who is there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/cors.h"
#include "hub/hub.h"
#include "net/reactor.h"
#include "net/slow_peer.h"
#include "plain/dialect.h"
#include "websocket/options.h"

namespace tidewire::plain {

class Peer;

struct Options {
  std::size_t message_bytes_max = 1'000'000;
  std::int64_t ping_interval_ms = 25'000;
  std::int64_t ping_timeout_ms = 20'000;
  std::size_t queue_soft_bytes = 256 * 1024;
  std::size_t queue_hard_bytes = 1024 * 1024;
  std::int64_t queue_age_ms = 10'000;
  std::int64_t admission_timeout_ms = 45'000;  // the namespace has not answered by then: closed with 1008
  std::size_t json_depth = 64;
  http::CorsOptions cors = {};        // only its origins matter: an upgrade has no headers to allow
  websocket::DeflateOptions deflate = {};
  const base::Budget* budget = nullptr;  // of the process; none: never short. It must outlive the endpoint
};

struct Statistics {
  std::uint64_t messages_in = 0;
  std::uint64_t invalid_messages = 0;  // answered by an `error` envelope
  std::uint64_t refused = 0;           // at the handshake, or by the namespace
  std::uint64_t refused_overload = 0;
  std::uint64_t slow = 0;              // closed with 4008
  std::uint64_t silent = 0;            // closed with 4012
  std::uint64_t not_admitted = 0;      // no answer within admission_timeout_ms
  std::uint64_t opened = 0;            // peers ever
  std::size_t peers = 0;
};

// REQUIRES: lives until its reactor has closed every connection.
struct Endpoint {
  Endpoint(hub::Hub& the_hub, const Dialect& flat_form, const Dialect& data_form, net::Reactor& the_reactor,
           Options the_options)
      : hub(the_hub), flat(flat_form), data(data_form), reactor(the_reactor), options(std::move(the_options)),
        slow_peers({options.queue_soft_bytes, options.queue_hard_bytes, options.queue_age_ms, options.budget}) {
    websocket.message_bytes_max = options.message_bytes_max;
    websocket.deflate = options.deflate;
    first_websocket = websocket;
    first_websocket.message_bytes_max = std::min(options.message_bytes_max, base::limits::kMessageBytesBeforeAdmission);
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  bool memory_at_least(base::Budget::Level level) const noexcept {
    return options.budget != nullptr && options.budget->level() >= level;
  }
  // Appends the peers that do not take what waits for them, from `bytes_min` waiting on.
  void gather_queues(std::size_t bytes_min, std::vector<base::ShedCandidate>& queues);
  void close_all(DisconnectReason reason, std::uint16_t websocket_code, std::string_view text);

  hub::Hub& hub;
  const Dialect& flat;
  const Dialect& data;
  net::Reactor& reactor;
  const Options options;
  const net::SlowPeerRule slow_peers;
  websocket::Options websocket;
  websocket::Options first_websocket;  // until the peer is admitted
  Statistics statistics;

  // Shard-local.
  absl::flat_hash_set<Peer*> peers;
  base::Milliseconds next_log_ms = 0;  // of invalid messages: one line a second, whoever sends them
  std::uint64_t unlogged = 0;
};

}  // namespace tidewire::plain
