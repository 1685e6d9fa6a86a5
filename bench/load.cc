// load.cc - tidewire-load: drives one server with one scenario, judges every answer, and prints what it cost the server.
//
// One line of JSON on stdout. Exit code 0: measured; 1: an answer was wrong or missing ("valid":false says why); 2: usage.
#include <openssl/ssl.h>

#include <csignal>
#include <cstdio>

#include "scenario.h"
#include "server_usage.h"

namespace tidewire::bench {
namespace {

using std::chrono::duration;

constexpr auto kPatience = std::chrono::seconds(5);  // for the answers that are still on their way at the end

Clock::duration as_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(duration<double>(seconds));
}

void drive(Loop& loop, Driver& driver, Clock::time_point until, std::uint64_t count) {
  while (Clock::now() < until && driver.done() < count) {
    if (!loop.turn(std::min(until, driver.due()))) return;
    driver.turn_end();
  }
}

Report run(ClientContext& context, const LoadOptions& options) {
  if (options.scenario == "echo") return run_echo(context, options);
  if (options.scenario == "broadcast") return run_broadcast(context, options);
  if (options.scenario == "connect") return run_connect(context, options);
  if (options.scenario == "projects") return run_projects(context, options);
  return run_polling(context, options);
}

std::string json_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text.substr(0, 300)) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ? '?' : c;
  }
  return result + '"';
}

void print(const char* name, const Loop& loop, const Report& report) {
  std::printf("{\"scenario\":\"%s\",\"valid\":%s,", name, loop.failed() ? "false" : "true");
  if (loop.failed()) {
    std::printf("\"reason\":%s}\n", json_text(loop.reason()).c_str());
    return;
  }
  std::printf("\"count\":%llu,\"seconds\":%.3f,\"cpu_us\":%.4f,\"user_us\":%.4f,\"system_us\":%.4f,\"idle_bytes\":%.1f}\n",
              static_cast<unsigned long long>(report.count), report.wall_seconds, report.cpu_us, report.user_us,
              report.system_us, report.idle_bytes);
}

int load_main(int argc, char** argv) {
  LoadOptions options;
  if (!parse_load_options(argc, argv, options)) return 2;
  std::signal(SIGPIPE, SIG_IGN);
  Loop loop;
  loop.set_deadline(Clock::now() + as_duration(options.deadline_seconds));
  ssl_ctx_st* const tls = options.tls ? make_client_tls() : nullptr;
  ClientContext context{loop, {options.host, options.port, tls}, options.raw, options.deflate, options.auths};
  const Report report = run(context, options);
  if (options.deflate && context.compressed_frames == 0) loop.fail("compression was agreed on and never used");
  print(argv[1], loop, report);
  SSL_CTX_free(tls);
  return loop.failed() ? 1 : 0;
}

}  // namespace

Report measure(Loop& loop, Driver& driver, const LoadOptions& options) {
  const auto no_limit = ~std::uint64_t{0};
  driver.start();
  drive(loop, driver, Clock::now() + as_duration(options.warmup_seconds), no_limit);
  const auto count_begin = driver.done();
  const auto wall_begin = Clock::now();
  const Usage begin = read_usage(options.server);
  if (options.messages > 0) {
    drive(loop, driver, Clock::time_point::max(), count_begin + options.messages);
  } else {
    drive(loop, driver, wall_begin + as_duration(options.seconds), no_limit);
  }
  const Usage end = read_usage(options.server);
  Report report;
  report.count = driver.done() - count_begin;
  report.wall_seconds = duration<double>(Clock::now() - wall_begin).count();
  driver.stop();
  loop.set_deadline(Clock::now() + kPatience);
  while (driver.outstanding() > 0 && loop.turn(Clock::time_point::max())) {
  }
  if (report.count == 0) loop.fail("nothing was answered");
  if (loop.failed()) return report;
  report.cpu_us = static_cast<double>(end.cpu_ns - begin.cpu_ns) / 1e3 / static_cast<double>(report.count);
  report.user_us = report.cpu_us * user_share(begin, end);
  report.system_us = report.cpu_us - report.user_us;
  return report;
}

}  // namespace tidewire::bench

int main(int argc, char** argv) { return tidewire::bench::load_main(argc, argv); }
