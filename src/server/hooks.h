// server/hooks.h - what the back end hears of (webhooks) and what it is asked (questions): [[hooks.*]] of the configuration.
//
//   [[hooks.webhooks]]  name = "audit"   url, secret, events = ["connect", "disconnect", "join", "leave", "event:say"]
//   [[hooks.questions]] name = "rights"  url, secret, timeout = "2s"
//
// An event of a webhook: {"event":"join","time":"...","room":"...", "socket":{id, namespace, dialect, address, tenant?}, "user":{...}|null}
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

// The socket as back ends see it: {id, namespace, dialect, address, tenant?}.
Value socket_value(const Socket& socket);
// The user of a socket as others may see it: {id, name?, email?, roles?, tenant?}, null for nobody.
Value user_value(const Identity& identity);

struct HookSettings {
  struct Webhook {
    outbound::WebhookOptions options;
    std::vector<std::string> events;
  };
  std::vector<Webhook> webhooks;
  std::vector<outbound::AskerOptions> questions;
};
HookSettings read_hooks(const Settings::Hooks& settings, ConfigErrors& errors);

inline constexpr std::uint32_t kQuestionsPerSocketMax = 8;  // that wait for an answer

class Hooks {
 public:
  // Two fetchers, since slow webhooks must not hold up a question. `random` is used on the thread of the first.
  Hooks(const HookSettings& settings, outbound::Fetcher& webhooks, outbound::Fetcher& questions, base::Random& random, base::LogSink& log);

  // Whether anybody wants to hear of it: "connect", "event:say".
  bool wants(std::string_view event) const;
  // `more`: members of the event besides those every event has.
  void tell(std::string_view event, const Socket& socket, Value more = {});

  // Asks the question of that name for a socket: kUnavailable when there is none of it, kOverloaded when the socket waits for
  // kQuestionsPerSocketMax others.
  void ask(std::string_view question, const Socket& socket, const Value& body, outbound::Asker::Done done);

  // Sends what is queued, as far as the receivers are there.
  void drain();
  bool drained() const;
  // Whether every receiver was there when it was last called.
  bool healthy() const;
  // {webhooks:[{name, delivered, ...}], questions:[...]}
  Value to_value() const;

 private:
  class Pending;
  struct Webhook {
    std::string name;
    std::vector<std::string> events;
    std::unique_ptr<outbound::WebhookQueue> queue;
  };
  std::vector<Webhook> webhooks_;
  base::StringMap<std::unique_ptr<outbound::Asker>> questions_;
  const std::shared_ptr<Pending> pending_;  // shared with questions under way
};

}  // namespace tidewire::server
