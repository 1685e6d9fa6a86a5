#include "server/room_service.h"

#include <algorithm>

#include "base/limits.h"

namespace tidewire::server {
namespace {

// Rooms that only the server puts sockets into: by auto_join, or when a back end says so over HTTP.
constexpr char kReserved = '$';

Problem not_yours(Who::Answer answer, std::string_view room) {
  const Value details = Value::object({{"room", room}});
  if (answer == Who::Answer::kNeedsToken) {
    return {std::string(problems::kUnauthorized), "this room is for people with a token", details};
  }
  return {std::string(problems::kForbidden), "you may not join this room", details};
}

}  // namespace

std::optional<Problem> RoomService::impossible(const Socket& socket, std::string_view room) {
  if (!policy::valid_room_name(room)) {
    return Problem{std::string(problems::kInvalidRoom), "a room's name is 1 to 128 bytes of UTF-8 without control characters"};
  }
  if (socket.room_count() >= base::limits::kRoomsPerMemberMax && !socket.in_room(room)) {
    return Problem{std::string(problems::kRoomLimit), "in too many rooms", Value::object({{"max", base::limits::kRoomsPerMemberMax}})};
  }
  if (room.starts_with(kReserved)) {
    return Problem{std::string(problems::kForbidden), "names that begin with $ are the server's", Value::object({{"room", room}})};
  }
  if (looks_like_a_socket_id(room) && room != socket.id()) {
    return Problem{std::string(problems::kForbidden), "the name is that of a socket", Value::object({{"room", room}})};
  }
  return std::nullopt;
}

std::optional<Problem> RoomService::enter_room(const Socket& socket, const std::string& room, bool beyond_bound) {
  if (socket.in_room(room)) return std::nullopt;
  if (!socket.join(room, beyond_bound)) {
    return Problem{std::string(problems::kRoomLimit), "the server has as many rooms as it may", Value::object({{"room", room}})};
  }
  if (hooks_.wants("join")) hooks_.tell("join", socket, Value::object({{"room", room}}));
  return std::nullopt;
}

void RoomService::enter(Socket& socket) {
  const auto identity = socket.identity();
  const auto rules = book();
  for (const auto& rule : rules->rooms.rules()) {
    if (!rule->auto_join) continue;
    // These come with the socket, and what is said to a user must reach it: never one too many.
    if (rule->pattern.exact()) {
      if (rule->join.admits(*identity, {}) == Who::Answer::kYes) enter_room(socket, rule->pattern.text(), true);
    } else if (const auto room = rule->own_room(*identity)) {
      enter_room(socket, *room, true);
    } else if (!identity->anonymous()) {
      log_.write(base::LogLevel::kWarn, "a user id cannot be part of a room's name", {{"pattern", rule->pattern.text()}});
    }
  }
}

void RoomService::review(Socket& socket, const Identity& before) {
  const auto identity = socket.identity();
  const auto rules = book();
  for (const std::string& room : socket.rooms()) {
    const auto found = policy::valid_room_name(room) ? rules->rooms.find(room) : std::nullopt;
    if (!found || room == socket.id()) continue;
    const auto admits = [&](const Identity& who) { return found->rule->join.admits(who, found->parameter) == Who::Answer::kYes; };
    if (admits(before) && !admits(*identity)) leave_room(socket, room);
  }
  enter(socket);
}

void RoomService::join(const Socket& socket, std::string room, Done done) {
  if (auto problem = impossible(socket, room)) return done(std::move(problem));
  const auto rules = book();
  const auto found = rules->rooms.find(room);
  if (!found) return done(Problem{std::string(problems::kForbidden), "no rule lets anybody join this room", Value::object({{"room", room}})});
  const Who::Answer answer = found->rule->join.admits(*socket.identity(), found->parameter);
  if (answer == Who::Answer::kAsk) return ask(socket, std::move(room), *found->rule, std::move(done));
  if (answer != Who::Answer::kYes) return done(not_yours(answer, room));
  done(enter_room(socket, room, false));
}

void RoomService::ask(const Socket& socket, std::string room, const RoomRule& rule, Done done) {
  const Value question = Value::object({{"question", "join"},
                                        {"room", room},
                                        {"namespace", socket.namespace_name()},
                                        {"socket", socket_value(socket)},
                                        {"user", user_value(*socket.identity())}});
  hooks_.ask(rule.ask, socket, question, [this, socket, room = std::move(room), done = std::move(done)](outbound::Answer answer) mutable {
    socket.run([this, room = std::move(room), answer = std::move(answer), done = std::move(done)](Socket& here) mutable {
      if (!here.connected()) return;
      if (!answer.ok()) return done(Problem{std::string(problems::kUnavailable), std::string(outbound::ask_error_text(answer.error))});
      if (answer.value["allow"] != Value(true)) {
        return done(Problem{std::string(answer.value["code"].as_string().value_or(problems::kForbidden)),
                            std::string(answer.value["message"].as_string().value_or("you may not join this room")),
                            Value::object({{"room", room}})});
      }
      if (auto problem = impossible(here, room)) return done(std::move(problem));  // it may have joined others meanwhile
      done(enter_room(here, room, false));
    });
  });
}

std::optional<Problem> RoomService::leave(const Socket& socket, std::string_view room) {
  if (!policy::valid_room_name(room)) {
    return Problem{std::string(problems::kInvalidRoom), "a room's name is 1 to 128 bytes of UTF-8 without control characters"};
  }
  if (!socket.in_room(room)) return std::nullopt;
  // What is sent to a user reaches all of the user's sockets.
  const auto rules = book();
  const auto identity = socket.identity();
  if (std::ranges::any_of(rules->rooms.rules(), [&](const auto& rule) { return rule->own_room(*identity) == room; })) {
    return Problem{std::string(problems::kForbidden), "this room is yours as long as you are connected", Value::object({{"room", room}})};
  }
  leave_room(socket, room);
  return std::nullopt;
}

bool RoomService::move(const Socket& socket, const std::string& room, bool into) {
  if (into) return !enter_room(socket, room, false);
  if (socket.in_room(room)) leave_room(socket, room);
  return true;
}

void RoomService::leave_room(const Socket& socket, std::string_view room) {
  socket.leave(room);
  if (hooks_.wants("leave")) hooks_.tell("leave", socket, Value::object({{"room", room}}));
}

}  // namespace tidewire::server
