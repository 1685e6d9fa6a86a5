#include "server/hooks.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "server/clock.h"

namespace tidewire::server {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"connect", "disconnect", "join", "leave", "event"};
constexpr std::string_view kEventPrefix = "event:";

bool is_kind(std::string_view event) {
  return std::ranges::find(kKinds, event) != kKinds.end() || (event.starts_with(kEventPrefix) && event.size() > kEventPrefix.size());
}

// "event" means every event by name.
bool covers(std::string_view wish, std::string_view event) {
  return wish == event || (wish == "event" && event.starts_with(kEventPrefix));
}

outbound::BreakerOptions read_breaker(ConfigReader& table) {
  outbound::BreakerOptions options;
  options.failures_max = static_cast<std::uint32_t>(table.number("breaker_failures", options.failures_max, {1, 1'000}));
  options.cool_down_ms = table.duration_ms("breaker_pause", options.cool_down_ms, {100, 3'600'000});
  options.cool_down_max_ms = std::max(options.cool_down_ms, table.duration_ms("breaker_pause_max", options.cool_down_max_ms, {100, 3'600'000}));
  return options;
}

}  // namespace

Value socket_value(const Socket& socket) {
  Value value = Value::object({{"id", socket.id()}, {"namespace", socket.namespace_name()}, {"dialect", socket.dialect()},
                               {"address", socket.address()}});
  if (!socket.identity()->tenant.empty()) value.set("tenant", socket.identity()->tenant);
  return value;
}

Value user_value(const Identity& identity) {
  if (identity.anonymous()) return {};
  Value user = Value::object({{"id", identity.user_id}});
  if (!identity.name.empty()) user.set("name", identity.name);
  if (!identity.email.empty()) user.set("email", identity.email);
  if (!identity.roles.empty()) user.set("roles", Value::from(identity.roles));
  if (!identity.tenant.empty()) user.set("tenant", identity.tenant);
  return user;
}

HookSettings read_hooks(const Settings::Hooks& settings, ConfigErrors& errors) {
  HookSettings out;
  const outbound::UrlRules rules{.allow_http = settings.allow_http};
  std::vector<std::string> names;
  const auto take_name = [&](ConfigReader& table, const std::string& name) {
    if (std::ranges::find(names, name) != names.end()) table.complain("name", "\"" + name + "\" is taken by another hook");
    names.push_back(name);
  };
  for (const ConfigNode* node : tables_of(settings.webhooks, errors)) {
    ConfigReader table(*node, errors);
    HookSettings::Webhook hook;
    outbound::WebhookOptions& options = hook.options;
    options.name = table.required_text("name");
    options.url = table.required_text("url");
    options.secret = table.required_text("secret");
    hook.events = table.texts("events", {"connect", "disconnect", "join", "leave"});
    options.batch_events_max = static_cast<std::size_t>(table.number("batch_events_max", 100, {1, 10'000}));
    options.batch_ms = table.duration_ms("batch_interval", options.batch_ms, {0, 60'000});
    options.queue_events_max = static_cast<std::size_t>(table.number("queue_events_max", 10'000, {1, 1'000'000}));
    options.queue_bytes_max = static_cast<std::size_t>(table.size_bytes("queue_bytes_max", 8 * 1024 * 1024, {1024, 1024 * 1024 * 1024}));
    options.timeout_ms = table.duration_ms("timeout", options.timeout_ms, {100, 60'000});
    options.attempts_max = static_cast<std::uint32_t>(table.number("attempts_max", options.attempts_max, {1, 100}));
    options.breaker = read_breaker(table);
    for (const std::string& event : hook.events) {
      if (!is_kind(event)) table.complain("events", "has \"" + event + "\": there are connect, disconnect, join, leave, event and event:NAME");
    }
    take_name(table, options.name);
    if (const Status good = outbound::check_webhook(options, rules); !options.url.empty() && !options.secret.empty() && !good.ok()) {
      table.complain("url", good.message());
    }
    table.finish();
    out.webhooks.push_back(std::move(hook));
  }
  for (const ConfigNode* node : tables_of(settings.questions, errors)) {
    ConfigReader table(*node, errors);
    outbound::AskerOptions options;
    options.name = table.required_text("name");
    options.url = table.required_text("url");
    options.secret = table.required_text("secret");
    options.timeout_ms = table.duration_ms("timeout", options.timeout_ms, {50, 30'000});
    options.in_flight_max = static_cast<std::size_t>(table.number("in_flight_max", 256, {1, 4'096}));
    options.breaker = read_breaker(table);
    take_name(table, options.name);
    if (const Status good = outbound::check_asker(options, rules); !options.url.empty() && !options.secret.empty() && !good.ok()) {
      table.complain("url", good.message());
    }
    table.finish();
    out.questions.push_back(std::move(options));
  }
  return out;
}

// How many questions each socket waits for: one client alone must not take the place of all others. Threads: any.
class Hooks::Pending {
 public:
  bool add(const std::string& socket) {
    const std::lock_guard lock(mutex_);
    std::uint32_t& count = counts_[socket];
    if (count == kQuestionsPerSocketMax) return false;
    ++count;
    return true;
  }
  void remove(const std::string& socket) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(socket);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }

 private:
  std::mutex mutex_;
  base::StringMap<std::uint32_t> counts_;  // guarded by mutex_; those that wait for one at least
};

Hooks::Hooks(const HookSettings& settings, outbound::Fetcher& webhooks, outbound::Fetcher& questions, base::Random& random,
             base::LogSink& log)
    : pending_(std::make_shared<Pending>()) {
  for (const HookSettings::Webhook& hook : settings.webhooks) {
    webhooks_.push_back({hook.options.name, hook.events, std::make_unique<outbound::WebhookQueue>(hook.options, webhooks, random, log)});
  }
  for (const outbound::AskerOptions& options : settings.questions) {
    questions_[options.name] = std::make_unique<outbound::Asker>(options, questions, log);
  }
}

bool Hooks::wants(std::string_view event) const {
  return std::ranges::any_of(webhooks_, [&](const Webhook& hook) {
    return std::ranges::any_of(hook.events, [&](const std::string& wish) { return covers(wish, event); });
  });
}

void Hooks::tell(std::string_view event, const Socket& socket, Value more) {
  if (!wants(event)) return;
  const bool named = event.starts_with(kEventPrefix);
  Value body = Value::object({{"event", named ? std::string_view("event") : event}, {"time", iso_time(wall_clock_ms())}});
  for (const Value::Member& member : more.members()) body.set(member.key, member.value);
  body.set("socket", socket_value(socket));
  body.set("user", user_value(*socket.identity()));
  const std::string text = body.to_json();
  for (Webhook& hook : webhooks_) {
    if (std::ranges::any_of(hook.events, [&](const std::string& wish) { return covers(wish, event); })) hook.queue->push(text);
  }
}

void Hooks::ask(std::string_view question, const Socket& socket, const Value& body, outbound::Asker::Done done) {
  const auto found = questions_.find(question);
  if (found == questions_.end()) return done({.error = outbound::AskError::kUnavailable, .value = {}});
  const std::string id = socket.id();
  if (!pending_->add(id)) return done({.error = outbound::AskError::kOverloaded, .value = {}});
  found->second->ask(body.to_json(), 0, [pending = pending_, id, done = std::move(done)](outbound::Answer answer) mutable {
    pending->remove(id);
    done(std::move(answer));
  });
}

void Hooks::drain() {
  for (Webhook& hook : webhooks_) hook.queue->drain();
}

bool Hooks::drained() const {
  return std::ranges::all_of(webhooks_, [](const Webhook& hook) { return hook.queue->statistics().queued == 0; });
}

bool Hooks::healthy() const {
  const auto closed = [](const auto& statistics) { return statistics.breaker == outbound::Breaker::State::kClosed; };
  return std::ranges::all_of(webhooks_, [&](const Webhook& hook) { return closed(hook.queue->statistics()); }) &&
         std::ranges::all_of(questions_, [&](const auto& entry) { return closed(entry.second->statistics()); });
}

Value Hooks::to_value() const {
  Value webhooks = Value::array();
  for (const Webhook& hook : webhooks_) {
    const outbound::WebhookStatistics now = hook.queue->statistics();
    webhooks.push_back(Value::object({{"name", hook.name}, {"delivered", now.delivered}, {"dropped", now.dropped}, {"failed", now.failed},
                                      {"retried", now.batches_retried}, {"queued", now.queued},
                                      {"breaker", outbound::breaker_state_text(now.breaker)}}));
  }
  Value questions = Value::array();
  for (const auto& [name, asker] : questions_) {
    const outbound::AskerStatistics now = asker->statistics();
    questions.push_back(Value::object({{"name", name}, {"answered", now.answered}, {"failed", now.failed},
                                       {"unavailable", now.unavailable}, {"overloaded", now.overloaded},
                                       {"breaker", outbound::breaker_state_text(now.breaker)}}));
  }
  return Value::object({{"webhooks", std::move(webhooks)}, {"questions", std::move(questions)}});
}

}  // namespace tidewire::server
