#include "server/api_statistics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <optional>

#include "server/api_connections.h"
#include "server/api_gather.h"
#include "server/metrics.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kDefaultRooms[] = {"global", "authenticated", "admin"};

// Of "/" and of the call's tenant, {global, authenticated, admin}.
void count_default_rooms(const ApiContext& context, const ApiCallPointer& call, UniqueFunction<void(Value)> done) {
  std::vector<BroadcastOperator> rooms;
  for (const std::string_view room : kDefaultRooms) rooms.push_back(context.space(*call, "/").to(room));
  CountAll::run(std::move(rooms), [done = std::move(done)](const std::vector<std::uint64_t>& counts, bool) {
    Value value = Value::object();
    for (std::size_t i = 0; i < counts.size(); ++i) value.set(kDefaultRooms[i], counts[i]);
    done(std::move(value));
  });
}

void statistics(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  const auto answer = [context, call](const auto& now) {
    count_default_rooms(*context, call, [call, value = connection_statistics(context->options, now)](Value rooms) mutable {
      value.set("rooms", std::move(rooms));
      call->answer(value);
    });
  };
  if (context->about_all(*call)) {
    context->io.gather_statistics().then(answer);
  } else {
    context->io.gather_statistics(call->tenant, "/").then(answer);
  }
}

void analytics(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  context->io.gather_statistics().then([context, call](ServerStatistics now) {
    count_default_rooms(*context, call, [context, call, now](Value rooms) {
      const ProcessFigures process = process_figures();
      Value value = Value::object(
          {{"timestamp", iso_time(wall_clock_ms())}, {"uptimeSeconds", (wall_clock_ms() - context->started_ms) / 1000},
           {"connections", connection_statistics(context->options, now)}, {"rooms", std::move(rooms)}, {"statistics", to_value(now)},
           {"process", Value::object({{"residentBytes", process.resident_bytes}, {"openDescriptors", process.open_descriptors},
                                      {"cpuSeconds", process.cpu_seconds}})}});
      if (context->services.analytics) {
        const Value more = context->services.analytics();
        for (const Value::Member& member : more.members()) value.set(member.key, member.value);
      }
      call->answer(value);
    });
  });
}

void metrics(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  context->io.gather_statistics().then([context, call](ServerStatistics now) {
    std::string text = metrics_text(now, process_figures(), context->started_ms, context->io.shard_count());
    if (context->services.metrics) text += context->services.metrics();
    call->send(200, kMetricsType, std::move(text));
  });
}

std::uint64_t count_descriptors() {
  std::uint64_t count = 0;
  if (DIR* folder = opendir("/proc/self/fd")) {
    while (const dirent* entry = readdir(folder)) count += entry->d_name[0] == '.' ? 0u : 1u;
    closedir(folder);
  }
  return count;
}

std::uint64_t open_descriptors() {
  static std::mutex mutex;
  static std::uint64_t count = 0;
  static std::optional<std::int64_t> counted_ms;
  const std::lock_guard lock(mutex);
  const std::int64_t now = wall_clock_ms();
  if (!counted_ms || now - *counted_ms >= kDescriptorsKeptMs || now < *counted_ms) {
    count = count_descriptors();
    counted_ms = now;
  }
  return count;
}

// Of the user who asks. Only what is known: latency is not measured, and says so.
void connection_health(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  connections_of_user(*context, call, call->caller.identity.user_id, [call](std::vector<Value> connections, bool) {
    std::vector<Value> shown;
    for (const Value& each : connections) {
      shown.push_back(Value::object({{"id", each["id"]}, {"namespace", each["namespace"]}, {"dialect", each["dialect"]},
                                     {"transport", each["transport"]}, {"connectedAt", each["connected_at"]}, {"rooms", each["rooms"]},
                                     {"latencyMs", Value()}}));
    }
    call->answer(Value::object({{"userId", call->caller.identity.user_id}, {"status", shown.empty() ? "offline" : "connected"},
                                {"total", shown.size()}, {"connections", Value::array(std::move(shown))},
                                {"timestamp", iso_time(wall_clock_ms())}}));
  });
}

}  // namespace

std::uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long size = 0;
  unsigned long resident = 0;
  const bool read = std::fscanf(file, "%lu %lu", &size, &resident) == 2;
  std::fclose(file);
  return read ? std::uint64_t{resident} * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

ProcessFigures process_figures() {
  ProcessFigures figures;
  figures.resident_bytes = resident_bytes();
  figures.open_descriptors = open_descriptors();
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    figures.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return figures;
}

namespace {

Value one_kind(bool available, std::uint64_t connected, std::uint64_t total) {
  return Value::object({{"available", available}, {"connected", connected},
                        {"stats", Value::object({{"connected", connected}, {"total", total}})}});
}

}  // namespace

Value connection_statistics(const Options& options, const ServerStatistics& now) {
  return Value::object({{"socketIO", one_kind(options.serve_socketio, now.sessions, now.handshakes)},
                        {"webSocket", one_kind(options.serve_plain, now.plain_peers, now.plain_handshakes)}});
}

Value connection_statistics(const Options& options, const NamespaceStatistics& now) {
  return Value::object({{"socketIO", one_kind(options.serve_socketio, now.socketio.now, now.socketio.ever)},
                        {"webSocket", one_kind(options.serve_plain, now.plain.now, now.plain.ever)}});
}

Value to_value(const ServerStatistics& now) {
  Value value = Value::object();
  for (const Metric& metric : metric_table()) value.set(metric.field_name, now.*metric.field);
  return value;
}

void add_statistics_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table) {
  table.push_back({.method = "GET", .path = "/api/websocket/stats", .tag = "statistics", .summary = "How many clients of each kind, and in the default rooms.",
                   .figures = true, .answers = {{200, "{socketIO: {available, connected, stats: {connected, total}}, webSocket: the same, rooms}"}},
                   .handler = [context](const ApiCallPointer& call) { statistics(context, call); }});
  table.push_back({.method = "GET", .path = "/api/admin/websocket-analytics", .tag = "statistics", .summary = "Every figure of the server.",
                   .right = ApiRight::kAdmin, .whole_server = true,
                   .answers = {{200, "{timestamp, uptimeSeconds, connections, rooms, statistics, process}"}},
                   .handler = [context](const ApiCallPointer& call) { analytics(context, call); }});
  table.push_back({.method = "GET", .path = "/api/v1/websocket/connection-health", .tag = "statistics", .summary = "The connections of the user whose token it is.",
                   .right = ApiRight::kUser, .answers = {{200, "{userId, status, total, connections, timestamp}"}},
                   .handler = [context](const ApiCallPointer& call) { connection_health(context, call); }});
  table.push_back({.method = "GET", .path = "/api/contracts", .tag = "statistics", .summary = "The events and rooms that are declared.",
                   .right = ApiRight::kRole, .role = "read", .whole_server = true, .answers = {{200, "the contracts"}},
                   .handler = [context](const ApiCallPointer& call) {
                     if (!context->services.contracts) return call->refuse(501, api_codes::kNotAvailable, "this server has no contracts");
                     call->answer(context->services.contracts());
                   }});
  table.push_back({.method = "GET", .path = "/metrics", .tag = "statistics", .summary = "Figures for Prometheus.",
                   .right = ApiRight::kRole, .role = "metrics", .whole_server = true, .limited = false,
                   .answers = {{200, "text format 0.0.4"}}, .type = "text/plain",
                   .handler = [context](const ApiCallPointer& call) { metrics(context, call); }});
}

}  // namespace tidewire::server
