// server/room_service.h - joining and leaving by the rules, the same for every dialect and for every way to ask.
//
// Threads: the socket's shard; the answer comes there, at once or after the back end was asked.
// Other rules may come while it runs: whoever is in a room by then stays.
// Limits: kRoomsPerMemberMax rooms for each socket; names as policy::valid_room_name says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/hooks.h"
#include "server/problem.h"
#include "server/rulebook.h"
#include "tidewire/server.h"

namespace tidewire::server {

class RoomService {
 public:
  using Done = UniqueFunction<void(std::optional<Problem>)>;

  RoomService(CurrentRulebook& book, const Server& io, Hooks& hooks, base::LogSink& log) : book_(book), io_(io), hooks_(hooks), log_(log) {}

  // The rooms that are everybody's, and the user's own. For a socket that has just come in.
  void enter(Socket& socket);
  void join(const Socket& socket, std::string room, Done done);
  // The socket has another identity: out of the rooms that `before` had a right to and the new one has not, into those that are
  // everybody's. Where a back end has put it, it stays.
  void review(Socket& socket, const Identity& before);
  // The back end puts the socket there or takes it out, whatever its rights. False: the room would be one more than the server may
  // have.
  bool move(const Socket& socket, const std::string& room, bool into);
  // Leaving needs no right; only the user's own room cannot be left.
  std::optional<Problem> leave(const Socket& socket, std::string_view room);

 private:
  // What keeps the socket out, whatever its rights.
  static std::optional<Problem> impossible(const Socket& socket, std::string_view room);
  void ask(const Socket& socket, std::string room, const RoomRule& rule, Done done);
  // A problem only when the room would be one too many of the whole server, and never with `beyond_bound`.
  std::optional<Problem> enter_room(const Socket& socket, const std::string& room, bool beyond_bound);
  void leave_room(const Socket& socket, std::string_view room);

  // Held by whoever looks into it.
  std::shared_ptr<const Rulebook> book() { return book_.on_shard(io_.current_shard()); }

  CurrentRulebook& book_;
  const Server& io_;
  Hooks& hooks_;
  base::LogSink& log_;
};

}  // namespace tidewire::server
