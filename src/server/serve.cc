#include "server/serve.h"

#include <cstdio>
#include <memory>

#include "server/application.h"
#include "server/settings_report.h"

namespace tidewire::server {
namespace {

LogLevel level_of(const std::string& word) {
  if (word == "debug") return LogLevel::kDebug;
  if (word == "info") return LogLevel::kInfo;
  if (word == "warn") return LogLevel::kWarn;
  return word == "error" ? LogLevel::kError : LogLevel::kOff;
}

void print_errors(const ConfigErrors& errors) {
  for (const std::string& line : errors.lines()) std::fprintf(stderr, "error: %s\n", line.c_str());
}

}  // namespace

int serve(const Loaded& loaded, const LoadRequest& request) {
  ConfigErrors errors;
  Rules rules = read_rules(loaded.settings, errors);
  if (!errors.empty()) {
    print_errors(errors);
    std::fprintf(stderr, "tidewire does not start\n");
    return 1;
  }
  base::LogSink& log = base::stderr_log(level_of(loaded.settings.log.level));
  Application application(loaded.settings, std::move(rules), log);
  application.on_reload([&]() -> std::unique_ptr<Settings> {
    const Loaded again = load_settings(request);
    if (again.usable()) return std::make_unique<Settings>(again.settings);
    std::fputs(report_lines(again).c_str(), stderr);
    log.write(LogLevel::kError, "configuration not reloaded", {{"why", report_summary(again)}});
    return nullptr;
  });
  const Status ended = application.run();
  if (!ended.ok()) std::fprintf(stderr, "tidewire: %s\n", ended.message().c_str());
  return ended.ok() ? 0 : 1;
}

}  // namespace tidewire::server
