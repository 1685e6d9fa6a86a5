// Users, for back ends: who is online, out with them, no more of their tokens.
#include <map>

#include "server/api_connections.h"
#include "server/api_gather.h"
#include "server/room_rules.h"

namespace tidewire::server {
namespace {

constexpr std::size_t kPresenceSocketsMax = 10'000;  // looked at for the presence of one room
constexpr std::size_t kPresencePage = 1'000;

Value user_value(std::string_view user, std::uint64_t devices) { return Value::object({{"user", user}, {"devices", devices}}); }

void answer_users(const ApiCallPointer& call, std::vector<Value> users, Value next, bool complete) {
  call->accept(Value::object({{"users", Value::array(std::move(users))}, {"next", std::move(next)}, {"complete", complete}}));
}

// Every user: the rooms user:... are in order already, and their members are the devices.
void presence_of_all(const ApiCallPointer& call, const BroadcastOperator& everybody) {
  Page page = page_of(*call);
  page.prefix = kUserRoomPrefix;
  if (!page.after.empty()) page.after = user_room(page.after);
  everybody.fetch_rooms(page).then([call](RoomsPage found) {
    std::vector<Value> users;
    Value last;
    for (const RoomCount& room : found.rooms) {
      const std::string_view user = std::string_view(room.name).substr(kUserRoomPrefix.size());
      users.push_back(user_value(user, room.members));
      last = user;
    }
    answer_users(call, std::move(users), found.more ? last : Value(), found.complete);
  });
}

// Of one room: its members are seen through, page by page, and counted by user.
struct RoomPresence : std::enable_shared_from_this<RoomPresence> {
  RoomPresence(ApiCallPointer owner, BroadcastOperator members) : call(std::move(owner)), room(std::move(members)) {}
  const ApiCallPointer call;
  const BroadcastOperator room;
  std::map<std::string, std::uint64_t> devices;
  std::size_t seen = 0;
  bool complete = true;
  std::string after;

  void next() {
    room.fetch_sockets(Page{.after = after, .prefix = {}, .limit = kPresencePage}).then([self = shared_from_this()](SocketsPage page) {
      for (const RemoteSocket& socket : page.sockets) {
        if (!socket.identity->anonymous()) ++self->devices[socket.identity->user_id];
        self->after = socket.id;
      }
      self->seen += page.sockets.size();
      self->complete = self->complete && page.complete;
      if (!page.more || page.sockets.empty()) return self->answer();
      if (self->seen < kPresenceSocketsMax) return self->next();
      self->complete = false;
      self->answer();
    });
  }
  void answer() const {
    const Page page = page_of(*call);
    std::vector<Value> users;
    Value last;
    auto each = devices.upper_bound(page.after);
    if (page.after.empty()) each = devices.begin();
    for (; each != devices.end() && users.size() < page.limit; ++each) {
      users.push_back(user_value(each->first, each->second));
      last = each->first;
    }
    answer_users(call, std::move(users), each != devices.end() ? last : Value(), complete);
  }
};

void presence(const ApiContext& context, const ApiCallPointer& call) {
  const auto everybody = context.named_space(*call);
  if (!everybody) return;
  const std::string user = call->text("user");
  const std::string room = call->text("room");
  if (!user.empty() && !room.empty()) {
    return call->refuse(400, api_codes::kInvalidParameter, "either room or user, not both");
  }
  if (!room.empty()) return std::make_shared<RoomPresence>(call, everybody->to(room))->next();
  if (user.empty()) return presence_of_all(call, *everybody);
  everybody->to(user_room(user)).count_sockets().then([call, user](SocketsCount found) {
    std::vector<Value> users;
    if (found.count > 0) users.push_back(user_value(user, found.count));
    answer_users(call, std::move(users), Value(), found.complete);
  });
}

void show(const ApiContext& context, const ApiCallPointer& call) {
  connections_of_user(context, call, call->place("user"), [call](std::vector<Value> connections, bool complete) {
    const std::size_t devices = connections.size();
    call->accept(Value::object({{"user", call->place("user")}, {"online", devices > 0}, {"devices", devices},
                                {"connections", Value::array(std::move(connections))}, {"complete", complete}}));
  });
}

void disconnect_all(const ApiCallPointer& call, const std::vector<BroadcastOperator>& whom, bool all) {
  CountAll::run(whom, [call, whom, all](const std::vector<std::uint64_t>& counts, bool complete) {
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts) total += count;
    for (const BroadcastOperator& each : whom) {
      if (call->has("code")) {
        each.close_sockets(static_cast<std::uint16_t>(call->number("code")), call->text("reason"));
      } else {
        each.disconnect_sockets(true);
      }
    }
    call->accept(Value::object({{"user", call->place("user")}, {"disconnected", total}, {"complete", complete && all}}));
  });
}

void disconnect(const ApiContext& context, const ApiCallPointer& call) {
  context.find_namespaces(*call, [&context, call](const ApiContext::Names& names, bool complete) {
    std::vector<BroadcastOperator> whom;
    for (const std::string& name : names) whom.push_back(context.space(*call, name).to(user_room(call->place("user"))));
    disconnect_all(call, whom, complete);
  });
}

void not_available(ApiCall& call) { call.refuse(501, api_codes::kNotAvailable, "this server does not judge tokens"); }

// For one tenant where the call names one or is bound to one; the administrator of no tenant means all of them.
ApiServices::Scope scope_of(const ApiCall& call) {
  if (!call.caller.tenant && !call.has("tenant")) return std::nullopt;
  return call.tenant;
}

void answer_revocation(ApiCall& call, const Status& revoked, std::string_view name, Value value) {
  if (revoked.ok()) return call.accept(Value::object({{name, std::move(value)}}));
  const bool full = revoked.code() == StatusCode::kResourceExhausted;
  call.refuse(full ? 503 : 400, full ? api_codes::kNotAvailable : api_codes::kInvalidParameter, revoked.message());
}

void refresh(const ApiContext& context, const ApiCallPointer& call) {
  if (!context.services.refresh) return not_available(*call);
  const auto everybody = context.named_space(*call);
  if (!everybody) return;
  context.services.refresh({.tenant = call->tenant, .namespace_name = call->text("namespace"),
                            .socket = std::string(*call->body["socket"].as_string()), .token = std::string(*call->body["token"].as_string())},
                           [call](Result<Identity> judged) {
    if (judged.ok()) {
      const auto ends = judged->expires_at_s;
      return call->accept(Value::object({{"user", judged->user_id}, {"expires_at", ends ? Value(iso_time(*ends * 1000)) : Value()}}));
    }
    if (judged.status().code() == StatusCode::kNotFound) return call->refuse(404, api_codes::kNotFound, "there is no such connection");
    if (judged.status().code() == StatusCode::kDeadlineExceeded) return call->refuse(503, problems::kUnavailable, judged.status().message());
    call->refuse(400, "token_invalid", "the token is no good, or another user's");
  });
}

}  // namespace

void add_user_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table) {
  using Type = ApiParameter::Type;
  const ApiParameter code{.name = "code", .text = "A WebSocket close code of yours.", .type = Type::kInteger, .least = 4000, .most = 4999};
  table.push_back({.method = "GET", .path = "/api/v1/presence", .tag = "users", .summary = "Which users are online, with how many devices, by pages.",
                   .right = ApiRight::kRole, .role = "read",
                   .query = {namespace_parameter(), {.name = "room", .text = "In this room; of the first 10,000 connections in it."},
                             {.name = "user", .text = "Only this one.", .most = 123}, after_parameter(), limit_parameter()},
                   .answers = {{200, "{ok, users: [{user, devices}], next, complete}"}},
                   .handler = [context](const ApiCallPointer& call) { presence(*context, call); }});
  table.push_back({.method = "GET", .path = "/api/v1/users/{user}", .tag = "users", .summary = "A user and the connections of all namespaces.",
                   .right = ApiRight::kRole, .role = "read",
                   .answers = {{200, "{ok, user, online, devices, connections, complete}; at most 100 of each namespace"}},
                   .handler = [context](const ApiCallPointer& call) { show(*context, call); }});
  table.push_back({.method = "POST", .path = "/api/v1/users/{user}/disconnect", .tag = "users", .summary = "Disconnect every connection of a user.",
                   .right = ApiRight::kRole, .role = "manage",
                   .query = {code, {.name = "reason", .text = "With the code, for the client.", .most = 123}},
                   .answers = {{200, "{ok, user, disconnected, complete}"}},
                   .handler = [context](const ApiCallPointer& call) { disconnect(*context, call); }});
  table.push_back({.method = "POST", .path = "/api/v1/users/{user}/revoke", .tag = "users",
                   .summary = "Believe no token of this user that was issued up to this second, and close what came with one.",
                   .right = ApiRight::kRole, .role = "manage", .answers = {{200, "{ok, user}"}},
                   .handler = [context](const ApiCallPointer& call) {
                     if (!context->services.revoke_user) return not_available(*call);
                     const std::string& user = call->place("user");
                     answer_revocation(*call, context->services.revoke_user(scope_of(*call), user), "user", user);
                   }});
  table.push_back({.method = "POST", .path = "/api/v1/tokens/revoke", .tag = "users", .summary = "Believe this one token (its jti) no more.",
                   .right = ApiRight::kRole, .role = "manage",
                   .body = R"({"type":"object","required":["token_id"],"additionalProperties":false,"properties":{"token_id":{"type":"string","minLength":1,"maxLength":256}}})",
                   .answers = {{200, "{ok, token_id}"}},
                   .handler = [context](const ApiCallPointer& call) {
                     if (!context->services.revoke_token) return not_available(*call);
                     const std::string_view token = *call->body["token_id"].as_string();
                     answer_revocation(*call, context->services.revoke_token(scope_of(*call), token), "token_id", token);
                   }});
  table.push_back({.method = "POST", .path = "/api/v1/tokens/refresh", .tag = "users", .summary = "Give a live connection a newer token of the same user.",
                   .right = ApiRight::kRole, .role = "manage", .query = {namespace_parameter()},
                   .body = R"({"type":"object","required":["socket","token"],"additionalProperties":false,"properties":{"socket":{"type":"string","minLength":1,"maxLength":128},"token":{"type":"string","minLength":1,"maxLength":8192}}})",
                   .answers = {{200, "{ok, user, expires_at}"}, {404, "there is no such connection"}},
                   .handler = [context](const ApiCallPointer& call) { refresh(*context, call); }});
}

}  // namespace tidewire::server
