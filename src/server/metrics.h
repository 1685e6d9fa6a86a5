// server/metrics.h - the figures of the server in the text format of Prometheus.
//
// One row for each figure: the same table serves /metrics and the JSON answers. Labels are constants of the program; a room, a
// user or an event name never is one, so that no client can make the answer grow.
// Threads: pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tidewire/server.h"

namespace tidewire::server {

struct ProcessFigures;

struct Metric {
  std::string_view field_name;
  std::string_view name;  // ends in _total if it only grows
  std::string_view text;
  std::uint64_t ServerStatistics::*field;
  bool grows() const noexcept { return name.ends_with("_total"); }
};
std::span<const Metric> metric_table() noexcept;

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
std::string metrics_text(const ServerStatistics& now, const ProcessFigures& process, std::int64_t started_ms, std::uint32_t shards);

}  // namespace tidewire::server
