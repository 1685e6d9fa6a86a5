// outbound/webhook.h - tells one back end what happens here: signed batches of events, in order, over HTTP POST.
//
//   any thread --push()--> [ queue ] --up to batch_events_max, or after batch_ms--> one batch in flight --> delivered
//                             |                                                        |  ^ back-off, breaker, Retry-After
//                             over the bound: dropped                                  v--|  up to attempts_max, then lost
//
//   {"id":"<32 hex digits>","time_ms":1700000000000,"dropped":0,"events":[...]}
//
// Nothing is silently lost: what was dropped at the bound or lost with a batch is the "dropped" of the next batch that arrives.
// Dropped is the newest: making room at the front would take a place from a batch that is under way.
// The id is the Idempotency-Key of every try; the signature (outbound/signature.h) is made anew for each.
// One batch in flight: order is worth more here than speed, and a batch takes what has gathered meanwhile.
// Threads: push(), drain() and statistics() from any thread, never blocking; the rest on the Fetcher's.
// Lifetime: the Fetcher outlives the queue; the random source (used on the Fetcher's thread only) and the log outlive the Fetcher.
// Limits: WebhookOptions. A batch in flight still counts as queued.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "outbound/breaker.h"
#include "outbound/fetcher.h"
#include "outbound/url_check.h"
#include "tidewire/status.h"

namespace tidewire::outbound {

struct WebhookOptions {
  std::string name;    // in logs
  std::string url;     // from the configuration, never from a message
  std::string secret;  // at least kSecretBytesMin, see outbound/signature.h
  std::size_t batch_events_max = 100;
  std::size_t batch_bytes_max = 256 * 1024;  // of events; one event alone may be larger
  base::Milliseconds batch_ms = 100;         // the first event of a batch waits so long for others
  std::size_t queue_events_max = 10'000;
  std::size_t queue_bytes_max = 8 * 1024 * 1024;
  base::Milliseconds timeout_ms = 5'000;  // of one try
  std::uint32_t attempts_max = 10;        // of one batch; with the breaker's pauses some minutes
  base::Milliseconds backoff_ms = 500;    // doubled with each try; the pause is between half of it and all of it
  base::Milliseconds backoff_max_ms = 30'000;
  base::Milliseconds retry_after_ms_max = 120'000;  // what the back end may ask for
  BreakerOptions breaker;
};

// OK, or what is wrong, in a sentence that repeats neither URL nor secret.
Status check_webhook(const WebhookOptions& options, const UrlRules& rules);

// Events, unless the name says otherwise. All but the last three only grow.
struct WebhookStatistics {
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;          // refused by push()
  std::uint64_t failed = 0;           // lost with a batch that was given up
  std::uint64_t batches_retried = 0;  // tries after the first
  std::size_t queued = 0;
  std::size_t queued_bytes = 0;
  Breaker::State breaker = Breaker::State::kClosed;
};

class WebhookQueue {
 public:
  // REQUIRES: check_webhook() is OK
  WebhookQueue(WebhookOptions options, Fetcher& fetcher, base::Random& random, base::LogSink& log);
  // What is queued is given up; the log says how many. drain() and wait before, if there is time.
  ~WebhookQueue();

  // False if the event was dropped. REQUIRES: `event_json` is one JSON text
  bool push(std::string event_json);
  // Sends what is queued without waiting for batch_ms. Done when statistics().queued is 0; a dead back end never gets there.
  void drain();
  WebhookStatistics statistics() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with callbacks under way
};

}  // namespace tidewire::outbound
