// Connections as fast as the server takes them, then rest. Resident memory is read twice, after the first half and after the
// second, so that what a server allocates once (buffers, code, a warm heap) is in neither figure.
#include "scenario.h"
#include "server_usage.h"

namespace tidewire::bench {
namespace {

using std::chrono::milliseconds;

constexpr auto kRest = milliseconds(400);

void rest(Loop& loop) {
  for (const auto end = Clock::now() + kRest; Clock::now() < end;) {
    if (!loop.turn(end)) return;
  }
}

}  // namespace

Report run_connect(ClientContext& context, const LoadOptions& options) {
  Fleet fleet(context);
  Report report;
  Usage total;
  std::int64_t resident_at_half = 0;
  std::int64_t resident = 0;
  const auto half = options.connections / 2;
  for (const std::size_t count : {half, options.connections}) {
    const auto wall_begin = Clock::now();
    const Usage begin = read_usage(options.server);
    if (!fleet.open_until(count)) return {};
    const Usage end = read_usage(options.server);
    report.wall_seconds += std::chrono::duration<double>(Clock::now() - wall_begin).count();
    total.cpu_ns += end.cpu_ns - begin.cpu_ns;
    total.user_ticks += end.user_ticks - begin.user_ticks;
    total.system_ticks += end.system_ticks - begin.system_ticks;
    if (!fleet.join_rooms(options.rooms, options.room_members)) return {};  // not part of connecting
    rest(context.loop);
    (count == half ? resident_at_half : resident) = read_rss_bytes(options.server);
  }
  report.count = options.connections;
  report.cpu_us = static_cast<double>(total.cpu_ns) / 1e3 / static_cast<double>(report.count);
  report.user_us = report.cpu_us * user_share({}, total);
  report.system_us = report.cpu_us - report.user_us;
  report.idle_bytes = static_cast<double>(resident - resident_at_half) / static_cast<double>(options.connections - half);
  return report;
}

}  // namespace tidewire::bench
