// tidewire/options.h - every setting of a Server, with unit, default, and what happens at the bound.
//
//   tidewire::Server io({.host = "0.0.0.0", .port = 4000, .shards = 2});
//
// Defaults are those of Socket.IO 4.8 where it has the setting. Durations in milliseconds, sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidewire {

// Cross-origin answers, as the npm package `cors` gives them; the list of origins also decides who may upgrade to WebSocket.
struct CorsOptions {
  bool enabled = false;
  std::vector<std::string> origins = {};        // "*" alone: any. Compared exactly: scheme, host and port
  std::string methods = "GET,HEAD,PUT,PATCH,POST,DELETE";
  std::string allowed_headers = {};             // empty: what the browser asks for
  std::string exposed_headers = {};
  bool credentials = false;
  int max_age_s = -1;                           // negative: not sent
};

// permessage-deflate (RFC 7692). Off by default, as it costs CPU and memory per connection.
struct DeflateOptions {
  bool enabled = false;
  std::size_t threshold_bytes = 1024;           // shorter messages go out as they are
  bool context_takeover = false;                // off: compressed once per broadcast, and shared
  int window_bits = 15;                         // 9..15
  int memory_level = 8;                         // 1..9
  int level = 1;                                // 1..9
};

struct TlsFiles {
  std::string certificate_file = {};            // PEM, leaf first; empty: no TLS
  std::string key_file = {};                    // PEM
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };
struct LogField {
  std::string_view key;
  std::string value;  // may hold anything a peer sent: escape it, cut it
};
// Hears every line of `log_level` and above. From any thread, several at a time; it must not block.
using LogHandler = std::function<void(LogLevel, std::string_view message, std::span<const LogField>)>;

enum class Flush : std::uint8_t { kAuto, kSend, kUring };

struct Options {
  // Where
  std::string host = "127.0.0.1";               // an IP literal; "0.0.0.0" or "::" for every interface
  std::uint16_t port = 0;                       // 0: the system chooses, see Server::port()
  std::uint32_t shards = 1;                     // threads, 1..256. With more than one, handlers run in parallel
  Flush flush = Flush::kAuto;                   // how a turn's bytes leave: plain sends, or io_uring where it is allowed
  TlsFiles tls = {};
  std::vector<std::string> proxy_protocol_from = {}; // networks ("10.0.0.0/8") whose connections begin with a PROXY header
  std::vector<std::string> trusted_proxies = {}; // networks whose Forwarded and X-Forwarded-* headers count
  std::size_t connections_max = 1'000'000;      // of the server, all shards together; beyond: closed at once
  // Of one address (IPv6: of its /64; behind a PROXY header: of the client), all shards together; beyond: closed at once.
  // 0: no limit, as behind a proxy without PROXY headers all clients have its address
  std::size_t connections_per_address_max = 0;

  // Engine.IO
  std::string path = "/socket.io/";
  bool polling = true;
  bool websocket = true;
  bool allow_upgrades = true;
  std::int64_t ping_interval_ms = 25'000;
  std::int64_t ping_timeout_ms = 20'000;
  std::int64_t upgrade_timeout_ms = 10'000;
  std::size_t payload_bytes_max = 1'000'000;    // per message and per POST; beyond: 1009, or 413
  std::size_t packets_per_payload_max = 10'000; // beyond: 400, the session ends
  bool http_compression = true;                 // polling answers of 1024 bytes and more
  std::string cookie_name = {};                 // empty: none
  CorsOptions cors = {};
  DeflateOptions deflate = {};

  // Socket.IO
  bool serve_socketio = true;
  std::int64_t connect_timeout_ms = 45'000;     // no namespace joined by then: closed; plain clients, too, with 1008
  std::int64_t ack_timeout_ms = 30'000;         // for acknowledgements without a timeout of their own
  std::uint32_t attachments_max = 10;           // per packet; beyond: 1002
  std::size_t json_depth = 64;                  // 1..512; beyond: 1002
  // Namespaces made because a pattern or a predicate said yes, at once; beyond: nobody gets into a new one (connect_error "Too
  // many namespaces", plain: too_many_namespaces, 1013). Up to 1,000,000
  std::size_t dynamic_namespaces_max = 10'000;
  // Such a namespace ends with its last socket, and so does a tenant's copy of a declared one. Off, each that ever was stays
  bool cleanup_empty_child_namespaces = false;
  // Rooms that somebody is in, of all namespaces and shards; beyond: none is made, Socket::join() says so. A socket's own id is
  // none. Up to 100,000,000
  std::size_t rooms_max = 1'000'000;

  // Plain WebSocket clients that speak JSON: "/" flat, the others always with "data"
  bool serve_plain = true;
  std::vector<std::string> plain_paths = {"/", "/ws", "/api/ws"};

  // What a peer may owe us
  std::size_t queue_soft_bytes = 256 * 1024;    // over it: volatile messages dropped, reading from that peer paused
  std::size_t queue_hard_bytes = 1024 * 1024;   // over it: closed with 4008
  std::int64_t queue_age_ms = 10'000;           // the oldest byte waits longer: closed with 4008
  // What all peers together may make the process hold, those of its other servers too: queues (a message to many counts once),
  // bodies and attachments under way. 0: a quarter of the memory of the machine or the control group. From 80 % on queue_hard_bytes is queue_soft_bytes,
  // from 90 % on the largest queues are closed with 4008, from 95 % on new handshakes get 503 with Retry-After
  std::size_t process_queue_bytes = 0;

  // Who somebody is, see Server::authenticate()
  std::int64_t identity_warning_ms = 30'000;    // `auth_expiring` this long before an identity ends; 0: never

  // People
  bool log_to_stderr = true;                    // warnings and errors; false: silent
  LogLevel log_level = LogLevel::kWarn;
  LogHandler log = {};                          // instead of stderr
};

}  // namespace tidewire
