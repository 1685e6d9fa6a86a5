// Rooms and their members, for back ends.
#include <atomic>
#include <memory>

#include "policy/room_pattern.h"
#include "server/api_connections.h"
#include "server/api_gather.h"
#include "server/room_rules.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kMoveSchema =
    R"({"type":"object","additionalProperties":false,"minProperties":1,"maxProperties":1,"properties":{
"sockets":{"type":"array","items":{"type":"string","minLength":1,"maxLength":128},"minItems":1,"maxItems":1000},
"users":{"type":"array","items":{"type":"string","minLength":1,"maxLength":123},"minItems":1,"maxItems":1000,"description":"every connection of these users"}}})";

void count_namespaces(const ApiContext& context, const ApiCallPointer& call, ApiContext::Names names, bool all) {
  std::vector<BroadcastOperator> spaces;
  for (const std::string& name : names) spaces.push_back(context.space(*call, name));
  CountAll::run(std::move(spaces), [call, all, names = std::move(names)](const std::vector<std::uint64_t>& counts, bool complete) {
    std::vector<Value> list;
    for (std::size_t i = 0; i < counts.size() && i < names.size(); ++i) {
      list.push_back(Value::object({{"name", names[i]}, {"connections", counts[i]}}));
    }
    call->accept(Value::object({{"namespaces", Value::array(std::move(list))}, {"complete", complete && all}}));
  });
}

void list(const ApiContext& context, const ApiCallPointer& call) {
  const auto everybody = context.named_space(*call);
  if (!everybody) return;
  Page page = page_of(*call);
  page.prefix = call->text("prefix");
  everybody->fetch_rooms(page).then([call](RoomsPage found) {
    std::vector<Value> rooms;
    for (const RoomCount& room : found.rooms) rooms.push_back(Value::object({{"name", room.name}, {"members", room.members}}));
    const Value next = found.more && !found.rooms.empty() ? Value(found.rooms.back().name) : Value();
    call->accept(Value::object({{"rooms", Value::array(std::move(rooms))}, {"next", next}, {"complete", found.complete}}));
  });
}

// The members of the room of the path; nullopt after a refusal.
std::optional<BroadcastOperator> room_of(const ApiContext& context, ApiCall& call) {
  if (!policy::valid_room_name(call.place("room"))) {
    call.refuse(400, problems::kInvalidRoom, "the name of a room has 1 to 128 bytes of UTF-8 without control characters");
    return std::nullopt;
  }
  const auto everybody = context.named_space(call);
  if (!everybody) return std::nullopt;
  return everybody->to(call.place("room"));
}

void show(const ApiContext& context, const ApiCallPointer& call) {
  const auto room = room_of(context, *call);
  if (!room) return;
  room->count_sockets().then([call](SocketsCount found) {
    const Value counted = Value::object({{"name", call->place("room")}, {"members", found.count}});
    call->accept(Value::object({{"room", counted}, {"complete", found.complete}}));
  });
}

void members(const ApiContext& context, const ApiCallPointer& call) {
  if (const auto room = room_of(context, *call)) answer_connections(call, call->text("namespace"), *room);
}

void move(const ApiContext& context, const ApiCallPointer& call, bool into) {
  if (!room_of(context, *call)) return;
  const std::string& room = call->place("room");
  if (looks_like_a_socket_id(room)) return call->refuse(400, problems::kInvalidRoom, "the name is that of a connection, which is alone in it");
  // Who is in user:ada counts as a device of ada and hears what is for her.
  if (room.starts_with(kUserRoomPrefix)) return call->refuse(400, problems::kInvalidRoom, "the rooms user:... have the connections of that user, always");
  std::vector<std::string> whom;
  for (const Value& socket : call->body["sockets"].items()) {
    whom.emplace_back(*socket.as_string());
    if (!looks_like_a_socket_id(whom.back())) return call->refuse(400, api_codes::kInvalidBody, "\"sockets\" are the ids of connections");
  }
  for (const Value& user : call->body["users"].items()) whom.push_back(user_room(*user.as_string()));
  const auto just_move = [](Socket& socket, const std::string& name, bool in) {
    if (in) return socket.join(name);
    socket.leave(name);
    return true;
  };
  auto too_many = std::make_shared<std::atomic<bool>>(false);
  context.named_space(*call)
      ->to(whom)
      .for_each([move = context.services.move ? context.services.move : just_move, room, into, too_many](Socket& socket) {
        if (!move(socket, room, into)) *too_many = true;
      })
      .then([call, room, too_many](SocketsCount moved) {
        if (*too_many) return call->refuse(503, problems::kRoomLimit, "the server has as many rooms as it may");
        call->accept(Value::object({{"room", room}, {"connections", moved.count}, {"complete", moved.complete}}));
      });
}

}  // namespace

void add_room_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table) {
  table.push_back({.method = "GET", .path = "/api/v1/namespaces", .tag = "rooms", .summary = "The namespaces and how many connections each has.",
                   .right = ApiRight::kRole, .role = "read", .answers = {{200, "{ok, namespaces: [{name, connections}], complete}"}},
                   .handler = [context](const ApiCallPointer& call) {
                     context->find_namespaces(*call, [context, call](ApiContext::Names names, bool complete) { count_namespaces(*context, call, std::move(names), complete); });
                   }});
  table.push_back({.method = "GET", .path = "/api/v1/rooms", .tag = "rooms", .summary = "Rooms that somebody is in, in the order of their names, by pages.",
                   .right = ApiRight::kRole, .role = "read",
                   .query = {namespace_parameter(), {.name = "prefix", .text = "Names that begin so."}, after_parameter(), limit_parameter()},
                   .answers = {{200, "{ok, rooms: [{name, members}], next, complete}; next is null on the last page"}},
                   .handler = [context](const ApiCallPointer& call) { list(*context, call); }});
  table.push_back({.method = "GET", .path = "/api/v1/rooms/{room}", .tag = "rooms", .summary = "How many are in a room; a room that nobody is in has none.",
                   .right = ApiRight::kRole, .role = "read", .query = {namespace_parameter()}, .answers = {{200, "{ok, room: {name, members}, complete}"}},
                   .handler = [context](const ApiCallPointer& call) { show(*context, call); }});
  table.push_back({.method = "GET", .path = "/api/v1/rooms/{room}/members", .tag = "rooms", .summary = "The connections in a room, by pages.",
                   .right = ApiRight::kRole, .role = "read", .query = {namespace_parameter(), after_parameter(), limit_parameter()},
                   .answers = {{200, "{ok, connections, next, complete}"}},
                   .handler = [context](const ApiCallPointer& call) { members(*context, call); }});
  table.push_back({.method = "POST", .path = "/api/v1/rooms/{room}/join", .tag = "rooms", .summary = "Put connections, or those of users, into a room.",
                   .right = ApiRight::kRole, .role = "manage", .query = {namespace_parameter()}, .body = kMoveSchema,
                   .answers = {{200, "{ok, room, connections, complete}: how many were meant"},
                               {503, "room_limit: the server has as many rooms as it may, and some of them are not in it"}},
                   .handler = [context](const ApiCallPointer& call) { move(*context, call, true); }});
  table.push_back({.method = "POST", .path = "/api/v1/rooms/{room}/leave", .tag = "rooms", .summary = "Take connections, or those of users, out of a room.",
                   .right = ApiRight::kRole, .role = "manage", .query = {namespace_parameter()}, .body = kMoveSchema,
                   .answers = {{200, "{ok, room, connections, complete}: how many were meant"}},
                   .handler = [context](const ApiCallPointer& call) { move(*context, call, false); }});
}

}  // namespace tidewire::server
