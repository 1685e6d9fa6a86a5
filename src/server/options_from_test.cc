#include "server/options_from.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/test_load.h"

namespace tidewire::server {
namespace {

using testing::ElementsAre;

TEST(OptionsFrom, ZeroShardsAreOnePerCore) {
  Settings settings;
  EXPECT_EQ(options_from(settings, 6).shards, 6u);
  settings.server.shards = 2;
  EXPECT_EQ(options_from(settings, 6).shards, 2u);
  EXPECT_GE(core_count(), 1u);
}

TEST(OptionsFrom, ConnectionsAreThoseOfTheWholeServer) {
  Settings settings;
  settings.server.connections_max = 10;
  EXPECT_EQ(options_from(settings, 3).connections_max, 10u);
}

// The defaults of the binary are those of the library, but for what a server of its own decides otherwise.
TEST(OptionsFrom, DefaultsAreTheLibrarys) {
  const Options library;
  const Options binary = options_from(Settings(), 1);
  EXPECT_EQ(binary.host, library.host);
  EXPECT_EQ(binary.port, 4000);
  EXPECT_EQ(binary.flush, library.flush);
  EXPECT_EQ(binary.path, library.path);
  EXPECT_EQ(binary.polling, library.polling);
  EXPECT_EQ(binary.websocket, library.websocket);
  EXPECT_EQ(binary.allow_upgrades, library.allow_upgrades);
  EXPECT_EQ(binary.ping_interval_ms, library.ping_interval_ms);
  EXPECT_EQ(binary.ping_timeout_ms, library.ping_timeout_ms);
  EXPECT_EQ(binary.upgrade_timeout_ms, library.upgrade_timeout_ms);
  EXPECT_EQ(binary.payload_bytes_max, library.payload_bytes_max);
  EXPECT_EQ(binary.http_compression, library.http_compression);
  EXPECT_EQ(binary.cookie_name, library.cookie_name);
  EXPECT_EQ(binary.cors.enabled, library.cors.enabled);
  EXPECT_EQ(binary.deflate.enabled, library.deflate.enabled);
  EXPECT_EQ(binary.deflate.threshold_bytes, library.deflate.threshold_bytes);
  EXPECT_EQ(binary.serve_socketio, library.serve_socketio);
  EXPECT_EQ(binary.connect_timeout_ms, library.connect_timeout_ms);
  EXPECT_EQ(binary.ack_timeout_ms, library.ack_timeout_ms);
  EXPECT_EQ(binary.attachments_max, library.attachments_max);
  EXPECT_EQ(binary.json_depth, library.json_depth);
  EXPECT_EQ(binary.dynamic_namespaces_max, library.dynamic_namespaces_max);
  EXPECT_EQ(binary.rooms_max, library.rooms_max);
  EXPECT_TRUE(binary.cleanup_empty_child_namespaces) << "clients choose the names, and nobody keeps handles to them";
  EXPECT_EQ(binary.serve_plain, library.serve_plain);
  EXPECT_EQ(binary.plain_paths, library.plain_paths);
  EXPECT_EQ(binary.queue_soft_bytes, library.queue_soft_bytes);
  EXPECT_EQ(binary.queue_hard_bytes, library.queue_hard_bytes);
  EXPECT_EQ(binary.queue_age_ms, library.queue_age_ms);
  EXPECT_EQ(binary.process_queue_bytes, library.process_queue_bytes);
}

TEST(OptionsFrom, EverySettingArrives) {
  const Settings settings = load_from({.file = R"(
[server]
host = "::1"
port = 5
flush = "uring"
trusted_proxies = ["10.0.0.0/8"]
proxy_protocol_from = ["10.0.0.1"]
connections_per_address_max = 6
dynamic_namespaces_max = 3
rooms_max = 4
[tls]
certificate_file = "c"
key_file = "k"
[socketio]
enabled = false
path = "/io/"
transports = ["websocket"]
allow_upgrades = false
ping_interval = "1s"
ping_timeout = "2s"
upgrade_timeout = "3s"
connect_timeout = "4s"
ack_timeout = "5s"
payload_bytes_max = 2000
attachments_max = 7
json_depth = 8
cookie_name = "io"
http_compression = false
[plain]
enabled = false
paths = ["/p"]
[cors]
origins = ["https://a.example"]
credentials = true
max_age = 9
[deflate]
enabled = true
threshold_bytes = 10
context_takeover = true
[queue]
soft_bytes = 2048
hard_bytes = 4096
age = "6s"
process_bytes = 12
[log]
level = "off"
)"}).settings;
  const Options options = options_from(settings, 1);
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.port, 5);
  EXPECT_EQ(options.flush, Flush::kUring);
  EXPECT_THAT(options.trusted_proxies, ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(options.proxy_protocol_from, ElementsAre("10.0.0.1"));
  EXPECT_EQ(options.connections_per_address_max, 6u);
  EXPECT_EQ(options.dynamic_namespaces_max, 3u);
  EXPECT_EQ(options.rooms_max, 4u);
  EXPECT_EQ(options.tls.certificate_file, "c");
  EXPECT_EQ(options.tls.key_file, "k");
  EXPECT_FALSE(options.serve_socketio);
  EXPECT_EQ(options.path, "/io/");
  EXPECT_FALSE(options.polling);
  EXPECT_TRUE(options.websocket);
  EXPECT_FALSE(options.allow_upgrades);
  EXPECT_EQ(options.ping_interval_ms, 1000);
  EXPECT_EQ(options.ping_timeout_ms, 2000);
  EXPECT_EQ(options.upgrade_timeout_ms, 3000);
  EXPECT_EQ(options.connect_timeout_ms, 4000);
  EXPECT_EQ(options.ack_timeout_ms, 5000);
  EXPECT_EQ(options.payload_bytes_max, 2000u);
  EXPECT_EQ(options.attachments_max, 7u);
  EXPECT_EQ(options.json_depth, 8u);
  EXPECT_EQ(options.cookie_name, "io");
  EXPECT_FALSE(options.http_compression);
  EXPECT_FALSE(options.serve_plain);
  EXPECT_THAT(options.plain_paths, ElementsAre("/p"));
  EXPECT_TRUE(options.cors.enabled);
  EXPECT_THAT(options.cors.origins, ElementsAre("https://a.example"));
  EXPECT_TRUE(options.cors.credentials);
  EXPECT_EQ(options.cors.max_age_s, 9);
  EXPECT_TRUE(options.deflate.enabled);
  EXPECT_EQ(options.deflate.threshold_bytes, 10u);
  EXPECT_TRUE(options.deflate.context_takeover);
  EXPECT_EQ(options.queue_soft_bytes, 2048u);
  EXPECT_EQ(options.queue_hard_bytes, 4096u);
  EXPECT_EQ(options.queue_age_ms, 6000);
  EXPECT_EQ(options.process_queue_bytes, 12u);
  EXPECT_FALSE(options.log_to_stderr);
}

}  // namespace
}  // namespace tidewire::server
