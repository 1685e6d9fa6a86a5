#include "server/api_connections.h"

#include <algorithm>

#include "server/api_gather.h"
#include "server/room_rules.h"

namespace tidewire::server {
namespace {

// The socket of the path, or a refusal: `found` runs only if it is there. An id is a room, but not every room is an id.
void with_socket(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call,
                 std::function<void(const RemoteSocket&, const std::string& space, const BroadcastOperator& self)> found) {
  const auto everybody = context->named_space(*call);
  if (!everybody) return;
  const std::string id = call->place("socket");
  const BroadcastOperator self = everybody->to(id);
  self.fetch_sockets(Page{.limit = 1}).then([call, id, self, found = std::move(found)](SocketsPage page) {
    if (page.sockets.empty() || page.sockets[0].id != id) {
      return call->refuse(404, api_codes::kNotFound, "there is no such connection");
    }
    found(page.sockets[0], call->text("namespace"), self);
  });
}

void list(const std::shared_ptr<ApiContext>& context, const ApiCallPointer& call) {
  const auto everybody = context->named_space(*call);
  if (!everybody) return;
  const std::string user = call->text("user");
  answer_connections(call, call->text("namespace"), user.empty() ? *everybody : everybody->to(user_room(user)));
}

void disconnect(const ApiCallPointer& call, const BroadcastOperator& self) {
  if (call->has("code")) {
    self.close_sockets(static_cast<std::uint16_t>(call->number("code")), call->text("reason"));
  } else {
    self.disconnect_sockets(true);
  }
  call->accept(Value::object({{"disconnected", 1}}));
}

}  // namespace

Value connection_value(const RemoteSocket& socket, const std::string& namespace_name) {
  std::vector<Value> rooms;
  for (const std::string& room : socket.rooms) {
    if (room != socket.id) rooms.emplace_back(room);
  }
  const Identity& who = *socket.identity;
  std::vector<Value> roles(who.roles.begin(), who.roles.end());
  return Value::object({{"id", socket.id}, {"namespace", namespace_name}, {"user", who.anonymous() ? Value() : Value(who.user_id)},
                        {"name", who.name.empty() ? Value() : Value(who.name)}, {"roles", Value::array(std::move(roles))},
                        {"dialect", socket.dialect}, {"transport", socket.transport}, {"address", socket.handshake.address},
                        {"connected_at", iso_time(socket.handshake.issued)}, {"rooms", Value::array(std::move(rooms))}});
}

ApiParameter after_parameter() {
  return {.name = "after", .text = "The `next` of the page before.", .most = 256};
}
ApiParameter limit_parameter() {
  return {.name = "limit", .text = "How many at most.", .type = ApiParameter::Type::kInteger, .least = 1, .most = 1000, .otherwise = "100"};
}
ApiParameter namespace_parameter() {
  return {.name = "namespace", .text = "Of which namespace.", .most = 256, .otherwise = "/"};
}
Page page_of(const ApiCall& call) {
  return {.after = call.text("after"), .prefix = {}, .limit = static_cast<std::size_t>(call.number("limit"))};
}

void answer_connections(const ApiCallPointer& call, const std::string& namespace_name, const BroadcastOperator& whom) {
  whom.fetch_sockets(page_of(*call)).then([call, namespace_name](SocketsPage page) {
    std::vector<Value> connections;
    for (const RemoteSocket& socket : page.sockets) connections.push_back(connection_value(socket, namespace_name));
    const Value next = page.more && !page.sockets.empty() ? Value(page.sockets.back().id) : Value();
    call->accept(Value::object({{"connections", Value::array(std::move(connections))}, {"next", next}, {"complete", page.complete}}));
  });
}

void connections_of_user(const ApiContext& context, const ApiCallPointer& call, const std::string& user,
                         UniqueFunction<void(std::vector<Value> connections, bool complete)> done) {
  context.find_namespaces(*call, [&context, call, user, done = std::move(done)](ApiContext::Names names, bool complete) mutable {
    std::vector<BroadcastOperator> whom;
    for (const std::string& name : names) whom.push_back(context.space(*call, name).to(user_room(user)));
    Gathered<SocketsPage>::run(
        whom.size(), [&whom](std::size_t i) { return whom[i].fetch_sockets(Page{.limit = kUserConnectionsMax}); },
        [names = std::move(names), complete, done = std::move(done)](std::vector<SocketsPage> pages) mutable {
          std::vector<Value> found;
          for (std::size_t i = 0; i < pages.size(); ++i) {
            for (const RemoteSocket& socket : pages[i].sockets) found.push_back(connection_value(socket, names[i]));
            complete = complete && pages[i].complete;
          }
          done(std::move(found), complete);
        });
  });
}

void add_connection_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table) {
  using Type = ApiParameter::Type;
  table.push_back({.method = "GET", .path = "/api/v1/connections", .tag = "connections", .summary = "Connections in the order of their ids, by pages.",
                   .right = ApiRight::kRole, .role = "read",
                   .query = {namespace_parameter(), {.name = "user", .text = "Of this user only.", .most = 123}, after_parameter(), limit_parameter()},
                   .answers = {{200, "{ok, connections, next, complete}; next is null on the last page"}},
                   .handler = [context](const ApiCallPointer& call) { list(context, call); }});
  table.push_back({.method = "GET", .path = "/api/v1/connections/{socket}", .tag = "connections", .summary = "One connection.",
                   .right = ApiRight::kRole, .role = "read", .query = {namespace_parameter()},
                   .answers = {{200, "{ok, connection}"}, {404, "there is no such connection"}},
                   .handler = [context](const ApiCallPointer& call) {
                     with_socket(context, call, [call](const RemoteSocket& socket, const std::string& space, const BroadcastOperator&) {
                       call->accept(Value::object({{"connection", connection_value(socket, space)}}));
                     });
                   }});
  table.push_back({.method = "DELETE", .path = "/api/v1/connections/{socket}", .tag = "connections", .summary = "Disconnect one connection.",
                   .right = ApiRight::kRole, .role = "manage",
                   .query = {namespace_parameter(),
                             {.name = "code", .text = "A WebSocket close code of yours.", .type = Type::kInteger, .least = 4000, .most = 4999},
                             {.name = "reason", .text = "With the code, for the client.", .most = 123}},
                   .answers = {{200, "{ok, disconnected}"}, {404, "there is no such connection"}},
                   .handler = [context](const ApiCallPointer& call) {
                     with_socket(context, call, [call](const RemoteSocket&, const std::string&, const BroadcastOperator& self) {
                       disconnect(call, self);
                     });
                   }});
}

}  // namespace tidewire::server
