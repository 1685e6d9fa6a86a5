// server/room_service.h - joining and leaving by the rules, the same for every dialect and for every way to ask.
//
// Threads: the socket's shard; the answer comes there, at once or after the back end was asked.
// Limits: kRoomsPerMemberMax rooms for each socket; names as policy::valid_room_name says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/hooks.h"
#include "server/problem.h"
#include "server/room_rules.h"
#include "tidewire/socket.h"

namespace tidewire::server {

class RoomService {
 public:
  using Done = UniqueFunction<void(std::optional<Problem>)>;

  RoomService(const RoomRules& rules, Hooks& hooks, base::LogSink& log) : rules_(rules), hooks_(hooks), log_(log) {}

  // The rooms that are everybody's, and the user's own. For a socket that has just come in.
  void enter(Socket& socket);
  void join(const Socket& socket, std::string room, Done done);
  // Leaving needs no right; only the user's own room cannot be left.
  std::optional<Problem> leave(const Socket& socket, std::string_view room);

 private:
  // What keeps the socket out, whatever its rights.
  static std::optional<Problem> impossible(const Socket& socket, std::string_view room);
  void ask(const Socket& socket, std::string room, const RoomRule& rule, Done done);
  // A problem only when the room would be one too many of the whole server, and never with `beyond_bound`.
  std::optional<Problem> enter_room(const Socket& socket, const std::string& room, bool beyond_bound);

  const RoomRules& rules_;
  Hooks& hooks_;
  base::LogSink& log_;
};

}  // namespace tidewire::server
