#include "outbound/outcome.h"

namespace tidewire::outbound {

Outcome outcome_of(const Response& response) noexcept {
  switch (response.error) {
    case FetchError::kNone: break;
    case FetchError::kBadRequest:
    case FetchError::kTooLarge: return Outcome::kFinal;
    case FetchError::kOverloaded:
    case FetchError::kCancelled: return Outcome::kOurs;
    default: return Outcome::kTransient;
  }
  const int status = response.status;
  if (status >= 200 && status < 300) return Outcome::kSucceeded;
  return status >= 500 || status == 408 || status == 425 || status == 429 ? Outcome::kTransient : Outcome::kFinal;
}

void report(Breaker& breaker, Breaker::Ticket ticket, Outcome outcome, base::Milliseconds now) noexcept {
  switch (outcome) {
    case Outcome::kSucceeded:
    case Outcome::kFinal: return breaker.succeeded(ticket);
    case Outcome::kTransient: return breaker.failed(ticket, now);
    case Outcome::kOurs: return breaker.abandoned(ticket);
  }
}

void log_breaker_change(base::LogSink& log, std::string_view kind, std::string_view name, Breaker::State before, Breaker::State after) {
  using State = Breaker::State;
  const bool opened = before == State::kClosed && after == State::kOpen;
  const bool closed = before == State::kHalfOpen && after == State::kClosed;
  const base::LogLevel level = opened ? base::LogLevel::kWarn : base::LogLevel::kInfo;
  if ((!opened && !closed) || !log.enabled(level)) return;
  log.write(level, opened ? "back end keeps failing, left alone for a while" : "back end answers again",
            {{"kind", std::string(kind)}, {"name", std::string(name)}});
}

}  // namespace tidewire::outbound
