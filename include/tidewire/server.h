// tidewire/server.h - the server: the namespace "/", the other namespaces, routes, and the threads behind them.
//
//   tidewire::Server io({.port = 4000});
//   io.on("echo", [](tidewire::Event& event) { event.ack(event.arguments()); });
//   return io.run().ok() ? 0 : 1;
//
// Declare everything, then run() (until stop(), SIGINT or SIGTERM) or start() (returns; then wait()).
// Threads: declarations from one thread before the start; afterwards what the classes say.
// Before the start, and once wait() or run() has returned, there is nobody: emits, after() and the like do nothing, and what
// answers later (gather_statistics(), count_sockets(), fetch_sockets(), ...) answers at once on the calling thread, with
// nothing. That holds from any thread, also while another one starts the server, and after a start that failed. What was asked
// while the server stopped may never be answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidewire/http.h"
#include "tidewire/namespace.h"
#include "tidewire/options.h"
#include "tidewire/status.h"

namespace tidewire {
namespace hub {
struct Credentials;
struct Verdict;
}  // namespace hub

// What somebody shows to be let into a namespace. Valid during the call.
class Credentials {
 public:
  explicit Credentials(const hub::Credentials& wire) noexcept : wire_(wire) {}  // for the engine
  std::string_view namespace_name() const noexcept;
  // Parsed anew at each call.
  Handshake handshake() const;

 private:
  const hub::Credentials& wire_;
};

// What the authenticator finds: call it once, now or later, from any thread; further calls do nothing. Dropped uncalled it is a
// refusal, "internal error"; kept for ever, the client is closed after Options::connect_timeout_ms. It may outlive the server.
class Verdict {
 public:
  explicit Verdict(UniqueFunction<void(hub::Verdict&&)> call) noexcept;  // for the engine
  Verdict(Verdict&&) noexcept = default;
  ~Verdict();
  // The socket need not remember the `auth` it came with, which may be secret and long.
  Verdict& forget_auth() noexcept {
    keep_auth_ = false;
    return *this;
  }
  // Comes in as this one; Identity{}: as nobody in particular.
  void operator()(Identity identity);
  void operator()(const Error& refusal);

 private:
  void answer(hub::Verdict&& verdict);
  UniqueFunction<void(hub::Verdict&&)> call_;
  bool keep_auth_ = true;
};

// Of every shard together; each figure is right for one moment.
struct ServerStatistics {
  std::uint64_t connections = 0;          // streams open now
  std::uint64_t sessions = 0;             // Engine.IO sessions now
  std::uint64_t polling_sessions = 0;
  std::uint64_t sockets = 0;              // members of namespaces now, every dialect
  std::uint64_t plain_peers = 0;
  std::uint64_t plain_handshakes = 0;     // plain peers ever
  std::uint64_t accepted = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t upgrades = 0;
  std::uint64_t events_in = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t volatile_dropped = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t slow_consumers = 0;       // closed with 4008; and cut, who does not take that either
  std::uint64_t shed_queues = 0;          // of those: closed because the memory of the process was short
  std::uint64_t dropped_messages = 0;     // for a shard far behind, memory being short; its connections are closed with 1013
  std::uint64_t held_bytes = 0;           // what peers make the process hold now, see Options::process_queue_bytes
  std::uint64_t held_bytes_max = 0;
  std::uint64_t refused_connections = 0;  // over connections_max
  std::uint64_t refused_by_address = 0;   // over connections_per_address_max
  std::uint64_t refused_by_memory = 0;    // handshakes answered with 503
  std::uint64_t refused_namespaces = 0;   // over dynamic_namespaces_max
  std::uint64_t refused_rooms = 0;        // over rooms_max
  std::uint64_t sessions_not_begun = 0;   // polling sessions now that sent nothing since their handshake
  std::uint64_t sessions_given_up = 0;    // of those: dropped, as there were more than a tenth of connections_max
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t sends = 0;
  std::uint64_t listener_failures = 0;
};

// Of one tenant's copy of a namespace.
struct NamespaceStatistics {
  struct Count {
    std::uint64_t now = 0;
    std::uint64_t ever = 0;  // since the start
  };
  Count socketio;
  Count plain;
  // False: `ever` may be too low. Each shard remembers the totals of 256 emptied and forgotten namespaces of a tenant, and of 1024
  // such tenants; without Options::cleanup_empty_child_namespaces none is forgotten.
  bool exact = true;
  bool complete = true;      // every shard answered within 2 s
};

struct NamespacesPage {
  struct Entry {
    std::string name;
    std::uint64_t sockets = 0;  // now
  };
  std::vector<Entry> namespaces;
  bool more = false;     // there are names above the last one
  bool complete = true;  // every shard answered within 2 s
};

class Server : public Namespace {
 public:
  explicit Server(Options options = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Stops and waits.
  ~Server();

  // The namespace of this name, made when missing; "" and "/" are the same.
  Namespace of(std::string_view name);
  // Whoever is in the namespace of this name ("" and "/" are the same) when the operator is used: nobody while there is none,
  // for nothing is made of it. From any thread.
  BroadcastOperator everybody_in(std::string_view name);
  // Dynamic namespaces: every name that matches the RE2 expression as a whole. kInvalidArgument when it does not compile.
  Result<Namespace> of_pattern(std::string_view expression);
  // Dynamic namespaces by decision: `answer(true)` makes the namespace, now or later (on the shard that asks).
  using NamespaceDecision = UniqueFunction<void(std::string_view name, const Value& auth, UniqueFunction<void(bool)> answer)>;
  Namespace of_matching(NamespaceDecision decide);
  // Whether somebody could come into a namespace of this name: it was declared, or made by now, or an of_pattern() matches.
  // "" and "/" are the same. Makes nothing, and asks no of_matching(), whose answer depends on who comes. False for names over
  // 256 bytes, which no client can ask for. From any thread, at any time.
  bool accepts_namespace(std::string_view name) const;
  // The namespaces, declared or dynamic, that sockets of this tenant are in, or have been in and that were not forgotten since
  // (Options::cleanup_empty_child_namespaces); by pages in the order of their names, bytewise. Other tenants' namespaces do not
  // show. From any thread; answered on the calling shard, or on the first one.
  Later<NamespacesPage> fetch_namespaces(std::string_view tenant, Page page) const;
  // A namespace came into being, also a dynamic one.
  void on_new_namespace(UniqueFunction<void(Namespace)> listener);

  // Who may open a connection at all: asked at the handshake of each session and each plain client. Answer with an empty text
  // to accept, or with the reason for a 403; now or later, on the shard that asks.
  using Admission = std::function<void(const HttpRequest&, std::function<void(std::string refusal)>)>;
  void allow_request(Admission decide);
  // Who somebody is: asked for each socket, of either dialect, before its namespace is looked for. An identity with a tenant
  // enters the tenant's own copy of the namespace; one with an end is warned (event `auth_expiring`), then out of its rooms
  // and closed with 4002. Without an authenticator everybody is anonymous. Called on the socket's shard, on several at once; it
  // must not block. What it throws is logged and counts as a refusal, "internal error". Before the start.
  using Authenticator = std::function<void(const Credentials&, Verdict)>;
  void authenticate(Authenticator decide);
  // Closes the connection of every socket whose identity `chosen` says yes to: out of its rooms first, then `code`
  // (4000..4999) and `reason`, see Socket::close(). From any thread; `chosen` runs on every shard, on several at once.
  void close_sockets_of(std::function<bool(const Identity&)> chosen, std::uint16_t code, std::string_view reason);
  // Headers of the answer to each polling handshake.
  using InitialHeaders = std::function<void(const HttpRequest&, std::vector<std::pair<std::string, std::string>>&)>;
  void on_initial_headers(InitialHeaders add);

  // Routes beside the sockets, all declared before the start.
  // `method` as it is written, "*" is any; "GET" answers HEAD too. `path` exactly, or what begins with it when it ends in "*"; of
  // several the longest counts, of equal ones the first. Another method of a known path is a 405, too large a body a 413. The handler is called on the shard of the connection, on several at once, and must not
  // block; what it throws is logged, and answered with a 500 unless it has answered.
  void http(std::string_view method, std::string_view path, HttpHandler handler, HttpRouteOptions options = {});
  WebSocketRoute& websocket(std::string_view path, WebSocketHandlers handlers);
  // A file from memory: with ETag, ranges no, compression yes. GET and HEAD of exactly this path. The bytes must outlive the
  // server; path and type are copied.
  void static_file(std::string_view path, std::string_view content_type, std::string_view bytes);

  // Runs `task` after `delay_ms` on the calling shard, or on the first one when called from elsewhere; never, if the server
  // stops before, or has not started. Less than 0 is 0, more than a century a century; never early.
  // What it throws is logged. From any thread.
  void after(std::int64_t delay_ms, UniqueFunction<void()> task);

  // Called once by start() and run(), when connections are accepted and port() is known.
  void on_listening(UniqueFunction<void()> listener);

  // Listens and starts the threads. kAlreadyExists when the port is taken, kInternal with the system's reason for the like;
  // then it may be tried again. A server runs once: kAlreadyExists afterwards.
  Status start();
  // The shard whose thread calls, 0 elsewhere; how many there are, 0 before the start.
  std::uint32_t current_shard() const noexcept;
  std::uint32_t shard_count() const noexcept;
  // Waits until the server has stopped.
  void wait();
  // start(), then until stop(), SIGINT or SIGTERM; SIGHUP reloads the certificate and calls what on_reload() was given.
  Status run();
  // Called on the thread of run().
  void on_reload(UniqueFunction<void()> listener);
  // From start() until stop(), or a signal that run() hears. From any thread.
  bool accepting() const noexcept;
  // Ends every session ("server shutting down"), sends what is queued, stops. From any thread, also before or during the
  // start: then the server stops as soon as it has started, and run() returns. A stopped server stays so.
  void stop();
  Status reload_certificate();

  // The port it listens on. REQUIRES: started
  std::uint16_t port() const noexcept;
  // "send" or "io_uring"; empty before the start.
  std::string flush_name() const;
  // From a thread that is no shard: waits for each shard, 2 s at most. On a shard, which never waits: that shard's part alone.
  // Zeros before the start and when the server has stopped.
  ServerStatistics statistics();
  // The same for every shard without waiting, from any thread; answered on the calling shard, or on the first one.
  Later<ServerStatistics> gather_statistics();
  // Sockets of one tenant in one namespace ("" and "/" are the same), by dialect. Zeros for a namespace nobody of it was ever
  // in. Costs one question to each shard, whatever the number of sockets: they are counted as they come and go. From any
  // thread; answered on the calling shard, or on the first one.
  Later<NamespaceStatistics> gather_statistics(std::string_view tenant, std::string_view namespace_name) const;

 private:
  friend class Core;
  explicit Server(std::unique_ptr<Core> core);
  std::unique_ptr<Core> owned_core_;
};

}  // namespace tidewire
