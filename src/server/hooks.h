// server/hooks.h - what the back end hears of (webhooks) and what it is asked (questions): [[hooks.*]] of the configuration.
//
//   [[hooks.webhooks]]  name = "audit"   url, secret, events = ["connect", "disconnect", "join", "leave", "event:say"]
//   [[hooks.questions]] name = "rights"  url, secret, timeout = "2s"
//
// An event of a webhook: {"event":"join","time":"...","room":"...", "socket":{id, namespace, dialect, address}, "user":{...}|null}
// A question: {"question":"join"|"event", ...the same...}; answers see docs/guide/webhooks.md.
// Threads: any; nothing here blocks. Answers come where Asker gives them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "base/string_map.h"
#include "outbound/question.h"
#include "outbound/webhook.h"
#include "server/problem.h"
#include "server/settings.h"
#include "tidewire/socket.h"

namespace tidewire::server {

// The user of a socket as others may see it: {id, name?, email?, roles?, tenant?}, null for nobody.
Value user_value(const Identity& identity);
// 2026-11-24T19:00:00.123Z, of the wall clock now.
std::string timestamp_now();

struct HookSettings {
  struct Webhook {
    outbound::WebhookOptions options;
    std::vector<std::string> events;
  };
  std::vector<Webhook> webhooks;
  std::vector<outbound::AskerOptions> questions;
};
HookSettings read_hooks(const Settings::Hooks& settings, ConfigErrors& errors);

class Hooks {
 public:
  // Two fetchers, since slow webhooks must not hold up a question. `random` is used on the thread of the first.
  Hooks(const HookSettings& settings, outbound::Fetcher& webhooks, outbound::Fetcher& questions, base::Random& random, base::LogSink& log);

  // Whether anybody wants to hear of it: "connect", "event:say".
  bool wants(std::string_view event) const;
  // `more`: members of the event besides those every event has.
  void tell(std::string_view event, const Socket& socket, Value more = {});

  // Asks the question of that name, or answers kUnavailable when there is none of it.
  void ask(std::string_view question, Value body, outbound::Asker::Done done);
  bool has_question(std::string_view name) const { return questions_.contains(name); }

  // Sends what is queued, as far as the receivers are there.
  void drain();
  bool drained() const;
  // {webhooks:[{name, delivered, ...}], questions:[...]}
  Value to_value() const;

 private:
  struct Webhook {
    std::string name;
    std::vector<std::string> events;
    std::unique_ptr<outbound::WebhookQueue> queue;
  };
  std::vector<Webhook> webhooks_;
  base::StringMap<std::unique_ptr<outbound::Asker>> questions_;
};

}  // namespace tidewire::server
