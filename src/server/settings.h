// server/settings.h - what the configuration says: one plain struct, filled by settings_load, written down by
// settings_table.
//
//   defaults  <  file (TOML)  <  environment (TIDEWIRE_<SECTION>_<KEY>)  <  flags
//
// Every key of this page has one row in settings_table.cc: its name, its sentence, whether SIGHUP may change it, whether it
// is a secret. The guide's docs/configuration.md is printed from that table. What a list of tables holds (rooms, events,
// ...) is kept as a ConfigNode with its line, and is read by the part that owns it (contracts.h, rooms.h, ...). Threads: a
// plain value. Durations in milliseconds, sizes in bytes, unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/config_node.h"

namespace tidewire::server {

enum class Environment : std::uint8_t { kDevelopment, kProduction };
enum class LogFormat : std::uint8_t { kAuto, kHuman, kJson };  // kAuto: human on a terminal, else JSON

struct Settings {
  Environment environment = Environment::kDevelopment;  // TIDEWIRE_ENV

  struct Server {
    std::string host = "127.0.0.1";
    std::uint16_t port = 4000;
    std::uint32_t shards = 0;  // 0: one per core
    std::string flush = "auto";  // auto, send, uring
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> proxy_protocol_from;
    std::uint64_t connections_max = 100'000;  // of the process; SOCKET_IO_CONNECTION_LIMIT
    std::uint64_t connections_per_address_max = 0;
    std::size_t dynamic_namespaces_max = 10'000;
    std::size_t rooms_max = 1'000'000;
    std::string admin_listen;  // "127.0.0.1:4001": the admin routes and metrics there and nowhere else; empty: same port
    bool start_page = true;
  } server;

  struct Tls {
    std::string certificate_file;
    std::string key_file;
  } tls;

  struct SocketIo {
    bool enabled = true;  // SOCKET_IO_ENABLED
    std::string path = "/socket.io/";
    std::vector<std::string> transports = {"polling", "websocket"};  // SOCKET_IO_TRANSPORTS
    bool allow_upgrades = true;
    std::int64_t ping_interval_ms = 25'000;  // SOCKET_IO_HEARTBEAT_INTERVAL
    std::int64_t ping_timeout_ms = 20'000;   // SOCKET_IO_HEARTBEAT_TIMEOUT
    std::int64_t upgrade_timeout_ms = 10'000;
    std::int64_t connect_timeout_ms = 45'000;
    std::int64_t ack_timeout_ms = 30'000;
    std::size_t payload_bytes_max = 1'000'000;
    std::uint32_t attachments_max = 10;
    std::size_t json_depth = 64;
    std::string cookie_name;
    bool http_compression = true;
  } socketio;

  struct Plain {
    bool enabled = true;
    std::vector<std::string> paths = {"/", "/ws", "/api/ws"};
  } plain;

  struct Cors {
    std::vector<std::string> origins;  // SOCKET_IO_CORS_ORIGIN; empty: no cross-origin answers, upgrades from anywhere
    bool credentials = false;
    std::int64_t max_age_s = 600;
  } cors;

  struct Deflate {
    bool enabled = false;
    std::size_t threshold_bytes = 1024;
    bool context_takeover = false;
  } deflate;

  struct Queue {
    std::size_t soft_bytes = 256 * 1024;
    std::size_t hard_bytes = 1024 * 1024;
    std::int64_t age_ms = 10'000;
    std::size_t process_bytes = 0;
  } queue;

  struct Auth {
    bool anonymous = true;               // may come in without a token; [[namespaces]] may say otherwise
    std::int64_t timeout_ms = 5'000;     // SOCKET_IO_AUTH_TIMEOUT: to authenticate, where anonymous is false
    std::vector<std::string> sources = {"auth", "header", "cookie", "query"};  // where a token is looked for, in this order
    std::string cookie_name = "token";
    std::string secret;                  // JWT_SECRET: HS256/384/512; with it one issuer without a name exists
    std::vector<std::string> secret_algorithms = {"HS256", "HS384", "HS512"};
    std::string issuer;                  // of `secret`: the `iss` its tokens must have; empty: any
    std::vector<std::string> audience;   // of `secret`: one of them must be in `aud`; empty: not looked at
    std::int64_t leeway_s = 5;           // 0..5
    bool require_exp = true;
    std::int64_t expiry_warning_s = 30;  // `auth_expiring` this long before
    std::vector<std::string> claim_user_id = {"userId", "sub"};
    std::vector<std::string> claim_email = {"email"};
    std::vector<std::string> claim_name = {"name"};
    std::vector<std::string> claim_roles = {"role", "roles"};
    std::vector<std::string> claim_projects = {"projects"};
    std::vector<std::string> claim_tenant = {"tenant"};
    ConfigNode issuers;                  // [[auth.issuers]]
  } auth;

  struct Contracts {
    bool defaults = true;                // the contracts and rooms that come with tidewire, beside those of the file
    std::string undeclared = "refuse";   // refuse, relay (to the rooms the sender is in): what an undeclared event gets
    std::size_t names_max = 1'000;       // SOCKET_IO_MAX_LISTENERS: event names with a listener, aliases included
  } contracts;
  ConfigNode namespaces;                 // [[namespaces]]
  ConfigNode rooms;                      // [[rooms]]
  ConfigNode events;                     // [[events]]

  struct Rates {
    std::string connection = "500/s burst 1000";  // events, each on every shard; empty: no limit
    std::string user = "1000/s burst 2000";
    std::string address;                         // many may share one
  } rates;

  struct Api {
    bool enabled = true;
    std::string admin_token;             // the one key that may do everything; production wants 32 characters
    std::string rate = "100/s burst 200";  // of one key or address
    std::size_t body_bytes_max = 1'000'000;
    std::int64_t idempotency_ms = 86'400'000;
    std::size_t idempotency_keys_max = 100'000;
    bool test_broadcast = true;          // POST /api/websocket/test-broadcast; production: off unless said
    ConfigNode keys;                     // [[api.keys]]
  } api;

  struct Hooks {
    std::string ca_file;                 // for https to private authorities
    bool allow_http = false;             // plain http beyond loopback
    ConfigNode webhooks;                 // [[hooks.webhooks]]
    ConfigNode questions;                // [[hooks.questions]]
  } hooks;

  struct Tenants {
    std::string source = "none";         // none, claim, host
    std::map<std::string, std::string> hosts;  // host name -> tenant; a host that is not here is refused
    std::size_t sockets_max = 0;         // of one tenant; 0: no bound but those of the server
  } tenants;

  struct Log {
    std::string level = "info";          // debug, info, warn, error, off
    LogFormat format = LogFormat::kAuto;
    std::uint32_t lines_per_second = 10; // of one kind; then one line that says how many were left out
    bool connections = true;             // a line for each connect and disconnect
  } log;
};

}  // namespace tidewire::server
