#include "server/application.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "server/defaults.h"
#include "server/options_from.h"
#include "server/page.h"
#include "server/reload.h"

namespace tidewire::server {
namespace {

constexpr std::int64_t kFinishMs = 5'000;
constexpr std::int64_t kFinishCheckMs = 20;

Options options_of(const Settings& settings, base::LogSink& log) {
  Options options = options_from(settings, core_count());
  options.identity_warning_ms = settings.auth.expiry_warning_s * 1'000;
  // Who must show a token has so long to do it.
  if (!settings.auth.anonymous) options.connect_timeout_ms = std::min(options.connect_timeout_ms, settings.auth.timeout_ms);
  options.log_level = LogLevel::kDebug;  // the sink decides
  options.log = [&log](LogLevel level, std::string_view message, std::span<const LogField> fields) { log.write_line(level, message, fields); };
  return options;
}

ContractRunner::Undeclared undeclared_of(const Settings& settings) {
  return settings.contracts.undeclared == "relay" ? ContractRunner::Undeclared::kRelay : ContractRunner::Undeclared::kRefuse;
}

// References from one part of the configuration to another.
void check_references(const Rules& rules, ConfigErrors& errors) {
  const auto question = [&](const std::string& name) {
    return name.empty() || std::ranges::any_of(rules.hooks.questions, [&](const auto& each) { return each.name == name; });
  };
  for (const auto& rule : rules.rooms.rules()) {
    if (!question(rule->ask)) errors.add({.origin = "rooms"}, "the rule of " + rule->pattern.text() + " asks \"" + rule->ask + "\", which is no question of hooks.questions");
  }
  for (const auto& contract : rules.contracts) {
    if (!question(contract->ask)) errors.add(contract->source, "the event \"" + contract->name + "\" asks \"" + contract->ask + "\", which is no question of hooks.questions");
    if (!rules.namespaces.declares(contract->namespace_name)) {
      errors.add(contract->source, "the event \"" + contract->name + "\" is of namespace \"" + contract->namespace_name + "\", which [[namespaces]] does not declare");
    }
  }
}

// "127.0.0.1:4001", "[::1]:4001"; settings_check has looked at it.
std::pair<std::string, std::uint16_t> split_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  return {std::move(host), port};
}

std::string milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count());
}

}  // namespace

Rules read_rules(const Settings& settings, const std::vector<Finding>& findings, ConfigErrors& errors) {
  const DefaultRules defaults = settings.contracts.defaults ? default_rules() : DefaultRules();
  Rules rules;
  rules.namespaces = NamespaceRules::read(settings.namespaces, settings.auth.anonymous, errors);
  rules.rooms.read(defaults.rooms, settings.rooms, errors);
  rules.contracts = read_contracts(defaults.events, settings.events, settings.contracts.names_max, errors);
  rules.issuers = read_issuers(settings.auth, settings.hooks.allow_http, errors);
  rules.hooks = read_hooks(settings.hooks, errors);
  check_references(rules, errors);
  for (const auto& rule : rules.rooms.rules()) rules.read_claims = rules.read_claims || rule->join.reads_claims();
  for (const auto& contract : rules.contracts) rules.read_claims = rules.read_claims || contract->reads_claims;
  static_cast<void>(ApiKeys(settings, errors));
  for (const Finding& finding : findings) rules.insecure.push_back(finding.key + " " + finding.sentence);
  return rules;
}

Application::Application(Settings settings, Rules rules, base::LogSink& log)
    : settings_(std::move(settings)),
      rules_(std::move(rules)),
      log_(log),
      io_(options_of(settings_, log)),
      questions_client_(std::make_unique<outbound::Client>(outbound::ClientOptions{
          .in_flight_max = 256, .ca_file = settings_.hooks.ca_file, .allow_http = settings_.hooks.allow_http})),
      webhooks_client_(std::make_unique<outbound::Client>(
          outbound::ClientOptions{.ca_file = settings_.hooks.ca_file, .allow_http = settings_.hooks.allow_http})),
      keys_(rules_.issuers, *questions_client_, log),
      hooks_(rules_.hooks, *webhooks_client_, *questions_client_, random_, log),
      gate_(settings_, keys_, [this](std::string_view name) { return rules_.namespaces.may_be_anonymous(name); }, rules_.read_claims),
      rooms_(rules_.rooms, hooks_, log),
      runner_(rules_.contracts, rooms_, hooks_, log, undeclared_of(settings_), options_from(settings_, core_count()).shards) {
  gate_.guard(io_);
  open_namespaces();
  serve_api();
  serve_pages();
  io_.on_listening([this] { say_hello(); });
  io_.on_reload([this] { reload(); });
}

Application::~Application() {
  // Their callbacks use the parts below them, and come from their threads.
  questions_client_.reset();
  webhooks_client_.reset();
}

void Application::open_namespaces() {
  for (const NamespaceRule& rule : rules_.namespaces.rules()) {
    if (rule.pattern == nullptr) {
      follow(io_.of(rule.name));
      runner_.listen(io_, io_.of(rule.name), rule.name);
      continue;
    }
    const auto space = io_.of_pattern(rule.name);
    if (!space.ok()) continue;  // read_rules() has complained
    follow(*space);
    runner_.listen(io_, *space, rule.name);
  }
}

// ---- for the HTTP API

void Application::serve_api() {
  const std::string& listen = settings_.server.admin_listen;
  if (listen.empty() || !settings_.api.enabled) {
    api_ = std::make_unique<Api>(io_, settings_, api_services(), api_errors_);
    return;
  }
  const auto [host, port] = split_address(listen);
  Options options;
  options.host = host;
  options.port = port;
  options.serve_socketio = false;
  options.serve_plain = false;
  options.tls = {.certificate_file = settings_.tls.certificate_file, .key_file = settings_.tls.key_file};
  options.trusted_proxies = settings_.server.trusted_proxies;
  options.log_level = LogLevel::kDebug;
  options.log = [this](LogLevel level, std::string_view message, std::span<const LogField> fields) { log_.write_line(level, message, fields); };
  admin_io_ = std::make_unique<Server>(options);
  api_ = std::make_unique<Api>(io_, io_, ApiPart::kPublic, settings_, api_services(), api_errors_);
  admin_api_ = std::make_unique<Api>(io_, *admin_io_, ApiPart::kPrivate, settings_, api_services(), api_errors_);
}

ApiServices Application::api_services() {
  ApiServices services;
  services.judge = [this](std::string_view token, ApiServices::Judged done) { gate_.judge(token, std::move(done)); };
  services.refresh = [this](ApiServices::Refresh what, ApiServices::Judged done) { refresh_socket(std::move(what), std::move(done)); };
  services.revoke_user = [this](std::string_view user) { gate_.revoke_user(io_, user); };
  services.revoke_token = [this](std::string_view token) { gate_.revoke_token(io_, token); };
  services.contracts = [this] { return contracts(); };
  services.namespaces = [this] {
    std::vector<std::string> names;
    for (const NamespaceRule& rule : rules_.namespaces.rules()) {
      if (rule.pattern == nullptr) names.push_back(rule.name);
    }
    return names;
  };
  services.ready = [this] { return io_.accepting(); };
  services.insecure = rules_.insecure;
  services.components = [this] { return hooks_.to_value(); };
  services.analytics = [this] { return analytics(); };
  services.metrics = [this] { return metrics(); };
  return services;
}

void Application::refresh_socket(ApiServices::Refresh what, ApiServices::Judged done) {
  const auto answer = std::make_shared<ApiServices::Judged>(std::move(done));
  io_.of(what.namespace_name)
      .tenant(what.tenant)
      .to(what.socket)
      .for_each([this, token = what.token, id = what.socket, answer](Socket& socket) {
        // A room may be called like somebody's id.
        if (socket.id() == id) gate_.refresh(io_, socket, token, [answer](Result<Identity> judged) { (*answer)(std::move(judged)); });
      })
      .then([answer](SocketsCount found) {
        if (found.count > 0) return;
        (*answer)(found.complete ? Status(StatusCode::kNotFound, "there is no such socket")
                                 : Status(StatusCode::kDeadlineExceeded, "a shard did not answer in time"));
      });
}

Value Application::contracts() const {
  Value events = Value::array();
  for (const auto& contract : rules_.contracts) events.push_back(contract->to_value());
  Value rooms = Value::array();
  for (const auto& rule : rules_.rooms.rules()) rooms.push_back(rule->to_value());
  return Value::object({{"events", std::move(events)},
                        {"rooms", std::move(rooms)},
                        {"namespaces", rules_.namespaces.to_value()},
                        {"undeclared", settings_.contracts.undeclared}});
}

Value Application::analytics() const {
  const ContractRunner::Statistics& events = runner_.statistics();
  const Gate::Statistics gate = gate_.statistics();
  const KeyRing::Statistics keys = keys_.statistics();
  return Value::object(
      {{"events", Value::object({{"handled", events.handled.load()}, {"refused", events.refused.load()},
                                 {"rateLimited", events.rate_limited.load()}, {"undeclared", events.undeclared.load()}})},
       {"authentication", Value::object({{"admitted", gate.admitted}, {"anonymous", gate.anonymous}, {"refused", gate.refused},
                                         {"refreshed", gate.refreshed}, {"revocations", gate.revoked},
                                         {"keyFetches", keys.fetches}, {"keyFetchesFailed", keys.failed_fetches}})},
       {"hooks", hooks_.to_value()}});
}

std::string Application::metrics() const {
  const ContractRunner::Statistics& events = runner_.statistics();
  const Gate::Statistics gate = gate_.statistics();
  std::string out;
  const auto add = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" counter\n");
    out.append(name).append(" ").append(std::to_string(value)).append("\n");
  };
  add("tidewire_contract_events_total", "Events that a contract let through.", events.handled.load());
  add("tidewire_contract_refusals_total", "Events that were refused.", events.refused.load());
  add("tidewire_contract_rate_limited_total", "Of those, for their rate.", events.rate_limited.load());
  add("tidewire_contract_undeclared_total", "Events without a contract.", events.undeclared.load());
  add("tidewire_auth_admitted_total", "Sockets let in with a token.", gate.admitted);
  add("tidewire_auth_anonymous_total", "Sockets let in without one.", gate.anonymous);
  add("tidewire_auth_refused_total", "Sockets kept out.", gate.refused);
  add("tidewire_auth_refreshed_total", "Tokens renewed on live sockets.", gate.refreshed);
  return out;
}

// What happens to every socket of a namespace, whatever it says.
void Application::follow(const Namespace& space) {
  gate_.listen_for_refresh(io_, space);
  space.on_connection([this](Socket& socket) {
    rooms_.enter(socket);
    hooks_.tell("connect", socket);
    if (!settings_.log.connections || !log_.enabled(LogLevel::kInfo)) return;
    log_.write(LogLevel::kInfo, "client connected",
               {{"socket", socket.id()}, {"namespace", socket.namespace_name()}, {"dialect", socket.dialect()},
                {"transport", socket.transport()}, {"address", socket.address()}, {"user", socket.identity()->user_id},
                {"tenant", socket.identity()->tenant}});
  });
  space.on_disconnecting([this](Socket& socket, DisconnectReason reason) {
    hooks_.tell("disconnect", socket, Value::object({{"reason", text(reason)}}));
    if (!settings_.log.connections || !log_.enabled(LogLevel::kInfo)) return;
    log_.write(LogLevel::kInfo, "client disconnected",
               {{"socket", socket.id()}, {"namespace", socket.namespace_name()}, {"dialect", socket.dialect()},
                {"user", socket.identity()->user_id}, {"reason", std::string(text(reason))}});
  });
}

void Application::serve_pages() {
  if (!settings_.server.start_page) return;
  for (const PageFile& file : page_files()) io_.static_file(file.path, file.type, file.bytes);
}

void Application::say_hello() {
  std::string rooms;
  for (const auto& rule : rules_.rooms.rules()) {
    if (rule->pattern.exact()) rooms.append(rooms.empty() ? "" : ", ").append(rule->pattern.text());
  }
  log_.write(LogLevel::kInfo, "WebSocket service initialized",
             {{"socketio", settings_.socketio.enabled ? "on" : "off"}, {"plain", settings_.plain.enabled ? "on" : "off"},
              {"contracts", std::to_string(rules_.contracts.size())}, {"issuers", std::to_string(rules_.issuers.issuers.size())}});
  log_.write(LogLevel::kInfo, "Default rooms created (" + rooms + ")", {});
  const char* scheme = settings_.tls.certificate_file.empty() ? "http" : "https";
  std::printf("tidewire listens on %s://%s:%u (%u shards, flush by %s)\n", scheme, settings_.server.host.c_str(),
              static_cast<unsigned>(io_.port()), io_.shard_count(), io_.flush_name().c_str());
  std::fflush(stdout);
}

Status Application::run() {
  keys_.start();
  if (admin_io_ != nullptr) {
    if (Status started = admin_io_->start(); !started.ok()) return started;
    log_.write(LogLevel::kInfo, "administration listens apart", {{"address", settings_.server.admin_listen}, {"port", std::to_string(admin_io_->port())}});
  }
  const auto begin = std::chrono::steady_clock::now();
  Status ended = io_.run();
  if (admin_io_ != nullptr) {
    admin_io_->stop();
    admin_io_->wait();
  }
  if (!ended.ok()) return ended;
  finish_hooks();
  log_.write(LogLevel::kInfo, "stopped", {{"up_ms", milliseconds_since(begin)}});
  return ended;
}

void Application::finish_hooks() {
  hooks_.drain();
  for (std::int64_t waited = 0; waited < kFinishMs && !hooks_.drained(); waited += kFinishCheckMs) {
    std::this_thread::sleep_for(std::chrono::milliseconds(kFinishCheckMs));
  }
}

void Application::reload() {
  const std::unique_ptr<Settings> wanted = reload_ ? reload_() : nullptr;
  if (wanted == nullptr) return;
  ConfigErrors errors;
  const ReloadPlan plan = plan_reload(settings_, *wanted);
  Issuers issuers = read_issuers(plan.settings.auth, plan.settings.hooks.allow_http, errors);
  if (!errors.empty()) {
    for (const std::string& line : errors.lines()) log_.write(LogLevel::kError, "configuration not reloaded", {{"why", line}});
    return;
  }
  keys_.replace(std::move(issuers));
  log_.write(LogLevel::kWarn, "configuration reloaded: " + plan.text(), {});
}

}  // namespace tidewire::server
