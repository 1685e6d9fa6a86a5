// Health: is it alive, may it have clients, how is it. Shapes of the mission where it names them. With tenants the figures are for
// the administrator of all of them; others see null.
#include "server/api_statistics.h"

namespace tidewire::server {
namespace {

bool ready(const ApiContext& context) { return !context.services.ready || context.services.ready(); }

std::int64_t uptime_s(const ApiContext& context) { return (wall_clock_ms() - context.started_ms) / 1000; }

void alive(const ApiContext& context, ApiCall& call) {
  Value insecure = Value::array();
  if (context.services.insecure) {
    for (std::string& each : context.services.insecure()) insecure.push_back(std::move(each));
  }
  call.answer(Value::object({{"status", "ok"}, {"insecure", std::move(insecure)}}));
}

void websocket_health(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  context->io.gather_statistics().then([context, call](ServerStatistics now) {
    const bool figures = context->about_all(*call);
    const auto one = [figures](bool available, std::uint64_t connected) {
      return Value::object({{"available", available}, {"connected", figures ? Value(connected) : Value()}});
    };
    call->answer(Value::object({{"status", ready(*context) ? "healthy" : "stopping"},
                                {"connections", figures ? Value(now.sessions + now.plain_peers) : Value()},
                                {"socketIO", one(context->options.serve_socketio, now.sessions)},
                                {"webSocket", one(context->options.serve_plain, now.plain_peers)},
                                {"uptimeSeconds", uptime_s(*context)}, {"timestamp", iso_time(wall_clock_ms())}}));
  });
}

// Memory is "degraded" from where the server closes its largest queues (Options::process_queue_bytes).
void detailed(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  context->io.gather_statistics().then([context, call](ServerStatistics now) {
    const bool memory_short = now.held_bytes_max != 0 && now.held_bytes / 9 >= now.held_bytes_max / 10;
    const bool up = ready(*context);
    const bool figures = context->about_all(*call);
    const auto shown = [figures](std::uint64_t figure) { return figures ? Value(figure) : Value(); };
    Value components = Value::object(
        {{"websocket", Value::object({{"status", up ? "healthy" : "stopping"}, {"available", context->options.serve_plain}, {"connected", shown(now.plain_peers)}})},
         {"socketio", Value::object({{"status", up ? "healthy" : "stopping"}, {"available", context->options.serve_socketio}, {"connected", shown(now.sessions)}})},
         {"memory", Value::object({{"status", memory_short ? "degraded" : "healthy"}, {"heldBytes", shown(now.held_bytes)}, {"heldBytesMax", shown(now.held_bytes_max)},
                                   {"residentBytes", shown(resident_bytes())}})}});
    if (context->services.components) {
      const Value more = context->services.components();
      for (const Value::Member& member : more.members()) components.set(member.key, member.value);
    }
    bool healthy = true;
    for (const Value::Member& member : components.members()) healthy = healthy && member.value["status"] == Value("healthy");
    call->answer(Value::object({{"status", !up ? "stopping" : healthy ? "healthy" : "degraded"}, {"version", TIDEWIRE_VERSION},
                                {"uptimeSeconds", uptime_s(*context)}, {"timestamp", iso_time(wall_clock_ms())},
                                {"components", std::move(components)}}));
  });
}

}  // namespace

void add_health_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table) {
  table.push_back({.method = "GET", .path = "/healthz", .tag = "health", .summary = "Alive.", .limited = false,
                   .answers = {{200, "{status: \"ok\", insecure}: settings that are no good for production"}},
                   .handler = [context](const ApiCallPointer& call) { alive(*context, *call); }});
  table.push_back({.method = "GET", .path = "/readyz", .tag = "health", .summary = "May have clients.", .limited = false,
                   .answers = {{200, "{status: \"ready\"}"}, {503, "the server stops; {status: \"stopping\"}"}},
                   .handler = [context](const ApiCallPointer& call) {
                     const bool up = ready(*context);
                     call->answer(Value::object({{"status", up ? "ready" : "stopping"}}), up ? 200 : 503);
                   }});
  table.push_back({.method = "GET", .path = "/health", .tag = "health", .summary = "Alive, with the main figures.",
                   .answers = {{200, "{status: \"ok\", statistics}"}},
                   .handler = [context](const ApiCallPointer& call) {
                     context->io.gather_statistics().then([context, call](ServerStatistics now) {
                       if (!context->about_all(*call)) return call->answer(Value::object({{"status", "ok"}, {"statistics", Value::object()}}));
                       const Value all = to_value(now);
                       Value shown = Value::object();
                       for (const std::string_view name : {"connections", "sessions", "sockets", "plain_peers", "events_in", "deliveries",
                                                           "protocol_errors", "slow_consumers"}) {
                         shown.set(name, all[name]);
                       }
                       call->answer(Value::object({{"status", "ok"}, {"statistics", std::move(shown)}}));
                     });
                   }});
  table.push_back({.method = "GET", .path = "/api/websocket/health", .tag = "health", .summary = "How many clients of each kind.",
                   .answers = {{200, "{status, connections, socketIO: {available, connected}, webSocket, uptimeSeconds, timestamp}"}},
                   .handler = [context](const ApiCallPointer& call) { websocket_health(context, call); }});
  table.push_back({.method = "GET", .path = "/api/health/detailed", .tag = "health", .summary = "Each component.",
                   .answers = {{200, "{status, version, uptimeSeconds, timestamp, components: {websocket, socketio, memory, ...}}"}},
                   .handler = [context](const ApiCallPointer& call) { detailed(context, call); }});
}

}  // namespace tidewire::server
