// outbound/question.h - asks one back end and waits for its answer: may this user join? what is the answer to this event?
//
//   ask({"question":"join",...}) --signed POST--> 200 and a JSON object --> Answer.value
//                                                 anything else         --> Answer.error
//
// A dead back end costs a socket nothing: after failures_max failures in a row the breaker answers kUnavailable at once, for as
// long as its cool-down takes. What an error means (let in, or keep out) is the caller's to decide; keep out, where it is about rights.
// Threads: ask() and statistics() from any thread, never blocking. The callback runs once: on the Fetcher's thread, or, for an
// answer given at once (kUnavailable, kOverloaded), on the calling thread before ask() returns. Hold no lock that it takes.
// Lifetime: the Fetcher outlives the Asker; the log outlives the Fetcher. Callbacks under way survive the Asker.
// Limits: AskerOptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "outbound/breaker.h"
#include "outbound/fetcher.h"
#include "outbound/url_check.h"
#include "tidewire/function.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::outbound {

struct AskerOptions {
  std::string name;    // in logs
  std::string url;     // from the configuration, never from a message
  std::string secret;  // at least kSecretBytesMin, see outbound/signature.h
  base::Milliseconds timeout_ms = kFetchTimeoutDefaultMs;
  std::size_t in_flight_max = 256;
  std::size_t answer_bytes_max = kResponseBytesDefault;
  BreakerOptions breaker;
};

// OK, or what is wrong, in a sentence that repeats neither URL nor secret.
Status check_asker(const AskerOptions& options, const UrlRules& rules);

enum class AskError : std::uint8_t {
  kNone,
  kUnavailable,  // the breaker is open: not asked
  kOverloaded,   // in_flight_max questions are under way, or the Fetcher is full: not asked
  kTimeout,      // no answer in time
  kFailed,       // no answer at all, or another status than 200
  kBadAnswer,    // 200 with something that is no JSON object, or is too large
  kCancelled,    // this server ends
};
// For people: "the back end is unavailable".
std::string_view ask_error_text(AskError error) noexcept;

struct Answer {
  AskError error = AskError::kNone;
  Value value;  // an object; null unless kNone
  base::Milliseconds elapsed_ms = 0;
  bool ok() const noexcept { return error == AskError::kNone; }
};

// Questions. All but the last two only grow.
struct AskerStatistics {
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;       // asked in vain: kTimeout, kFailed, kBadAnswer
  std::uint64_t unavailable = 0;  // not asked
  std::uint64_t overloaded = 0;   // not asked
  std::size_t in_flight = 0;
  Breaker::State breaker = Breaker::State::kClosed;
};

class Asker {
 public:
  using Done = UniqueFunction<void(Answer)>;

  // REQUIRES: check_asker() is OK
  Asker(AskerOptions options, Fetcher& fetcher, base::LogSink& log);

  // `timeout_ms` 0: the option's. REQUIRES: `question_json` is one JSON text
  void ask(std::string question_json, base::Milliseconds timeout_ms, Done done);
  AskerStatistics statistics() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with callbacks under way
};

}  // namespace tidewire::outbound
