// server/application.h - the server binary, put together: what the configuration says, on the public API of the library.
//
//   Settings --> NamespaceRules, Rulebook (rooms, contracts), Issuers, HookSettings      (Rules: read and checked, nothing runs)
//            --> Server io
//                  Gate             who comes in                 <- KeyRing <- outbound::Client
//                  RoomService      who is in which room         <- Hooks   <- outbound::Client
//                  ContractRunner   what becomes of an event
//                  Api              what back ends may do over HTTP; asks the others by ApiServices
//
// A part knows the parts to its right, none knows the Application. SIGHUP: reload() reads everything again, and replaces the
// Rulebook, the issuers, and what the API asks of callers; a configuration with a mistake changes nothing.
// Threads: made, run and destroyed on one thread. Lifetime: the log outlives it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "base/log.h"
#include "base/random.h"
#include "outbound/client.h"
#include "server/api.h"
#include "server/contract_runner.h"
#include "server/gate.h"
#include "server/hooks.h"
#include "server/key_ring.h"
#include "server/namespace_rules.h"
#include "server/room_service.h"
#include "server/rulebook.h"
#include "server/settings.h"
#include "server/settings_check.h"
#include "server/settings_load.h"
#include "tidewire/server.h"

namespace tidewire::server {

// Everything of the configuration that is more than a value, compiled.
struct Rules {
  NamespaceRules namespaces;
  std::shared_ptr<const Rulebook> book;
  Issuers issuers;
  HookSettings hooks;
  bool read_claims = false;           // whether anything looks at claims that an identity has no field for
  std::vector<std::string> insecure;  // settings that production would refuse, as sentences
};
// Mistakes go to `errors`: each with the line it is about. `findings`: what check_settings() said.
Rules read_rules(const Settings& settings, const std::vector<Finding>& findings, ConfigErrors& errors);

class Application {
 public:
  // REQUIRES: read_rules() found nothing wrong
  Application(const Settings& settings, Rules rules, base::LogSink& log);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  // Listens and serves until SIGINT or SIGTERM; then says goodbye to everybody and delivers what webhooks wait for, within 5 s.
  Status run();
  // On SIGHUP, on the thread of run(): `load` reads the configuration again, `applied` hears what is in force from now on.
  using Load = std::function<Loaded()>;
  using Applied = std::function<void(const Settings&)>;
  void on_reload(Load load, Applied applied) { load_ = std::move(load), applied_ = std::move(applied); }

 private:
  void serve_api();
  ApiServices api_services();
  Value contracts() const;
  Value analytics() const;
  std::string metrics() const;
  void refresh_socket(ApiServices::Refresh what, ApiServices::Judged done);
  void open_namespaces();
  void follow(const Namespace& space);
  void serve_pages();
  void say_hello();
  void reload();
  void refuse_reload(const std::vector<std::string>& why);
  std::vector<std::string> insecure() const;
  void warn_of_insecure();
  void finish_hooks();

  Settings settings_;  // in force; read and replaced on the thread of run() only
  const Rules rules_;  // of the start
  CurrentRulebook book_;
  base::LogSink& log_;
  base::SystemRandom random_;  // of the outbound thread
  Server io_;                  // destroyed last: callbacks of the others post to it
  std::unique_ptr<outbound::Client> questions_client_;  // slow webhooks hold up no question
  std::unique_ptr<outbound::Client> webhooks_client_;
  KeyRing keys_;
  Hooks hooks_;
  Gate gate_;
  RoomService rooms_;
  ContractRunner runner_;
  std::unique_ptr<Server> admin_io_;  // of server.admin_listen: routes and nothing else
  ConfigErrors api_errors_;           // read_rules() has told them
  std::unique_ptr<Api> api_;
  std::unique_ptr<Api> admin_api_;    // on admin_io_
  Load load_;
  Applied applied_;
  std::atomic<bool> log_connections_;
  mutable std::mutex mutex_;
  std::vector<std::string> insecure_;  // guarded by mutex_
};

}  // namespace tidewire::server
