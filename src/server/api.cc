#include "server/api.h"

#include <chrono>
#include <ctime>
#include <exception>

#include "base/log.h"
#include "http/exchange.h"
#include "server/openapi.h"
#include "server/options_from.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kDocsPolicy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
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

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string iso_time(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  char date[32];
  const std::size_t size = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string milliseconds = std::to_string(1000 + wall_ms % 1000);
  milliseconds[0] = '.';
  return std::string(date, size) + milliseconds + "Z";
}

std::int64_t ApiContext::now_ms() const {
  if (services.now_ms) return services.now_ms();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<std::string> ApiContext::namespaces() const {
  return services.namespaces ? services.namespaces() : std::vector<std::string>{"/"};
}

BroadcastOperator ApiContext::space(const ApiCall& call, const std::string& name) const {
  return io.of(name).everybody().tenant(call.tenant);
}

std::optional<BroadcastOperator> ApiContext::named_space(ApiCall& call) const {
  const std::string name = call.text("namespace");
  // Asked first, since of() would make it.
  for (const std::string& known : namespaces()) {
    if (known == name) return space(call, name);
  }
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
      : context(std::move(shared)), router(std::move(table)), keys(context->settings, errors), rates(nullptr) {
    auto rate = policy::Rate::parse(context->settings.api.rate);
    if (!rate.ok()) errors.add({"api.rate", 0, 0}, rate.status().message());
    rates = std::make_unique<policy::RateTable>(rate.ok() ? *rate : policy::Rate{.count = 100, .interval_ms = 1000, .burst = 200});
  }

  // A request from its arrival to its handler. The texts are copied: a judge may answer after the request is gone.
  struct Request {
    ApiCallPointer call;
    std::string query, content_type, body;
    bool open = false;
  };

  void serve(const HttpRequest& request, HttpReply reply) {
    auto call = std::make_shared<ApiCall>(std::move(reply), headers_for(request));
    try {
      admit(request, std::move(call));
    } catch (const std::exception& failure) {  // the call that dies says 500
      base::stderr_log(LogLevel::kError).write(LogLevel::kError, "an endpoint threw", {{"path", std::string(request.path)}, {"what", failure.what()}});
    }
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
    const ApiCaller* key = credential.found == ApiCredential::Found::kOne ? keys.find(credential.secret) : nullptr;
    if (key != nullptr) {
      call.caller = *key;
      return within_rate(call, "key " + key->name) ? run(std::move(arrived)) : void();
    }
    if (!within_rate(call, address)) return;
    if (call.endpoint->right == ApiRight::kOpen) return run(std::move(arrived));  // whoever it is
    if (credential.found == ApiCredential::Found::kNone) {
      const bool open = keys.empty() && context->settings.environment == Environment::kDevelopment && open_here(request);
      if (!open || call.endpoint->right == ApiRight::kUser) return unauthorized(call);
      call.caller = {.kind = ApiCaller::Kind::kAdmin, .name = "this machine"};
      return run(std::move(arrived));
    }
    if (credential.found == ApiCredential::Found::kBad || !context->services.judge) return unauthorized(call);
    context->services.judge(credential.secret, [self = shared_from_this(), arrived = std::move(arrived)](Result<Identity> judged) mutable {
      if (!judged.ok() || judged->anonymous()) return unauthorized(*arrived.call);
      arrived.call->caller = caller_from(std::move(*judged));
      self->run(std::move(arrived));
    });
  }

  bool within_rate(ApiCall& call, const std::string& who) {
    if (!call.endpoint->limited) return true;
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
    if (own == nullptr) own = std::make_unique<policy::RateTable>(*caller.rate, 1);
    return *own;
  }

  static bool has_right(const ApiCaller& caller, const ApiEndpoint& endpoint) {
    switch (endpoint.right) {
      case ApiRight::kOpen: return true;
      case ApiRight::kUser: return caller.kind == ApiCaller::Kind::kUser;
      case ApiRight::kRole: return caller.may(endpoint.role);
      case ApiRight::kAdmin: return caller.is_admin();
    }
    return false;
  }

  void run(Request arrived) {
    ApiCall& call = *arrived.call;
    const ApiEndpoint& endpoint = *call.endpoint;
    if (!has_right(call.caller, endpoint)) return call.refuse(403, problems::kForbidden, "this key or token may not do that");
    if (endpoint.whole_server && call.caller.tenant && !call.caller.tenant->empty()) {
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
    endpoint.handler(arrived.call);
  }

  static void refuse(ApiCall& call, const ApiProblem& problem) {
    call.refuse(problem.status, problem.problem.code, problem.problem.message, problem.problem.details);
  }

  const std::shared_ptr<ApiContext> context;
  const ApiRouter router;
  const ApiKeys keys;
  std::mutex mutex;
  // Guarded by mutex
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
  for (const std::string_view path : {"/api/*", "/health", "/healthz", "/readyz", "/metrics"}) routes.http("*", path, serve);
}

Api::~Api() = default;

void Api::set_rate(const policy::Rate& rate) {
  const std::lock_guard lock(dispatch_->mutex);
  if (!(dispatch_->rates->rate() == rate)) dispatch_->rates = std::make_unique<policy::RateTable>(rate);
}

const std::vector<ApiEndpoint>& Api::endpoints() const noexcept { return dispatch_->router.endpoints(); }

}  // namespace tidewire::server
