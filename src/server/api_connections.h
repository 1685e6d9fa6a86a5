// server/api_connections.h - how a socket is shown to back ends: who, where, how; never what it came with.
//
// Headers, cookies, the query (it may hold a token), the auth payload and the application's data are never in an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/api.h"
#include "tidewire/socket.h"

namespace tidewire::server {

Value connection_value(const RemoteSocket& socket, const std::string& namespace_name);

// "after" and "limit" of the call.
Page page_of(const ApiCall& call);
ApiParameter after_parameter();
ApiParameter limit_parameter();
ApiParameter namespace_parameter();

// {connections, next, complete} of whom this means.
void answer_connections(const ApiCallPointer& call, const std::string& namespace_name, const BroadcastOperator& whom);

// Every socket of a user in every namespace, at most kUserConnectionsMax of each.
inline constexpr std::size_t kUserConnectionsMax = 100;
void connections_of_user(const ApiContext& context, const ApiCallPointer& call, const std::string& user,
                         UniqueFunction<void(std::vector<Value> connections, bool complete)> done);

}  // namespace tidewire::server
