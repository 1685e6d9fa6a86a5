#include "server/metrics.h"

#include <prometheus/text_serializer.h>

#include <array>
#include <sstream>

#include "server/api_statistics.h"

namespace tidewire::server {
namespace {

using S = ServerStatistics;

constexpr std::array kMetrics = {
    Metric{"connections", "tidewire_connections", "Streams open now.", &S::connections},
    Metric{"sessions", "tidewire_sessions", "Engine.IO sessions now.", &S::sessions},
    Metric{"polling_sessions", "tidewire_polling_sessions", "Of those, by HTTP polling.", &S::polling_sessions},
    Metric{"sockets", "tidewire_sockets", "Members of namespaces now.", &S::sockets},
    Metric{"plain_peers", "tidewire_plain_peers", "Plain WebSocket clients now.", &S::plain_peers},
    Metric{"plain_handshakes", "tidewire_plain_handshakes_total", "Plain WebSocket clients ever.", &S::plain_handshakes},
    Metric{"accepted", "tidewire_accepted_total", "Streams ever.", &S::accepted},
    Metric{"handshakes", "tidewire_handshakes_total", "Engine.IO sessions ever.", &S::handshakes},
    Metric{"upgrades", "tidewire_upgrades_total", "Sessions that went from polling to WebSocket.", &S::upgrades},
    Metric{"events_in", "tidewire_events_received_total", "Events from clients.", &S::events_in},
    Metric{"deliveries", "tidewire_deliveries_total", "Events queued for a client.", &S::deliveries},
    Metric{"volatile_dropped", "tidewire_volatile_dropped_total", "Volatile events a client could not take.", &S::volatile_dropped},
    Metric{"protocol_errors", "tidewire_protocol_errors_total", "Violations of a protocol.", &S::protocol_errors},
    Metric{"slow_consumers", "tidewire_slow_consumers_total", "Clients closed because they took too little.", &S::slow_consumers},
    Metric{"shed_queues", "tidewire_shed_queues_total", "Of those, because memory was short.", &S::shed_queues},
    Metric{"held_bytes", "tidewire_held_bytes", "What clients make the process hold now.", &S::held_bytes},
    Metric{"held_bytes_max", "tidewire_held_bytes_max", "The bound of it.", &S::held_bytes_max},
    Metric{"refused_connections", "tidewire_refused_connections_total", "Over the bound of connections.", &S::refused_connections},
    Metric{"refused_by_address", "tidewire_refused_by_address_total", "Over the bound of one address.", &S::refused_by_address},
    Metric{"refused_by_memory", "tidewire_refused_by_memory_total", "Handshakes answered with 503.", &S::refused_by_memory},
    Metric{"refused_namespaces", "tidewire_refused_namespaces_total", "Over the bound of dynamic namespaces.", &S::refused_namespaces},
    Metric{"refused_rooms", "tidewire_refused_rooms_total", "Joins over the bound of rooms.", &S::refused_rooms},
    Metric{"sessions_not_begun", "tidewire_sessions_not_begun", "Polling sessions that sent nothing yet.", &S::sessions_not_begun},
    Metric{"sessions_given_up", "tidewire_sessions_given_up_total", "Of those, dropped.", &S::sessions_given_up},
    Metric{"bytes_in", "tidewire_received_bytes_total", "Bytes from clients.", &S::bytes_in},
    Metric{"bytes_out", "tidewire_sent_bytes_total", "Bytes to clients.", &S::bytes_out},
    Metric{"sends", "tidewire_sends_total", "Writes to the network.", &S::sends},
    Metric{"dropped_messages", "tidewire_dropped_messages_total", "Messages to a shard that hangs, dropped as memory was short.",
           &S::dropped_messages},
    Metric{"listener_failures", "tidewire_listener_failures_total", "Listeners that threw.", &S::listener_failures},
};
// Every figure of ServerStatistics has a row.
static_assert(kMetrics.size() * sizeof(std::uint64_t) == sizeof(ServerStatistics));

prometheus::MetricFamily family(std::string_view name, std::string_view text, double value) {
  prometheus::MetricFamily made;
  made.name = name;
  made.help = text;
  made.type = name.ends_with("_total") ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  metric.gauge.value = value;
  made.metric.push_back(std::move(metric));
  return made;
}

}  // namespace

std::span<const Metric> metric_table() noexcept { return kMetrics; }

std::string metrics_text(const ServerStatistics& now, const ProcessFigures& process, std::int64_t started_ms, std::uint32_t shards) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& metric : kMetrics) families.push_back(family(metric.name, metric.text, static_cast<double>(now.*metric.field)));
  families.push_back(family("tidewire_shards", "Threads that serve clients.", shards));
  families.push_back(family("process_resident_memory_bytes", "Resident memory.", static_cast<double>(process.resident_bytes)));
  families.push_back(family("process_open_fds", "Open descriptors.", static_cast<double>(process.open_descriptors)));
  families.push_back(family("process_cpu_seconds_total", "Processor time, user and system.", process.cpu_seconds));
  families.push_back(family("process_start_time_seconds", "Since the epoch.", static_cast<double>(started_ms) / 1000));
  families.push_back(family("tidewire_build_info", "1, with the version.", 1));
  families.back().metric[0].label = {{"version", TIDEWIRE_VERSION}};
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace tidewire::server
