// server/api_publish.h - an event that a back end publishes: read, judged, sent.
//
//   {"event":"news","data":{...},"room":"lobby"}           one argument
//   {"event":"moved","args":[1,2],"rooms":["a","b"]}       several
//   {"event":"note","data":"hi","user":"ada"}              every device of ada: the room user:ada
//
// Whom it is for is said exactly once: room, rooms, user, users, session, socket, or "all":true for the namespace.
// {"$bytes":"<base64>"} anywhere in the data is octets: an attachment for Socket.IO, the same object for plain clients.
// Threads: pure but for send().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api_router.h"
#include "tidewire/broadcast.h"

namespace tidewire::server {

inline constexpr std::size_t kPublishBatchMax = 1'000;
inline constexpr std::size_t kPublishRoomsMax = 1'000;   // rooms, users, or exceptions of one message
inline constexpr std::size_t kEventNameBytesMax = 128;

struct Publication {
  std::string namespace_name = "/";
  std::string event;
  Arguments arguments;
  std::vector<std::string> rooms;   // empty: everybody in the namespace
  std::vector<std::string> except;
  bool is_volatile = false;
  bool compress = true;
  std::string idempotency_key;
};

struct PublishLimits {
  std::function<bool(std::string_view name)> knows_namespace;
  std::size_t attachments_max;
};

// REQUIRES: `message` is what kMessageSchema says
Result<Publication> read_publication(const Value& message, const PublishLimits& limits, Problem& problem);

// `everybody`: of the namespace and the tenant.
void send(const Publication& publication, BroadcastOperator everybody);

// Objects {"$bytes":"<base64>"} become octets; false when one of them is no base64.
bool take_bytes(const Value& value, Value& out, std::size_t& attachments);

}  // namespace tidewire::server
