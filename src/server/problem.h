// server/problem.h - why somebody may not, in one shape for everybody: acknowledgements, error events, HTTP answers, the log.
//
//   acknowledgement   {"ok":false,"error":{"code":"forbidden","message":"...","details":{...}}}
//   without one       event `error` {"code":"forbidden","message":"...","event":"say","details":{...}}
//
// Threads: a plain value.
#pragma once

#include <string>
#include <string_view>

#include "tidewire/socket.h"
#include "tidewire/value.h"

namespace tidewire::server {

struct Problem {
  std::string code;     // for programs, one of those below or what a back end says
  std::string message;  // for people
  Value details = {};   // null: none

  // {code, message, details?}
  Value to_value() const;
};

// {"ok":false,"error":{...}}
Value refusal(const Problem& problem);
// {"ok":true} with the members of `more`, an object or null.
Value acceptance(Value more = {});

namespace problems {
inline constexpr std::string_view kUnknownEvent = "unknown_event";
inline constexpr std::string_view kUnauthorized = "unauthorized";        // would need a token
inline constexpr std::string_view kForbidden = "forbidden";              // has one that does not say so
inline constexpr std::string_view kInvalidPayload = "invalid_payload";
inline constexpr std::string_view kInvalidRoom = "invalid_room";
inline constexpr std::string_view kNotAMember = "not_a_member";
inline constexpr std::string_view kRoomLimit = "room_limit";
inline constexpr std::string_view kRateLimited = "rate_limited";
inline constexpr std::string_view kUnavailable = "backend_unavailable";
}  // namespace problems

// Tells the sender of an event: by its acknowledgement if it wants one, else by an event `error`.
void tell(Socket& socket, Ack& ack, std::string_view event, const Problem& problem);

}  // namespace tidewire::server
