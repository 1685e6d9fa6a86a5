// outbound/outcome.h - what a Response means: try again or not, and what the circuit breaker hears of it.
//
//   2xx                                        kSucceeded
//   no answer in time, or none at all          kTransient    worth another try; the breaker counts a failure
//   408, 425, 429, 5xx                         kTransient
//   any other status, an answer too large      kFinal        another try would end the same; the back end is alive
//   refused by or cancelled in this process    kOurs         says nothing about the back end
//
// Threads: pure functions; the breaker is the caller's.
#pragma once

#include <string_view>

#include "base/log.h"
#include "outbound/breaker.h"
#include "outbound/fetcher.h"

namespace tidewire::outbound {

enum class Outcome : std::uint8_t { kSucceeded, kTransient, kFinal, kOurs };

Outcome outcome_of(const Response& response) noexcept;

// Gives the ticket back.
void report(Breaker& breaker, Breaker::Ticket ticket, Outcome outcome, base::Milliseconds now) noexcept;

// One line when a back end is given up, one when it is back; nothing about the failures between. `kind`: "webhook", "question".
void log_breaker_change(base::LogSink& log, std::string_view kind, std::string_view name, Breaker::State before, Breaker::State after);

}  // namespace tidewire::outbound
