#include "tidewire/server.h"

#include <re2/re2.h>

#include <future>

#include "app/handles.h"
#include "hub/survey.h"

namespace tidewire {
namespace {

// "/feed*" is a prefix.
std::pair<std::string, bool> split_pattern(std::string_view path) {
  const bool prefix = !path.empty() && path.back() == '*';
  if (prefix) path.remove_suffix(1);
  return {std::string(path), prefix};
}

}  // namespace

std::string_view Credentials::namespace_name() const noexcept { return wire_.namespace_name; }
Handshake Credentials::handshake() const { return make_handshake(wire_.sink.facts(), wire_.auth); }

Verdict::Verdict(UniqueFunction<void(hub::Verdict&&)> call) noexcept : call_(std::move(call)) {}

Verdict::~Verdict() {
  if (call_) (*this)(Error{"internal error"});
}

void Verdict::operator()(Identity identity) {
  hub::Verdict verdict;
  verdict.keep_auth = keep_auth_;
  // Nobody in particular costs nothing.
  const bool nobody = identity.anonymous() && identity.tenant.empty() && !identity.expires_at_s && identity.roles.empty();
  if (!nobody) verdict.identity = std::make_shared<const Identity>(std::move(identity));
  answer(std::move(verdict));
}

void Verdict::operator()(const Error& refusal) {
  hub::Verdict verdict;
  verdict.refusal = to_refusal(refusal);
  answer(std::move(verdict));
}

void Verdict::answer(hub::Verdict&& verdict) {
  if (const auto call = std::move(call_)) call(std::move(verdict));
}

Server::Server(Options options) : Server(std::make_unique<Core>(std::move(options))) {}
Server::Server(std::unique_ptr<Core> core) : Namespace(*core, core->registry.of("/")), owned_core_(std::move(core)) {}
Server::~Server() = default;

Namespace Server::of(std::string_view name) { return Namespace(*core_, core_->registry.of(name)); }

BroadcastOperator Server::everybody_in(std::string_view name) {
  const std::string wanted = hub::full_namespace_name(name);
  auto definition = core_->registry.find(wanted);
  // One of our own, which nobody else sees: the shards look by name who is there.
  if (definition == nullptr) definition = std::make_shared<hub::NamespaceDefinition>(wanted);
  return Namespace(*core_, std::move(definition)).everybody();
}

Result<Namespace> Server::of_pattern(std::string_view expression) {
  auto pattern = std::make_shared<re2::RE2>(re2::StringPiece(expression.data(), expression.size()), re2::RE2::Quiet);
  if (!pattern->ok()) return Status(StatusCode::kInvalidArgument, "not an expression: " + pattern->error());
  return Namespace(*core_, core_->registry.add_parent(hub::NamespacePattern([pattern](std::string_view name) {
    return re2::RE2::FullMatch(re2::StringPiece(name.data(), name.size()), *pattern);
  })));
}

Namespace Server::of_matching(NamespaceDecision decide) {
  return Namespace(*core_, core_->registry.add_parent(hub::NamespacePredicate(
      [decide = std::move(decide)](std::string_view name, std::string_view auth, hub::NamespaceAnswer answer) {
        decide(name, auth.empty() ? Value::object() : Value::parse(auth).value_or(Value::object()), std::move(answer));
      })));
}

bool Server::accepts_namespace(std::string_view name) const { return core_->registry.accepts(name); }

namespace {

// Runs `ask(hub, done)` on a shard; answers with nothing when there is none.
template <typename Answer, typename Ask>
Later<Answer> ask_hub(Core& core, Ask ask) {
  return Later<Answer>([&core, ask = std::move(ask)](typename Later<Answer>::Callback done) mutable {
    if (!core.running()) return done({});
    core.on_any_shard([ask = std::move(ask), done = std::move(done)]() mutable { ask(Core::current_shard()->hub(), std::move(done)); });
  });
}

}  // namespace

Later<NamespacesPage> Server::fetch_namespaces(std::string_view tenant, Page page) const {
  return ask_hub<NamespacesPage>(*core_, [tenant = std::string(tenant), page = std::move(page)](hub::Hub& hub, auto done) {
    hub::fetch_namespaces(hub, tenant, {page.after, page.prefix, page.limit}, [done = std::move(done)](hub::NamespacesPage found) {
      NamespacesPage made;
      made.more = found.more;
      made.complete = found.complete;
      for (auto& entry : found.namespaces) made.namespaces.push_back({std::move(entry.name), entry.members});
      done(std::move(made));
    });
  });
}

Later<NamespaceStatistics> Server::gather_statistics(std::string_view tenant, std::string_view name) const {
  std::string full(name.empty() || name.front() != '/' ? "/" : "");
  return ask_hub<NamespaceStatistics>(*core_, [core = core_, key = hub::NamespaceKey{std::string(tenant), full.append(name)}](hub::Hub& hub, auto done) {
    hub::count_namespace(hub, key, [core, done = std::move(done)](const hub::NamespaceTotals& found) {
      const auto of = [&](const hub::Dialect& dialect) {
        return NamespaceStatistics::Count{found.now[dialect.index()], found.ever[dialect.index()]};
      };
      const auto flat = of(core->plain_flat);
      const auto data = of(core->plain_data);
      done({.socketio = of(core->socketio_dialect),
            .plain = {flat.now + data.now, flat.ever + data.ever},
            .exact = found.exact,
            .complete = found.complete});
    });
  });
}

void Server::on_new_namespace(UniqueFunction<void(Namespace)> listener) {
  core_->registry.namespace_created = [core = core_, listener = std::move(listener)](
                                          const std::shared_ptr<hub::NamespaceDefinition>& definition) {
    try {
      listener(Namespace(*core, definition));
    } catch (...) {
      report_task_failure(std::current_exception());
    }
  };
}

void Server::allow_request(Admission decide) { core_->allow_request = std::move(decide); }
void Server::authenticate(Authenticator decide) { core_->authenticate = std::move(decide); }
void Server::close_sockets_of(std::function<bool(const Identity&)> chosen, std::uint16_t code, std::string_view reason) {
  const auto shared = std::make_shared<const std::function<bool(const Identity&)>>(std::move(chosen));
  for (std::uint32_t index = 0; index < core_->shard_count(); ++index) {
    core_->post_to(index, [hub = &core_->shard(index).hub(), shared, code, text = std::string(reason)] {
      hub->close_members_of(*shared, {.connection = true, .code = code, .text = text});
    });
  }
}
void Server::on_initial_headers(InitialHeaders add) { core_->initial_headers = std::move(add); }

void Server::http(std::string_view method, std::string_view path, HttpHandler handler, HttpRouteOptions options) {
  auto [base, prefix] = split_pattern(path);
  core_->http_routes.push_back({std::string(method), std::move(base), prefix, std::move(handler), std::move(options)});
}

WebSocketRoute& Server::websocket(std::string_view path, WebSocketHandlers handlers) {
  auto [base, prefix] = split_pattern(path);
  auto state = std::make_unique<WebSocketRoute::State>(*core_, std::move(base), prefix, std::move(handlers));
  core_->websocket_routes.push_back(std::make_unique<WebSocketRoute>(std::move(state)));
  return *core_->websocket_routes.back();
}

void Server::static_file(std::string_view path, std::string_view content_type, std::string_view bytes) {
  const std::string& kept_path = core_->static_names.emplace_back(path);
  const std::string& kept_type = core_->static_names.emplace_back(content_type);
  core_->static_files.push_back({kept_path, kept_type, bytes});
}

void Server::after(std::int64_t delay_ms, UniqueFunction<void()> task) {
  core_->on_any_shard([delay_ms, task = std::move(task)]() mutable { Core::current_shard()->after(delay_ms, std::move(task)); });
}

void Server::on_listening(UniqueFunction<void()> listener) { core_->listening = std::move(listener); }
void Server::on_reload(UniqueFunction<void()> listener) { core_->reloading = std::move(listener); }
std::uint32_t Server::current_shard() const noexcept {
  const Shard* here = Core::current_shard();
  return here == nullptr ? 0 : here->index();
}
std::uint32_t Server::shard_count() const noexcept { return core_->shard_count(); }
Status Server::start() { return core_->start(); }
void Server::wait() { core_->wait(); }
Status Server::run() { return core_->run(); }
bool Server::accepting() const noexcept { return core_->accepting(); }
void Server::stop() { core_->stop(); }
Status Server::reload_certificate() {
  return core_->tls == nullptr ? Status(StatusCode::kNotFound, "no certificate is in use") : core_->tls->reload();
}
std::uint16_t Server::port() const noexcept { return core_->port; }
std::string Server::flush_name() const { return core_->shard_count() == 0 ? std::string() : core_->shard(0).reactor().flush_name(); }

ServerStatistics Server::statistics() {
  // Each shard adds its part on its own thread; the caller waits, unless it is a shard itself, which never waits.
  ServerStatistics total;
  if (Shard* here = core_->here()) {
    here->add_to(total);
    return total;
  }
  if (!core_->running()) return total;
  for (std::uint32_t index = 0; index < core_->shard_count(); ++index) {
    auto part = std::make_shared<std::promise<ServerStatistics>>();
    std::future<ServerStatistics> answer = part->get_future();
    Shard& shard = core_->shard(index);
    core_->post_to(index, [part, &shard, total] {
      ServerStatistics sum = total;
      shard.add_to(sum);
      part->set_value(sum);
    });
    if (answer.wait_for(std::chrono::seconds(2)) == std::future_status::ready) total = answer.get();
  }
  return total;
}

Later<ServerStatistics> Server::gather_statistics() {
  // From shard to shard, each adds its part; then home.
  struct Round : std::enable_shared_from_this<Round> {
    Core& core;
    std::uint32_t home;
    ServerStatistics total;
    Later<ServerStatistics>::Callback done;
    Round(Core& owner, std::uint32_t origin, Later<ServerStatistics>::Callback callback)
        : core(owner), home(origin), done(std::move(callback)) {}
    void visit(std::uint32_t index) {
      if (index == core.shard_count()) {
        core.post_to(home, [self = shared_from_this()] { self->done(self->total); });
        return;
      }
      core.post_to(index, [self = shared_from_this(), index] {
        self->core.shard(index).add_to(self->total);
        self->visit(index + 1);
      });
    }
  };
  return Later<ServerStatistics>([core = core_](Later<ServerStatistics>::Callback done) {
    if (!core->running()) return done({});
    const Shard* here = core->here();
    std::make_shared<Round>(*core, here != nullptr ? here->index() : 0, std::move(done))->visit(0);
  });
}

void report_task_failure(std::exception_ptr failure) noexcept {
  const Shard* here = Core::current_shard();
  base::LogSink& log = here != nullptr ? const_cast<Shard*>(here)->core().log : base::stderr_log(base::LogLevel::kError);
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& known) {
    log.write(base::LogLevel::kError, "a task threw", {{"what", known.what()}});
  } catch (...) {
    log.write(base::LogLevel::kError, "a task threw", {{"what", "unknown exception"}});
  }
}

}  // namespace tidewire
