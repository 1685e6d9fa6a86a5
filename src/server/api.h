// server/api.h - the HTTP API on a server: routes, callers, rates, and the parts of the server that it asks.
//
//   request --> path and method --> CORS --> caller (key or token) --> rate --> right, tenant --> query, body --> handler
//
//   Api api(io, settings, {.judge = ..., .revoke_user = ...}, errors);      // before the server starts
//
// With api.enabled off, health only. Everything below /api/, and /health, /healthz, /readyz, /metrics. One shape of errors: problem.h; answers are never cached.
// Lifetime: outlives the server's threads; `settings` is read during the construction and reload() only.
// Threads: requests come on any shard; what they share is immutable or has its own mutex, as nothing here is hot.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "policy/rate_table.h"
#include "server/api_idempotency.h"
#include "server/api_router.h"
#include "server/clock.h"
#include "server/settings.h"
#include "tidewire/server.h"

namespace tidewire::server {

// What the API asks of the other parts. Each is called on any thread; an empty one makes its endpoints say 501.
struct ApiServices {
  using Judged = UniqueFunction<void(Result<Identity>)>;
  // Whether a token that came to this host is good, and whose; answers on any thread. Empty: no token is.
  std::function<void(std::string_view token, std::string_view host, Judged done)> judge = {};
  struct Refresh {
    std::string tenant, namespace_name, socket, token;
  };
  // A new token for a live socket; kNotFound, or kInvalidArgument when it is no good or another user's.
  std::function<void(Refresh what, Judged done)> refresh = {};
  // Of one tenant, or of all; kInvalidArgument, or kResourceExhausted.
  using Scope = std::optional<std::string_view>;
  std::function<Status(Scope tenant, std::string_view user_id)> revoke_user = {};
  std::function<Status(Scope tenant, std::string_view token_id)> revoke_token = {};
  // Brings a socket into a room or out of it, on the socket's shard, so that whoever wants to hear of it does. Empty: just that.
  // False: the room would be one more than the server may have.
  std::function<bool(Socket& socket, const std::string& room, bool into)> move = {};
  // What GET /api/contracts answers.
  std::function<Value()> contracts = {};
  // The namespaces that were declared by name; empty: "/" only.
  std::function<std::vector<std::string>()> namespaces = {};
  // Accepts clients: false while the server stops. Empty: always.
  std::function<bool()> ready = {};
  // Settings that are no good for production, as sentences. Empty: none.
  std::function<std::vector<std::string>()> insecure = {};
  // Further members of /api/health/detailed's components, each with a "status", and of /api/admin/websocket-analytics; null: none.
  std::function<Value()> components = {};
  std::function<Value()> analytics = {};
  // Further lines of /metrics, in the text format of Prometheus.
  std::function<std::string()> metrics = {};
  // Null: standard error.
  base::LogSink* log = nullptr;
  // Monotonic milliseconds; empty: the system's.
  std::function<std::int64_t()> now_ms = {};
};

inline constexpr std::size_t kNamespacesListedMax = 1'000;

// What the handlers share.
struct ApiContext {
  Server& io;
  const Options options;  // of the server: which dialects there are
  const Settings settings;
  const ApiServices services;
  const std::int64_t started_ms;  // on the wall clock
  ApiIdempotency idempotency;

  std::int64_t now_ms() const;
  bool has_tenants() const { return settings.tenants.source != "none"; }
  // Whether the call is about the whole server: without tenants always, else for the administrator of none of them.
  bool about_all(const ApiCall& call) const;
  // Those that were declared, and the first kNamespacesListedMax of a pattern that somebody of the call's tenant is in.
  using Names = std::vector<std::string>;
  // `complete`: there are no more of them, and every shard has answered.
  void find_namespaces(const ApiCall& call, UniqueFunction<void(Names, bool complete)> done) const;
  // The sockets of a namespace, of the tenant of the call; nobody when a pattern's namespace does not exist now.
  BroadcastOperator space(const ApiCall& call, const std::string& name) const;
  // The namespace that the call names; null after a refusal: there is none of that name.
  std::optional<BroadcastOperator> named_space(ApiCall& call) const;
};

// Which endpoints: with api.admin_listen those of users stay where the clients are, those of back ends move.
enum class ApiPart : std::uint8_t { kAll, kPublic, kPrivate };

class Api {
 public:
  // About the sockets of `io`, on the routes of `routes` (the same, or the server of server.admin_listen). Complaints about
  // [[api.keys]] and api.rate go to `errors`.
  Api(Server& io, Server& routes, ApiPart part, const Settings& settings, ApiServices services, ConfigErrors& errors);
  Api(Server& io, const Settings& settings, ApiServices services, ConfigErrors& errors)
      : Api(io, io, ApiPart::kAll, settings, std::move(services), errors) {}
  ~Api();

  // Other keys and another api.rate from now on; from any thread. REQUIRES: ApiAccess has nothing to complain of
  void reload(const Settings& settings);
  // The table, for what is printed from it.
  const std::vector<ApiEndpoint>& endpoints() const noexcept;

  struct Dispatch;

 private:
  std::shared_ptr<Dispatch> dispatch_;  // shared with requests under way
};

// The table itself, in the order of the documents.
std::vector<ApiEndpoint> api_table(const std::shared_ptr<ApiContext>& context);

// Its parts, one for each file.
void add_publish_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table);     // api_publish.cc
void add_room_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table);        // api_rooms.cc
void add_connection_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table);  // api_connections.cc
void add_user_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table);        // api_users.cc
void add_health_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table);      // health.cc
void add_statistics_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table);  // api_statistics.cc

}  // namespace tidewire::server
