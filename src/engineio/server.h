// engineio/server.h - one shard's Engine.IO endpoint: handshakes, and requests on their way to sessions.
//
// Checks are made in the order of the reference server, error bodies are exact (features A6). A request or upgrade whose sid
// names another shard is handed over with its connection: the connection goes to the session.
// Threads: its shard only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "engineio/session.h"
#include "http/cors.h"
#include "http/exchange.h"
#include "http/permission.h"
#include "net/reactor.h"
#include "websocket/connection.h"

namespace tidewire::engineio {

struct Options {
  std::string path = "/socket.io/";            // with both slashes
  std::int64_t ping_interval_ms = 25'000;
  std::int64_t ping_timeout_ms = 20'000;
  std::int64_t upgrade_timeout_ms = 10'000;
  std::int64_t first_request_ms = 10'000;      // after the handshake answer over polling
  std::size_t payload_bytes_max = 1'000'000;   // announced as maxPayload
  std::size_t first_message_bytes_max = 0;     // per message until Session::set_admitted(); 0: payload_bytes_max
  std::size_t packets_per_payload_max = 10'000;
  std::size_t unreturned_max = 100'000;        // sessions without any request since their handshake; the oldest goes
  bool polling = true;
  bool websocket = true;
  bool allow_upgrades = true;
  bool http_compression = true;                // polling answers of 1024 bytes and more
  std::size_t http_compression_threshold = 1024;
  std::size_t queue_soft_bytes = 256 * 1024;
  std::size_t queue_hard_bytes = 1024 * 1024;
  std::int64_t queue_age_ms = 10'000;
  std::string cookie_name;                     // empty: no cookie
  http::CorsOptions cors;
  websocket::DeflateOptions deflate;
  const base::Budget* budget = nullptr;        // of the process; none: never short. It must outlive the server
};

struct Statistics {
  std::uint64_t handshakes = 0;
  std::uint64_t upgrades = 0;
  std::uint64_t refused[6] = {};  // by error code
  std::uint64_t refused_overload = 0;
  std::uint64_t slow = 0;         // ended with 4008
  std::uint64_t unreturned_dropped = 0;
  std::size_t unreturned = 0;     // open now, without any request since their handshake
  std::size_t sessions = 0;       // open now
  std::size_t polling_sessions = 0;
};

class Server : public http::Handler {
 public:
  // The server's ear upwards and sideways. All called on the shard's thread.
  struct Hooks {
    // A new session; set its listener inside.
    std::function<void(Session&)> session_opened;
    http::AllowRequest allow_request;  // none: everyone is allowed
    // Adds headers to the handshake answer of a polling session.
    std::function<void(const http::Request&, std::vector<std::pair<std::string, std::string>>&)> initial_headers;
    // Sends a connection to another shard, whose http layer meets the request again.
    std::function<void(std::uint32_t shard, net::DetachedConnection)> hand_over;
  };

  // `shard`: this one's number, written into every sid; `shard_count`: sids that name a higher one are unknown.
  static std::unique_ptr<Server> make(net::Reactor& reactor, const Options& options, Hooks hooks, std::uint32_t shard,
                                      std::uint32_t shard_count);
  virtual const Statistics& statistics() const noexcept = 0;
  // Appends the sessions whose peers do not take what waits for them, from `bytes_min` waiting on.
  virtual void gather_queues(std::size_t bytes_min, std::vector<base::ShedCandidate>& queues) = 0;
  // Closes every session; the words are those of Session::close().
  virtual void close_all(CloseReason reason, std::uint16_t websocket_code, std::string_view text) = 0;
};

}  // namespace tidewire::engineio
