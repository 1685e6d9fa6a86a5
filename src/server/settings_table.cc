#include "server/settings_table.h"

#include <algorithm>

#include "base/limits.h"

namespace tidewire::server {
namespace {

using Words = std::span<const std::string_view>;
constexpr std::array<std::string_view, 2> kEnvironments = {"development", "production"};
constexpr std::array<std::string_view, 3> kLogFormats = {"auto", "human", "json"};
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 3> kFlushes = {"auto", "send", "uring"};
constexpr std::array<std::string_view, 2> kTransports = {"polling", "websocket"};
constexpr std::array<std::string_view, 4> kTokenSources = {"auth", "header", "cookie", "query"};
constexpr std::array<std::string_view, 3> kSecretAlgorithms = {"HS256", "HS384", "HS512"};
constexpr std::array<std::string_view, 2> kUndeclared = {"refuse", "relay"};
constexpr std::array<std::string_view, 3> kTenantSources = {"none", "claim", "host"};

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr NumberRange kTimerMs = {.least = 100, .most = kDayMs};

using Kind = SettingKind;
constexpr Reload kLive = Reload::kLive;

#define FIELD(member) [](Settings& settings) -> SettingField { return &settings.member; }

const std::vector<SettingRow>& rows() {
  static const std::vector<SettingRow> table = {
      {.key = "env", .field = FIELD(environment), .text = "Production refuses insecure settings; development warns of them.",
       .choices = kEnvironments, .flag = "--env"},

      {.section = "server", .key = "host", .field = FIELD(server.host),
       .text = "IP address to listen on; \"0.0.0.0\" or \"::\" for every interface.", .aliases = {"TIDEWIRE_HOST"}, .flag = "--host"},
      {.section = "server", .key = "port", .kind = Kind::kNumber, .field = FIELD(server.port),
       .text = "Port of everything: Socket.IO, plain WebSocket, HTTP. 0: the system chooses.", .range = {0, 65'535},
       .aliases = {"TIDEWIRE_PORT"}, .flag = "--port"},
      {.section = "server", .key = "shards", .kind = Kind::kNumber, .field = FIELD(server.shards),
       .text = "Threads that serve connections; 0: one per core.", .range = {0, 256}, .aliases = {"TIDEWIRE_SHARDS"}, .flag = "--shards"},
      {.section = "server", .key = "flush", .field = FIELD(server.flush),
       .text = "How bytes leave: plain sends, io_uring, or whichever the kernel allows.", .choices = kFlushes,
       .aliases = {"TIDEWIRE_FLUSH"}, .flag = "--flush"},
      {.section = "server", .key = "trusted_proxies", .kind = Kind::kTexts, .field = FIELD(server.trusted_proxies),
       .text = "Networks whose Forwarded and X-Forwarded-* headers count, such as \"10.0.0.0/8\".", .flag = "--trusted-proxy"},
      {.section = "server", .key = "proxy_protocol_from", .kind = Kind::kTexts, .field = FIELD(server.proxy_protocol_from),
       .text = "Networks whose connections begin with a PROXY header.", .flag = "--proxy-protocol-from"},
      {.section = "server", .key = "connections_max", .kind = Kind::kNumber, .field = FIELD(server.connections_max),
       .text = "Connections of the whole process; beyond: closed at once.", .range = {1, 10'000'000},
       .aliases = {"SOCKET_IO_CONNECTION_LIMIT"}},
      {.section = "server", .key = "connections_per_address_max", .kind = Kind::kNumber,
       .field = FIELD(server.connections_per_address_max),
       .text = "Connections of one address (IPv6: of its /64); beyond: closed at once. 0: no limit.", .range = {0, 10'000'000}},
      {.section = "server", .key = "dynamic_namespaces_max", .kind = Kind::kNumber, .field = FIELD(server.dynamic_namespaces_max),
       .text = "Namespaces at once that patterns of [[namespaces]] made; beyond: nobody gets into a new one.",
       .range = {1, base::limits::kDynamicNamespacesMax}},
      {.section = "server", .key = "rooms_max", .kind = Kind::kNumber, .field = FIELD(server.rooms_max),
       .text = "Rooms that somebody is in, of all namespaces, counted in each thread; beyond: room_limit, but for auto_join.",
       .range = {1, base::limits::kRoomsMax}},
      {.section = "server", .key = "admin_listen", .field = FIELD(server.admin_listen),
       .text = "Where the admin routes and metrics are, and nowhere else: \"127.0.0.1:4001\". Empty: on the same port."},
      {.section = "server", .key = "start_page", .kind = Kind::kFlag, .field = FIELD(server.start_page),
       .text = "Whether / shows a page to try the server."},

      {.section = "tls", .key = "certificate_file", .field = FIELD(tls.certificate_file), .text = "PEM file, leaf first. Empty: no TLS.",
       .flag = "--tls-cert"},
      {.section = "tls", .key = "key_file", .field = FIELD(tls.key_file), .text = "PEM file of the private key.", .flag = "--tls-key"},

      {.section = "socketio", .key = "enabled", .kind = Kind::kFlag, .field = FIELD(socketio.enabled),
       .text = "Whether Socket.IO clients are served.", .aliases = {"SOCKET_IO_ENABLED"}},
      {.section = "socketio", .key = "path", .field = FIELD(socketio.path), .text = "Path of Socket.IO requests."},
      {.section = "socketio", .key = "transports", .kind = Kind::kTexts, .field = FIELD(socketio.transports),
       .text = "Transports a session may use.", .choices = kTransports, .aliases = {"SOCKET_IO_TRANSPORTS"}},
      {.section = "socketio", .key = "allow_upgrades", .kind = Kind::kFlag, .field = FIELD(socketio.allow_upgrades),
       .text = "Whether a polling session may change to WebSocket."},
      {.section = "socketio", .key = "ping_interval", .kind = Kind::kMilliseconds, .field = FIELD(socketio.ping_interval_ms),
       .text = "The server pings this often.", .range = kTimerMs, .aliases = {"SOCKET_IO_HEARTBEAT_INTERVAL"}},
      {.section = "socketio", .key = "ping_timeout", .kind = Kind::kMilliseconds, .field = FIELD(socketio.ping_timeout_ms),
       .text = "No pong for so long after a ping: closed.", .range = kTimerMs, .aliases = {"SOCKET_IO_HEARTBEAT_TIMEOUT"}},
      {.section = "socketio", .key = "upgrade_timeout", .kind = Kind::kMilliseconds, .field = FIELD(socketio.upgrade_timeout_ms),
       .text = "An upgrade not finished by then is given up.", .range = kTimerMs},
      {.section = "socketio", .key = "connect_timeout", .kind = Kind::kMilliseconds, .field = FIELD(socketio.connect_timeout_ms),
       .text = "No namespace joined by then: closed.", .range = kTimerMs},
      {.section = "socketio", .key = "ack_timeout", .kind = Kind::kMilliseconds, .field = FIELD(socketio.ack_timeout_ms),
       .text = "For acknowledgements that have no timeout of their own.", .range = kTimerMs},
      {.section = "socketio", .key = "payload_bytes_max", .kind = Kind::kBytes, .field = FIELD(socketio.payload_bytes_max),
       .text = "Of one message and one POST, of plain clients too; beyond: 1009, or 413.", .range = {1024, kGiB}},
      {.section = "socketio", .key = "attachments_max", .kind = Kind::kNumber, .field = FIELD(socketio.attachments_max),
       .text = "Attachments of one packet; beyond: 1002.", .range = {0, 1000}},
      {.section = "socketio", .key = "json_depth", .kind = Kind::kNumber, .field = FIELD(socketio.json_depth),
       .text = "Arrays and objects within each other; beyond: 1002.", .range = {1, 512}},
      {.section = "socketio", .key = "cookie_name", .field = FIELD(socketio.cookie_name),
       .text = "Cookie with the session id, for balancers that need one. Empty: none."},
      {.section = "socketio", .key = "http_compression", .kind = Kind::kFlag, .field = FIELD(socketio.http_compression),
       .text = "Whether polling answers of 1024 bytes and more are compressed."},

      {.section = "plain", .key = "enabled", .kind = Kind::kFlag, .field = FIELD(plain.enabled),
       .text = "Whether plain WebSocket clients that speak JSON are served."},
      {.section = "plain", .key = "paths", .kind = Kind::kTexts, .field = FIELD(plain.paths), .text = "Paths of their upgrade requests."},

      {.section = "cors", .key = "origins", .kind = Kind::kTexts, .field = FIELD(cors.origins),
       .text = "Browser origins that may connect, compared exactly; \"*\" for any. Empty: no cross-origin answers, upgrades from anywhere.",
       .aliases = {"SOCKET_IO_CORS_ORIGIN", "TIDEWIRE_ORIGINS"}, .flag = "--origin"},
      {.section = "cors", .key = "credentials", .kind = Kind::kFlag, .field = FIELD(cors.credentials),
       .text = "Whether browsers may send cookies from these origins."},
      {.section = "cors", .key = "max_age", .kind = Kind::kSeconds, .field = FIELD(cors.max_age_s),
       .text = "How long a browser may keep the answer of a preflight.", .range = {0, 86'400}},

      {.section = "deflate", .key = "enabled", .kind = Kind::kFlag, .field = FIELD(deflate.enabled),
       .text = "Whether permessage-deflate is offered; costs CPU and memory per connection.", .flag = "--deflate"},
      {.section = "deflate", .key = "threshold_bytes", .kind = Kind::kBytes, .field = FIELD(deflate.threshold_bytes),
       .text = "Shorter messages go out as they are.", .range = {0, kGiB}},
      {.section = "deflate", .key = "context_takeover", .kind = Kind::kFlag, .field = FIELD(deflate.context_takeover),
       .text = "Whether each connection keeps its own window; off: compressed once per broadcast."},

      {.section = "queue", .key = "soft_bytes", .kind = Kind::kBytes, .field = FIELD(queue.soft_bytes),
       .text = "More waiting for one peer: volatile messages are dropped, and reading from it pauses.", .range = {1024, kGiB}},
      {.section = "queue", .key = "hard_bytes", .kind = Kind::kBytes, .field = FIELD(queue.hard_bytes),
       .text = "More waiting for one peer: closed with 4008.", .range = {1024, kGiB}},
      {.section = "queue", .key = "age", .kind = Kind::kMilliseconds, .field = FIELD(queue.age_ms),
       .text = "The oldest byte waits longer: closed with 4008.", .range = kTimerMs},
      {.section = "queue", .key = "process_bytes", .kind = Kind::kBytes, .field = FIELD(queue.process_bytes),
       .text = "What all peers together may make the process hold; 0: a quarter of the memory.", .range = {0, 1024 * kGiB}},

      {.section = "auth", .key = "anonymous", .kind = Kind::kFlag, .field = FIELD(auth.anonymous),
       .text = "Whether a client without a token may come in; [[namespaces]] may say otherwise."},
      {.section = "auth", .key = "timeout", .kind = Kind::kMilliseconds, .field = FIELD(auth.timeout_ms),
       .text = "To authenticate, where anonymous is false.", .range = kTimerMs, .aliases = {"SOCKET_IO_AUTH_TIMEOUT"}},
      {.section = "auth", .key = "sources", .kind = Kind::kTexts, .field = FIELD(auth.sources),
       .text = "Where a token is looked for, in this order.", .choices = kTokenSources},
      {.section = "auth", .key = "cookie_name", .field = FIELD(auth.cookie_name), .text = "Cookie that holds the token."},
      {.section = "auth", .key = "secret", .field = FIELD(auth.secret),
       .text = "Secret of HMAC tokens, at least 32 bytes. Other keys: [[auth.issuers]].", .secret = true, .reload = kLive,
       .aliases = {"JWT_SECRET"}},
      {.section = "auth", .key = "secret_algorithms", .kind = Kind::kTexts, .field = FIELD(auth.secret_algorithms),
       .text = "Algorithms tokens of this secret may have.", .choices = kSecretAlgorithms, .reload = kLive},
      {.section = "auth", .key = "issuer", .field = FIELD(auth.issuer),
       .text = "The `iss` that tokens of this secret must have. Empty: any.", .reload = kLive},
      {.section = "auth", .key = "audience", .kind = Kind::kTexts, .field = FIELD(auth.audience),
       .text = "One of them must be in `aud` of tokens of this secret. Empty: not looked at.", .reload = kLive},
      {.section = "auth", .key = "leeway", .kind = Kind::kSeconds, .field = FIELD(auth.leeway_s),
       .text = "How far clocks may differ.", .range = {0, 5}, .reload = kLive},
      {.section = "auth", .key = "require_exp", .kind = Kind::kFlag, .field = FIELD(auth.require_exp),
       .text = "Whether a token must say when it ends.", .reload = kLive},
      {.section = "auth", .key = "expiry_warning", .kind = Kind::kSeconds, .field = FIELD(auth.expiry_warning_s),
       .text = "`auth_expiring` is sent this long before a token ends.", .range = {0, 86'400}},
      {.section = "auth", .key = "claim_user_id", .kind = Kind::kTexts, .field = FIELD(auth.claim_user_id),
       .text = "Claims with the user's id; the first that is there counts, here and below."},
      {.section = "auth", .key = "claim_email", .kind = Kind::kTexts, .field = FIELD(auth.claim_email), .text = "Claims with the address."},
      {.section = "auth", .key = "claim_name", .kind = Kind::kTexts, .field = FIELD(auth.claim_name), .text = "Claims with the name."},
      {.section = "auth", .key = "claim_roles", .kind = Kind::kTexts, .field = FIELD(auth.claim_roles),
       .text = "Claims with a role or a list of roles."},
      {.section = "auth", .key = "claim_projects", .kind = Kind::kTexts, .field = FIELD(auth.claim_projects),
       .text = "Claims with a list of projects."},
      {.section = "auth", .key = "claim_tenant", .kind = Kind::kTexts, .field = FIELD(auth.claim_tenant), .text = "Claims with the tenant."},
      {.section = "auth", .key = "issuers", .kind = Kind::kTree, .field = FIELD(auth.issuers),
       .text = "Who else signs tokens, and with which keys.", .reload = kLive},

      {.section = "contracts", .key = "defaults", .kind = Kind::kFlag, .field = FIELD(contracts.defaults),
       .text = "Whether the events and rooms that come with tidewire exist beside those of the file.", .reload = kLive},
      {.section = "contracts", .key = "undeclared", .field = FIELD(contracts.undeclared),
       .text = "What an event without a contract gets: refused, or relayed to the rooms its sender is in.", .choices = kUndeclared, .reload = kLive},
      {.section = "contracts", .key = "names_max", .kind = Kind::kNumber, .field = FIELD(contracts.names_max),
       .text = "Event names with a contract, aliases included.", .range = {1, 100'000}, .reload = kLive,
       .aliases = {"SOCKET_IO_MAX_LISTENERS"}},

      {.section = "rates", .key = "connection", .field = FIELD(rates.connection),
       .text = "Events of one connection, of whatever name; beyond: `rate_limited`, and 4029 for who goes on. Empty: no limit.",
       .reload = kLive},
      {.section = "rates", .key = "user", .field = FIELD(rates.user), .text = "Events of one user, on each shard.", .reload = kLive},
      {.section = "rates", .key = "address", .field = FIELD(rates.address),
       .text = "Events from one address, on each shard; an IPv6 address counts as its /64.", .reload = kLive},

      {.section = "api", .key = "enabled", .kind = Kind::kFlag, .field = FIELD(api.enabled), .text = "Whether the HTTP API is served."},
      {.section = "api", .key = "admin_token", .field = FIELD(api.admin_token),
       .text = "The one key that may do everything; production wants 32 characters.", .secret = true, .reload = kLive},
      {.section = "api", .key = "rate", .field = FIELD(api.rate), .text = "Requests of one key or address.", .reload = kLive},
      {.section = "api", .key = "body_bytes_max", .kind = Kind::kBytes, .field = FIELD(api.body_bytes_max),
       .text = "Of one request; beyond: 413.", .range = {1024, kGiB}},
      {.section = "api", .key = "idempotency", .kind = Kind::kMilliseconds, .field = FIELD(api.idempotency_ms),
       .text = "How long the answer to an Idempotency-Key is kept.", .range = {0, 7 * kDayMs}},
      {.section = "api", .key = "idempotency_keys_max", .kind = Kind::kNumber, .field = FIELD(api.idempotency_keys_max),
       .text = "Answers kept; beyond: the oldest goes.", .range = {0, 10'000'000}},
      {.section = "api", .key = "test_broadcast", .kind = Kind::kFlag, .field = FIELD(api.test_broadcast),
       .text = "Whether POST /api/websocket/test-broadcast exists; in production only where this key is set."},
      {.section = "api", .key = "keys", .kind = Kind::kTree, .field = FIELD(api.keys), .text = "Keys of the HTTP API and what each may do.", .reload = kLive},

      {.section = "hooks", .key = "ca_file", .field = FIELD(hooks.ca_file),
       .text = "PEM file of authorities for https to your own services. Empty: those of the system."},
      {.section = "hooks", .key = "allow_http", .kind = Kind::kFlag, .field = FIELD(hooks.allow_http),
       .text = "Whether plain http beyond loopback is allowed."},
      {.section = "hooks", .key = "webhooks", .kind = Kind::kTree, .field = FIELD(hooks.webhooks), .text = "Who is told of what happened."},
      {.section = "hooks", .key = "questions", .kind = Kind::kTree, .field = FIELD(hooks.questions),
       .text = "Who is asked before something happens."},

      {.section = "tenants", .key = "source", .field = FIELD(tenants.source), .text = "Where a connection's tenant is taken from.",
       .choices = kTenantSources},
      {.section = "tenants", .key = "hosts", .kind = Kind::kMap, .field = FIELD(tenants.hosts),
       .text = "Host name to tenant, for source \"host\"; a host that is not here is refused."},
      {.section = "tenants", .key = "sockets_max", .kind = Kind::kNumber, .field = FIELD(tenants.sockets_max),
       .text = "Sockets of one tenant, so that none takes the place of the others; beyond: 4010. 0: no such bound.", .range = {0, 100'000'000}},

      {.section = "log", .key = "level", .field = FIELD(log.level), .text = "The least important lines to write.", .choices = kLogLevels,
       .reload = kLive, .flag = "--log-level"},
      {.section = "log", .key = "format", .field = FIELD(log.format), .text = "Auto: for people on a terminal, else JSON.",
       .choices = kLogFormats, .flag = "--log-format"},
      {.section = "log", .key = "lines_per_second", .kind = Kind::kNumber, .field = FIELD(log.lines_per_second),
       .text = "Lines of one kind; then one that says how many were left out.", .range = {1, 100'000}},
      {.section = "log", .key = "connections", .kind = Kind::kFlag, .field = FIELD(log.connections),
       .text = "Whether each connect and disconnect has a line.", .reload = kLive},

      {.key = "namespaces", .kind = Kind::kTree, .field = FIELD(namespaces), .text = "Namespaces and who may join them."},
      {.key = "rooms", .kind = Kind::kTree, .field = FIELD(rooms), .text = "Kinds of rooms and who may join them.", .reload = kLive},
      {.key = "events", .kind = Kind::kTree, .field = FIELD(events), .text = "Event contracts: who may send what to whom.", .reload = kLive},
  };
  return table;
}

#undef FIELD

}  // namespace

std::span<const SettingRow> settings_table() { return rows(); }

std::vector<std::string_view> settings_sections() {
  std::vector<std::string_view> sections;
  for (const SettingRow& row : rows()) {
    const bool known = std::ranges::find(sections, row.section) != sections.end();
    if (!row.section.empty() && !known) sections.push_back(row.section);
  }
  return sections;
}

std::string name_of(const SettingRow& row) {
  return row.section.empty() ? std::string(row.key) : std::string(row.section) + "." + std::string(row.key);
}

std::string environment_name(const SettingRow& row) {
  std::string name = "TIDEWIRE_" + name_of(row);
  for (char& character : name) {
    if (character == '.') character = '_';
    if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
  }
  return name;
}

const SettingRow* find_setting(std::string_view name) {
  const auto found = std::ranges::find_if(rows(), [name](const SettingRow& row) { return name_of(row) == name; });
  return found == rows().end() ? nullptr : &*found;
}

bool same_setting(const SettingRow& row, Settings& a, Settings& b) {
  const SettingField other = row.field(b);
  return std::visit([&other](auto* field) { return *field == *std::get<decltype(field)>(other); }, row.field(a));
}

void copy_setting(const SettingRow& row, Settings& from, Settings& to) {
  const SettingField target = row.field(to);
  std::visit([&target](auto* field) { *std::get<decltype(field)>(target) = *field; }, row.field(from));
}

}  // namespace tidewire::server
