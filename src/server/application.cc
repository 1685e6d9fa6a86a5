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
constexpr std::int64_t kInsecureWarningMs = 60'000;

Options options_of(const Settings& settings, base::LogSink& log) {
  Options options = options_from(settings, core_count());
  options.identity_warning_ms = settings.auth.expiry_warning_s * 1'000;
  // Who must show a token has so long to do it.
  if (!settings.auth.anonymous) options.connect_timeout_ms = std::min(options.connect_timeout_ms, settings.auth.timeout_ms);
  options.log_level = LogLevel::kDebug;  // the sink decides
  options.log = [&log](LogLevel level, std::string_view message, std::span<const LogField> fields) { log.write_line(level, message, fields); };
  return options;
}

// References from one part of the configuration to another.
void check_references(const Rules& rules, ConfigErrors& errors) {
  const auto question = [&](const std::string& name) {
    return name.empty() || std::ranges::any_of(rules.hooks.questions, [&](const auto& each) { return each.name == name; });
  };
  for (const auto& rule : rules.book->rooms.rules()) {
    if (!question(rule->ask)) errors.add(rule->source, "the rule of " + rule->pattern.text() + " asks \"" + rule->ask + "\", which is no question of hooks.questions");
  }
  for (const auto& contract : rules.book->contracts) {
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

// Why a configuration cannot be used.
std::vector<std::string> complaints(const ConfigErrors& errors, const std::vector<Finding>& findings) {
  std::vector<std::string> lines = errors.lines();
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kError) lines.push_back(finding.key + " " + finding.sentence);
  }
  return lines;
}

std::string milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count());
}

}  // namespace

Rules read_rules(const Settings& settings, const std::vector<Finding>& findings, ConfigErrors& errors) {
  const DefaultRules defaults = settings.contracts.defaults ? default_rules() : DefaultRules();
  Rules rules;
  rules.namespaces = NamespaceRules::read(settings.namespaces, settings.auth.anonymous, errors);
  const auto book = std::make_shared<Rulebook>();
  book->rooms.read(defaults.rooms, settings.rooms, errors);
  book->contracts = read_contracts(defaults.events, settings.events, settings.contracts.names_max, errors);
  book->rates = SenderRates::read(settings.rates, errors);
  book->relay_undeclared = settings.contracts.undeclared == "relay";
  rules.book = book;
  rules.issuers = read_issuers(settings.auth, settings.hooks.allow_http, errors);
  rules.hooks = read_hooks(settings.hooks, errors);
  check_references(rules, errors);
  for (const auto& rule : book->rooms.rules()) rules.read_claims = rules.read_claims || rule->join.reads_claims();
  for (const auto& contract : book->contracts) rules.read_claims = rules.read_claims || contract->reads_claims;
  static_cast<void>(ApiAccess(settings, errors));
  for (const Finding& finding : findings) rules.insecure.push_back(finding.key + " " + finding.sentence);
  return rules;
}

Application::Application(const Settings& settings, Rules rules, base::LogSink& log)
    : settings_(settings),
      rules_(std::move(rules)),
      book_(rules_.book, options_from(settings_, core_count()).shards),
      log_(log),
      io_(options_of(settings_, log)),
      questions_client_(std::make_unique<outbound::Client>(outbound::ClientOptions{
          .in_flight_max = 256, .ca_file = settings_.hooks.ca_file, .allow_http = settings_.hooks.allow_http})),
      webhooks_client_(std::make_unique<outbound::Client>(
          outbound::ClientOptions{.ca_file = settings_.hooks.ca_file, .allow_http = settings_.hooks.allow_http})),
      keys_(rules_.issuers, *questions_client_, log),
      hooks_(rules_.hooks, *webhooks_client_, *questions_client_, random_, log),
      gate_(settings_, keys_, [this](std::string_view name) { return rules_.namespaces.may_be_anonymous(name); }, rules_.read_claims, log),
      rooms_(book_, io_, hooks_, log),
      runner_(book_, io_, rooms_, hooks_, log),
      log_connections_(settings_.log.connections),
      insecure_(rules_.insecure) {
  gate_.guard(io_);
  gate_.on_renewed([this](Socket& socket, const Identity& before) { rooms_.review(socket, before); });
  open_namespaces();
  serve_api();
  serve_pages();
  io_.on_listening([this] {
    say_hello();
    warn_of_insecure();
  });
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
      runner_.listen(io_.of(rule.name), rule.name);
      continue;
    }
    const auto space = io_.of_pattern(rule.name);
    if (!space.ok()) continue;  // read_rules() has complained
    follow(*space);
    runner_.listen(*space, rule.name);
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
  services.judge = [this](std::string_view token, std::string_view host, ApiServices::Judged done) { gate_.judge(token, host, std::move(done)); };
  services.refresh = [this](ApiServices::Refresh what, ApiServices::Judged done) { refresh_socket(std::move(what), std::move(done)); };
  services.revoke_user = [this](ApiServices::Scope tenant, std::string_view user) { return gate_.revoke_user(io_, tenant, user); };
  services.revoke_token = [this](ApiServices::Scope tenant, std::string_view token) { return gate_.revoke_token(io_, tenant, token); };
  services.move = [this](Socket& socket, const std::string& room, bool into) { return rooms_.move(socket, room, into); };
  services.contracts = [this] { return contracts(); };
  services.namespaces = [this] {
    std::vector<std::string> names;
    for (const NamespaceRule& rule : rules_.namespaces.rules()) {
      if (rule.pattern == nullptr) names.push_back(rule.name);
    }
    return names;
  };
  services.ready = [this] { return io_.accepting(); };
  services.insecure = [this] { return insecure(); };
  services.components = [this] { return Value::object({{"hooks", Value::object({{"status", hooks_.healthy() ? "healthy" : "degraded"}})}}); };
  services.analytics = [this] { return analytics(); };
  services.metrics = [this] { return metrics(); };
  services.log = &log_;
  return services;
}

void Application::refresh_socket(ApiServices::Refresh what, ApiServices::Judged done) {
  // A shard that is late may find the socket when the call has its answer already.
  struct Once {
    std::atomic<bool> answered = false;
    ApiServices::Judged done;
    void operator()(Result<Identity> judged) {
      if (!answered.exchange(true)) done(std::move(judged));
    }
  };
  const auto answer = std::make_shared<Once>();
  answer->done = std::move(done);
  io_.everybody_in(what.namespace_name)
      .tenant(what.tenant)
      .to(what.socket)
      .for_each([this, token = what.token, id = what.socket, answer](Socket& socket) {
        // A room may be called like somebody's id.
        if (socket.id() == id) gate_.refresh(socket, token, [answer](Result<Identity> judged) { (*answer)(std::move(judged)); });
      })
      .then([answer](SocketsCount found) {
        if (found.count > 0) return;
        (*answer)(found.complete ? Status(StatusCode::kNotFound, "there is no such socket")
                                 : Status(StatusCode::kDeadlineExceeded, "a shard did not answer in time"));
      });
}

Value Application::contracts() const {
  const auto book = book_.get();
  Value events = Value::array();
  for (const auto& contract : book->contracts) events.push_back(contract->to_value());
  Value rooms = Value::array();
  for (const auto& rule : book->rooms.rules()) rooms.push_back(rule->to_value());
  return Value::object({{"events", std::move(events)},
                        {"rooms", std::move(rooms)},
                        {"namespaces", rules_.namespaces.to_value()},
                        {"undeclared", book->relay_undeclared ? "relay" : "refuse"}});
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
  gate_.listen_for_refresh(space);
  space.on_connection([this](Socket& socket) {
    if (!gate_.entered(*socket.identity())) return socket.close(kTenantFullCode, "tenant full");
    // A revocation may have overtaken him on his way in.
    if (gate_.is_revoked(*socket.identity())) return socket.close(kBadTokenCode, "revoked");
    rooms_.enter(socket);
    hooks_.tell("connect", socket);
    if (!log_connections_.load(std::memory_order_relaxed) || !log_.enabled(LogLevel::kInfo)) return;
    log_.write(LogLevel::kInfo, "client connected",
               {{"socket", socket.id()}, {"namespace", socket.namespace_name()}, {"dialect", socket.dialect()},
                {"transport", socket.transport()}, {"address", socket.address()}, {"user", socket.identity()->user_id},
                {"tenant", socket.identity()->tenant}});
  });
  space.on_disconnecting([this](Socket& socket, DisconnectReason reason) {
    gate_.left(*socket.identity());
    hooks_.tell("disconnect", socket, Value::object({{"reason", text(reason)}}));
    if (!log_connections_.load(std::memory_order_relaxed) || !log_.enabled(LogLevel::kInfo)) return;
    log_.write(LogLevel::kInfo, "client disconnected",
               {{"socket", socket.id()}, {"namespace", socket.namespace_name()}, {"dialect", socket.dialect()},
                {"user", socket.identity()->user_id}, {"reason", std::string(text(reason))}});
  });
}

void Application::serve_pages() {
  if (!settings_.server.start_page) return;
  for (const PageFile& file : page_files()) io_.static_file(file.path, file.type, file.bytes);
  // What of the configuration the page must know.
  std::string path = settings_.socketio.path;
  if (!path.ends_with('/')) path.push_back('/');
  const Value known = Value::object({{"socketio", settings_.socketio.enabled ? Value(path) : Value()},
                                     {"plain", settings_.plain.enabled && !settings_.plain.paths.empty() ? Value(settings_.plain.paths.front()) : Value()},
                                     {"api", settings_.api.enabled && settings_.server.admin_listen.empty()}});
  io_.http("GET", "/page.json", [text = known.to_json()](const HttpRequest&, HttpReply reply) { reply.json(text); });
}

void Application::say_hello() {
  std::string rooms;
  for (const auto& rule : rules_.book->rooms.rules()) {
    if (rule->pattern.exact()) rooms.append(rooms.empty() ? "" : ", ").append(rule->pattern.text());
  }
  log_.write(LogLevel::kInfo, "WebSocket service initialized",
             {{"socketio", settings_.socketio.enabled ? "on" : "off"}, {"plain", settings_.plain.enabled ? "on" : "off"},
              {"contracts", std::to_string(rules_.book->contracts.size())}, {"issuers", std::to_string(rules_.issuers.issuers.size())}});
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

// ---- another configuration while it runs

void Application::reload() {
  if (admin_io_ != nullptr && !settings_.tls.certificate_file.empty()) {  // io_ has done so itself
    if (const Status read = admin_io_->reload_certificate(); !read.ok()) log_.write(LogLevel::kError, "certificate kept", {{"why", read.message()}});
  }
  if (!load_) return;
  Loaded loaded = load_();
  if (!loaded.usable()) return refuse_reload(complaints(loaded.errors, loaded.findings));
  const ReloadPlan plan = plan_reload(settings_, loaded.settings);
  // As it will be: what waits for a restart must fit what comes now.
  ConfigErrors errors;
  const std::vector<Finding> findings = check_settings(plan.settings, loaded.provenance);
  Rules rules = read_rules(plan.settings, findings, errors);
  if (const auto lines = complaints(errors, findings); !lines.empty()) return refuse_reload(lines);
  if (rules.read_claims) gate_.keep_claims();
  keys_.replace(std::move(rules.issuers));
  book_.replace(std::move(rules.book));
  api_->reload(plan.settings);
  if (admin_api_ != nullptr) admin_api_->reload(plan.settings);
  log_connections_.store(plan.settings.log.connections, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    insecure_ = std::move(rules.insecure);
  }
  settings_ = plan.settings;
  if (applied_) applied_(settings_);
  log_.write(LogLevel::kWarn, "configuration reloaded: " + plan.text(), {});
}

void Application::refuse_reload(const std::vector<std::string>& why) {
  for (const std::string& line : why) log_.write(LogLevel::kError, "configuration not reloaded", {{"why", line}});
}

std::vector<std::string> Application::insecure() const {
  const std::lock_guard lock(mutex_);
  return insecure_;
}

// Again and again: whoever looks only at the end of a log sees it, too.
void Application::warn_of_insecure() {
  for (const std::string& each : insecure()) log_.write(LogLevel::kWarn, "insecure setting", {{"what", each}});
  io_.after(kInsecureWarningMs, [this] { warn_of_insecure(); });
}

}  // namespace tidewire::server
