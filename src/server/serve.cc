#include "server/serve.h"

#include <csignal>
#include <cstdio>
#include <memory>

#include "server/application.h"
#include "server/log_thread.h"

namespace tidewire::server {
namespace {

base::LogLevel level_of(const std::string& word) {
  if (word == "debug") return LogLevel::kDebug;
  if (word == "info") return LogLevel::kInfo;
  if (word == "warn") return LogLevel::kWarn;
  return word == "error" ? LogLevel::kError : LogLevel::kOff;
}

void print_errors(const ConfigErrors& errors) {
  for (const std::string& line : errors.lines()) std::fprintf(stderr, "error: %s\n", line.c_str());
}

// Before there is any thread: the signals are for Server::run(), and a thread that had them open would end the process.
void keep_signals_for_run() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

int serve(const Loaded& loaded, const LoadRequest& request) {
  keep_signals_for_run();
  ConfigErrors errors;
  Rules rules = read_rules(loaded.settings, loaded.findings, errors);
  if (!errors.empty()) {
    print_errors(errors);
    std::fprintf(stderr, "tidewire does not start\n");
    return 1;
  }
  auto log = LogThread::start({.level = level_of(loaded.settings.log.level),
                               .format = loaded.settings.log.format,
                               .lines_per_second = loaded.settings.log.lines_per_second});
  if (!log.ok()) {
    std::fprintf(stderr, "tidewire: %s\n", log.status().message().c_str());
    return 1;
  }
  Application application(loaded.settings, std::move(rules), **log);
  application.on_reload([&request] { return load_settings(request); },
                        [&log](const Settings& settings) { (*log)->set_level(level_of(settings.log.level)); });
  const Status ended = application.run();
  if (!ended.ok()) std::fprintf(stderr, "tidewire: %s\n", ended.message().c_str());
  return ended.ok() ? 0 : 1;
}

}  // namespace tidewire::server
