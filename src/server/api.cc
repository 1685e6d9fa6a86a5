#include "server/api.h"

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "http/exchange.h"
#include "server/openapi.h"
#include "server/options_from.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kDocsPolicy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::size_t kLoggedPathBytesMax = 256;
constexpr std::string_view kMarkup = "text/html; charset=utf-8";

// The documents stand in the table that they are made from, so that they are made when the table is whole.
struct Documents {
  std::string openapi, page;
};

void add_document_endpoints(std::vector<ApiEndpoint>& table, const std::shared_ptr<Documents>& documents) {
  table.push_back({.method = "GET", .path = "/api/openapi.json", .tag = "documents", .summary = "This API as an OpenAPI 3.1 document.",
                   .answers = {{200, "the document"}},
                   .handler = [documents](const ApiCallPointer& call) { call->send(200, "application/json", documents->openapi); }});
  table.push_back({.method = "GET", .path = "/api/docs", .tag = "documents", .summary = "This API as a page to read.",
                   .answers = {{200, "HTML"}}, .type = "text/html",
                   .handler = [documents](const ApiCallPointer& call) {
                     call->send(200, kMarkup, documents->page, {{"Content-Security-Policy", std::string(kDocsPolicy)}});
                   }});
  table.push_back({.method = "GET", .path = "/api/docs/style.css", .tag = "documents", .summary = "Its style.",
                   .answers = {{200, "CSS"}}, .type = "text/css",
                   .handler = [](const ApiCallPointer& call) {
                     call->send(200, "text/css; charset=utf-8", std::string(api_docs_style()));
                   }});
}

}  // namespace

std::int64_t ApiContext::now_ms() const {
  if (services.now_ms) return services.now_ms();
  return monotonic_ms();
}

void ApiContext::find_namespaces(const ApiCall& call, UniqueFunction<void(Names, bool complete)> done) const {
  Names declared = services.namespaces ? services.namespaces() : Names{"/"};
  io.fetch_namespaces(call.tenant, {.limit = kNamespacesListedMax}).then([names = std::move(declared), done = std::move(done)](NamespacesPage page) mutable {
    for (NamespacesPage::Entry& entry : page.namespaces) {
      if (std::ranges::find(names, entry.name) == names.end()) names.push_back(std::move(entry.name));
    }
    done(std::move(names), page.complete && !page.more);
  });
}

bool ApiContext::about_all(const ApiCall& call) const {
  if (!has_tenants()) return true;
  const bool known = call.caller.kind != ApiCaller::Kind::kNobody;
  return known && !call.caller.tenant && !call.has("tenant");
}

BroadcastOperator ApiContext::space(const ApiCall& call, const std::string& name) const {
  return io.everybody_in(name).tenant(call.tenant);  // not made for the asking: a back end may ask for any name
}

std::optional<BroadcastOperator> ApiContext::named_space(ApiCall& call) const {
  const std::string name = call.text("namespace");
  if (io.accepts_namespace(name)) return space(call, name);
  call.refuse(404, api_codes::kUnknownNamespace, "there is no such namespace");
  return std::nullopt;
}

std::vector<ApiEndpoint> api_table(const std::shared_ptr<ApiContext>& context) {
  std::vector<ApiEndpoint> table;
  if (!context->settings.api.enabled) {  // probes go on
    add_health_endpoints(context, table);
    return table;
  }
  add_publish_endpoints(context, table);
  add_room_endpoints(context, table);
  add_connection_endpoints(context, table);
  add_user_endpoints(context, table);
  add_statistics_endpoints(context, table);
  add_health_endpoints(context, table);
  return table;
}

// What requests share. Threads: any.
struct Api::Dispatch : std::enable_shared_from_this<Api::Dispatch> {
  Dispatch(std::shared_ptr<ApiContext> shared, std::vector<ApiEndpoint> table, ConfigErrors& errors)
      : context(std::move(shared)), router(std::move(table)) {
    set_access(std::make_shared<const ApiAccess>(context->settings, errors));
  }

  // Rates that are as they were go on counting.
  void set_access(std::shared_ptr<const ApiAccess> next) {
    const std::lock_guard lock(mutex);
    if (access == nullptr || !(access->rate == next->rate)) rates = std::make_unique<policy::RateTable>(next->rate);
    erase_if(own_rates, [&](const auto& entry) {
      const ApiCaller* caller = next->keys.named(entry.first);
      return caller == nullptr || !caller->rate || !(*caller->rate == entry.second->rate());
    });
    access.swap(next);
  }
  std::shared_ptr<const ApiAccess> current_access() {
    const std::lock_guard lock(mutex);
    return access;
  }

  // A request from its arrival to its handler. The texts are copied: a judge may answer after the request is gone.
  struct Request {
    ApiCallPointer call;
    std::string query, content_type, body;
    bool open = false;
  };

  void serve(const HttpRequest& request, HttpReply reply) {
    auto call = std::make_shared<ApiCall>(std::move(reply), headers_for(request));
    if (log().enabled(LogLevel::kInfo)) {
      call->on_answer([self = shared_from_this(), method = std::string(request.method), path = std::string(request.path.substr(0, kLoggedPathBytesMax)),
                       address = std::string(request.address), began_ms = context->now_ms()](const ApiCall& answered, int status, std::string_view code) {
        self->log_answer(answered, status, code, method, path, address, began_ms);
      });
    }
    admit(request, std::move(call));
  }

  ApiHeaders headers_for(const HttpRequest& request) const {
    ApiHeaders headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}};
    const Settings::Cors& cors = context->settings.cors;
    if (cors.origins.empty()) return headers;
    const std::string_view origin = request.header("origin");
    for (const std::string& allowed : cors.origins) {
      if (allowed == "*") {  // never with credentials
        headers.emplace_back("Access-Control-Allow-Origin", "*");
        return headers;
      }
    }
    headers.emplace_back("Vary", "Origin");
    for (const std::string& allowed : cors.origins) {
      if (origin != allowed) continue;
      headers.emplace_back("Access-Control-Allow-Origin", allowed);
      if (cors.credentials) headers.emplace_back("Access-Control-Allow-Credentials", "true");
    }
    return headers;
  }

  void admit(const HttpRequest& request, ApiCallPointer call) {
    ApiRouter::Match match = router.find(request.method, request.path);
    if (match.methods.empty()) return call->refuse(404, api_codes::kNotFound, "there is no such endpoint; see /api/docs");
    if (request.method == "OPTIONS") {
      ApiHeaders more = {{"Allow", match.methods}, {"Access-Control-Allow-Methods", match.methods},
                         {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-Api-Key"},
                         {"Access-Control-Max-Age", std::to_string(context->settings.cors.max_age_s)}};
      if (context->settings.cors.origins.empty()) more.resize(1);
      return call->send(204, "text/plain", "", std::move(more));
    }
    if (match.endpoint == nullptr) {
      return call->refuse(405, api_codes::kMethodNotAllowed, "this path has other methods", {}, {{"Allow", match.methods}});
    }
    if (!match.failure.empty()) return call->refuse(400, api_codes::kInvalidPath, std::string(match.failure));
    call->endpoint = match.endpoint;
    call->path = std::move(match.places);
    call->idempotency_key = request.header("idempotency-key");
    identify(request, {.call = call, .query = std::string(request.query), .content_type = std::string(request.header("content-type")),
                       .body = std::string(request.body)});
  }

  static void unauthorized(ApiCall& call) {
    call.refuse(401, problems::kUnauthorized, "a key or token is needed", {}, {{"WWW-Authenticate", "Bearer"}});
  }

  void identify(const HttpRequest& request, Request arrived) {
    ApiCall& call = *arrived.call;
    const ApiCredential credential = credential_of(request);
    const std::string address = policy::address_key(request.address);
    const auto allowed = current_access();
    const ApiCaller* key = credential.found == ApiCredential::Found::kOne ? allowed->keys.find(credential.secret) : nullptr;
    if (key != nullptr) {
      call.caller = *key;
      return !call.endpoint->limited || within_rate(call, key->scope()) ? run(std::move(arrived)) : void();
    }
    // A token costs a signature, good or not.
    const bool to_judge = credential.found == ApiCredential::Found::kOne;
    if ((call.endpoint->limited || to_judge) && !within_rate(call, address)) return;
    const ApiRight right = right_of(*call.endpoint);
    if (right == ApiRight::kOpen) return run(std::move(arrived));  // whoever it is
    if (credential.found == ApiCredential::Found::kNone) {
      const bool open = allowed->open_here && open_here(request);
      if (!open || right == ApiRight::kUser) return unauthorized(call);
      call.caller = {.kind = ApiCaller::Kind::kAdmin, .name = "this machine"};
      return run(std::move(arrived));
    }
    if (credential.found == ApiCredential::Found::kBad || !context->services.judge) return unauthorized(call);
    context->services.judge(credential.secret, request.header("host"), [self = shared_from_this(), arrived = std::move(arrived)](Result<Identity> judged) mutable {
      if (!judged.ok() || judged->anonymous()) return unauthorized(*arrived.call);
      arrived.call->caller = caller_from(std::move(*judged));
      self->run(std::move(arrived));
    });
  }

  bool within_rate(ApiCall& call, const std::string& who) {
    const std::int64_t now = context->now_ms();
    std::int64_t wait_ms = 0;
    {
      const std::lock_guard lock(mutex);
      policy::RateTable& table = table_of(call.caller);
      if (table.take(who, now)) return true;
      wait_ms = table.wait_ms(who, now);
    }
    call.refuse(429, problems::kRateLimited, "too many requests", Value::object({{"retry_after_ms", wait_ms}}),
                {{"Retry-After", std::to_string((wait_ms + 999) / 1000)}});
    return false;
  }

  // REQUIRES: mutex held. Keys with a rate of their own have a table of one entry.
  policy::RateTable& table_of(const ApiCaller& caller) {
    if (!caller.rate) return *rates;
    auto& own = own_rates[caller.name];
    if (own == nullptr || !(own->rate() == *caller.rate)) own = std::make_unique<policy::RateTable>(*caller.rate, 1);
    return *own;
  }

  ApiRight right_of(const ApiEndpoint& endpoint) const { return endpoint.figures && context->has_tenants() ? ApiRight::kRole : endpoint.right; }

  bool has_right(const ApiCaller& caller, const ApiEndpoint& endpoint) const {
    switch (right_of(endpoint)) {
      case ApiRight::kOpen: return true;
      case ApiRight::kUser: return caller.kind == ApiCaller::Kind::kUser;
      case ApiRight::kRole: return caller.may(endpoint.figures ? "read" : endpoint.role);
      case ApiRight::kAdmin: return caller.is_admin();
    }
    return false;
  }

  void run(Request arrived) {
    ApiCall& call = *arrived.call;
    const ApiEndpoint& endpoint = *call.endpoint;
    if (!has_right(call.caller, endpoint)) return call.refuse(403, problems::kForbidden, "this key or token may not do that");
    if (endpoint.whole_server && call.caller.tenant && (context->has_tenants() || !call.caller.tenant->empty())) {
      return call.refuse(403, problems::kForbidden, "this is about all tenants");
    }
    if (auto problem = ApiRouter::read_query(endpoint, arrived.query, call.query)) return refuse(call, *problem);
    call.tenant = call.caller.tenant.value_or(call.text("tenant"));
    if (call.has("tenant") && call.text("tenant") != call.tenant) {
      return call.refuse(403, problems::kForbidden, "this key or token belongs to another tenant");
    }
    if (call.idempotency_key.size() > kIdempotencyKeyBytesMax) {
      return call.refuse(400, api_codes::kInvalidParameter, "an idempotency key has at most 64 bytes");
    }
    const ApiRouter::BodyLimits limits{context->settings.api.body_bytes_max, context->settings.socketio.json_depth};
    if (auto problem = router.read_body(endpoint, arrived.content_type, arrived.body, limits, call.body)) return refuse(call, *problem);
    try {
      endpoint.handler(arrived.call);
    } catch (const std::exception& failure) {  // the call that dies says 500
      log().write(LogLevel::kError, "an endpoint threw", {{"path", std::string(endpoint.path)}, {"what", failure.what()}});
    }
  }

  // What an operator asks afterwards: who has done what. Probes and pages are nobody's deed; refusals always have a line.
  void log_answer(const ApiCall& call, int status, std::string_view code, const std::string& method, const std::string& path,
                  const std::string& address, std::int64_t began_ms) const {
    const bool deed = call.endpoint != nullptr && call.endpoint->right != ApiRight::kOpen && call.endpoint->limited;
    if (status < 400 && !deed) return;
    const std::string ms = std::to_string(context->now_ms() - began_ms);
    if (status < 400) {
      log().write(LogLevel::kInfo, "api request", {{"method", method}, {"path", path}, {"status", std::to_string(status)}, {"ms", ms}, {"caller", call.caller.name}});
    } else {
      log().write(LogLevel::kInfo, "api request refused", {{"method", method}, {"path", path}, {"status", std::to_string(status)}, {"code", std::string(code)},
                                                           {"ms", ms}, {"caller", call.caller.name}, {"address", address}});
    }
  }

  base::LogSink& log() const { return context->services.log != nullptr ? *context->services.log : base::stderr_log(LogLevel::kError); }

  static void refuse(ApiCall& call, const ApiProblem& problem) {
    call.refuse(problem.status, problem.problem.code, problem.problem.message, problem.problem.details);
  }

  const std::shared_ptr<ApiContext> context;
  const ApiRouter router;
  std::mutex mutex;
  // Guarded by mutex
  std::shared_ptr<const ApiAccess> access;
  std::unique_ptr<policy::RateTable> rates;
  base::StringMap<std::unique_ptr<policy::RateTable>> own_rates;  // by name of the key: at most kApiKeysMax
};

Api::Api(Server& io, Server& routes, ApiPart part, const Settings& settings, ApiServices services, ConfigErrors& errors) {
  auto context = std::shared_ptr<ApiContext>(
      new ApiContext{io, options_from(settings, 1), settings, std::move(services), wall_clock_ms(),
                     ApiIdempotency(settings.api.idempotency_ms, settings.api.idempotency_keys_max)});
  const auto documents = std::make_shared<Documents>();
  std::vector<ApiEndpoint> table = api_table(context);
  if (part != ApiPart::kAll) {
    std::erase_if(table, [part](const ApiEndpoint& row) {
      const bool is_private = row.right == ApiRight::kRole || row.right == ApiRight::kAdmin;
      return is_private != (part == ApiPart::kPrivate);
    });
  }
  if (settings.api.enabled) add_document_endpoints(table, documents);
  dispatch_ = std::make_shared<Dispatch>(context, std::move(table), errors);
  documents->openapi = openapi_document(endpoints()).to_json();
  documents->page = api_docs_page(endpoints());
  const HttpHandler serve = [dispatch = dispatch_](const HttpRequest& request, HttpReply reply) { dispatch->serve(request, std::move(reply)); };
  const Problem too_large{.code = std::string(api_codes::kBodyTooLarge),
                          .message = "the body has more than " + std::to_string(settings.api.body_bytes_max) + " bytes"};
  const HttpRouteOptions limits{.body_bytes_max = settings.api.body_bytes_max, .too_large = refusal(too_large).to_json(), .too_large_type = "application/json"};
  for (const std::string_view path : {"/api/*", "/health", "/healthz", "/readyz", "/metrics"}) routes.http("*", path, serve, limits);
}

Api::~Api() = default;

void Api::reload(const Settings& settings) {
  ConfigErrors told;  // by whoever read them
  dispatch_->set_access(std::make_shared<const ApiAccess>(settings, told));
}

const std::vector<ApiEndpoint>& Api::endpoints() const noexcept { return dispatch_->router.endpoints(); }

}  // namespace tidewire::server
