#include "server/options_from.h"

#include <algorithm>
#include <thread>

namespace tidewire::server {
namespace {

constexpr std::uint32_t kShardsMax = 256;

Flush flush_from(const std::string& word) {
  if (word == "send") return Flush::kSend;
  return word == "uring" ? Flush::kUring : Flush::kAuto;
}

bool has(const std::vector<std::string>& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

}  // namespace

std::uint32_t core_count() { return std::clamp(std::thread::hardware_concurrency(), 1u, kShardsMax); }

Options options_from(const Settings& settings, std::uint32_t cores) {
  const Settings::Server& server = settings.server;
  const Settings::SocketIo& socketio = settings.socketio;
  Options options;
  options.host = server.host;
  options.port = server.port;
  options.shards = server.shards != 0 ? server.shards : cores;
  options.flush = flush_from(server.flush);
  options.tls = {.certificate_file = settings.tls.certificate_file, .key_file = settings.tls.key_file};
  options.proxy_protocol_from = server.proxy_protocol_from;
  options.trusted_proxies = server.trusted_proxies;
  options.connections_max = server.connections_max;
  options.connections_per_address_max = server.connections_per_address_max;
  options.dynamic_namespaces_max = server.dynamic_namespaces_max;
  options.rooms_max = server.rooms_max;

  options.serve_socketio = socketio.enabled;
  options.path = socketio.path;
  options.polling = has(socketio.transports, "polling");
  options.websocket = has(socketio.transports, "websocket");
  options.allow_upgrades = socketio.allow_upgrades;
  options.ping_interval_ms = socketio.ping_interval_ms;
  options.ping_timeout_ms = socketio.ping_timeout_ms;
  options.upgrade_timeout_ms = socketio.upgrade_timeout_ms;
  options.connect_timeout_ms = socketio.connect_timeout_ms;
  options.ack_timeout_ms = socketio.ack_timeout_ms;
  options.payload_bytes_max = socketio.payload_bytes_max;
  options.attachments_max = socketio.attachments_max;
  options.json_depth = socketio.json_depth;
  options.cleanup_empty_child_namespaces = true;
  options.cookie_name = socketio.cookie_name;
  options.http_compression = socketio.http_compression;

  options.serve_plain = settings.plain.enabled;
  options.plain_paths = settings.plain.paths;
  options.cors.enabled = !settings.cors.origins.empty();
  options.cors.origins = settings.cors.origins;
  options.cors.credentials = settings.cors.credentials;
  options.cors.max_age_s = static_cast<int>(settings.cors.max_age_s);
  options.deflate.enabled = settings.deflate.enabled;
  options.deflate.threshold_bytes = settings.deflate.threshold_bytes;
  options.deflate.context_takeover = settings.deflate.context_takeover;
  options.queue_soft_bytes = settings.queue.soft_bytes;
  options.queue_hard_bytes = settings.queue.hard_bytes;
  options.queue_age_ms = settings.queue.age_ms;
  options.process_queue_bytes = settings.queue.process_bytes;
  options.log_to_stderr = settings.log.level != "off";
  return options;
}

}  // namespace tidewire::server
