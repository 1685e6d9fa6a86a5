// tidewire/broadcast.h - whom an event is for: a chain of conditions, then one emit.
//
//   io.to("room1").to("room2").except("muted").emit("news", 42);
//   socket.to("room1").volatile_().emit("cursor", x, y);            // everybody in room1 but the socket itself
//   io.timeout(2'000).emit_with_ack("ready?").then([](tidewire::BroadcastAnswers answers) { ... });
//
// Immutable: each step makes a new operator, so a prefix may be kept and used again. A socket's id is a room.
// Threads: any. On a shard the local fan-out is done when emit() returns; elsewhere it is posted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidewire/arguments.h"
#include "tidewire/status.h"
#include "tidewire/task.h"

namespace tidewire {

class Core;
class RemoteSocket;
class Socket;
namespace hub {
class NamespaceDefinition;
struct MemberSnapshot;
}

struct BroadcastAnswers {
  Status status;                   // kDeadlineExceeded: somebody did not answer in time
  std::vector<Arguments> answers;  // of those who did
};

// A page of a long list: the `limit` names above `after`, bytewise.
struct Page {
  std::string after = {};   // the last name of the page before; empty: from the first on
  std::string prefix = {};  // rooms: names that begin with it
  std::size_t limit = 100;  // 1..1000
};
struct RoomCount {
  std::string name;
  std::uint64_t members = 0;
};
struct RoomsPage {
  std::vector<RoomCount> rooms;
  bool more = false;        // there are names above the last one
  bool complete = true;     // every shard answered within 2 s
};
struct SocketsPage;
struct SocketsCount {
  std::uint64_t count = 0;  // on the shards that answered
  bool complete = true;     // every shard answered within 2 s
};

// The arguments of an emit as they are handed down: one view is passed on verbatim, everything else is written once.
template <typename... T>
Arguments make_arguments(const T&... values) {
  return Arguments::of(values...);
}
inline const ArgumentsView& make_arguments(const ArgumentsView& arguments) { return arguments; }

// Rooms are any bytes, compared as they are. Names are bounded (128 bytes) only where clients choose them, so a longer one, or
// one that no room has, is a room that nobody is in: to() such a room alone means nobody, except() it changes nothing.
class BroadcastOperator {
 public:
  // Whoever is in one of the rooms of all to() together. Without any, and with empty lists only: everybody.
  BroadcastOperator to(std::string_view room) const;
  BroadcastOperator to(const std::vector<std::string>& rooms) const;
  BroadcastOperator in(std::string_view room) const { return to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return to(rooms); }
  // Without whoever is in one of these, also when to() means it.
  BroadcastOperator except(std::string_view room) const;
  BroadcastOperator except(const std::vector<std::string>& rooms) const;
  // Dropped for whoever cannot take it now.
  BroadcastOperator volatile_() const;
  BroadcastOperator compress(bool on) const;
  // This node only.
  BroadcastOperator local() const;
  // Of that tenant instead of the one without a name.
  BroadcastOperator tenant(std::string_view name) const;
  // For emit_with_ack(). 0 and less: Options::ack_timeout_ms. At most a century.
  BroadcastOperator timeout(std::int64_t ms) const;

  template <typename... T>
  void emit(std::string_view event, const T&... arguments) const {
    emit_arguments(event, make_arguments(arguments...));
  }
  // An empty list at once when nobody is meant.
  template <typename... T>
  Later<BroadcastAnswers> emit_with_ack(std::string_view event, const T&... arguments) const {
    return ask(event, Arguments::of(arguments...));
  }

  // Sockets of every shard; those of a shard that does not answer within 2 s are missing.
  Later<std::vector<RemoteSocket>> fetch_sockets() const;
  // The same page by page, in the order of their ids.
  Later<SocketsPage> fetch_sockets(Page page) const;
  // Rooms of the namespace that somebody is in, in the order of their names, whoever is meant.
  Later<RoomsPage> fetch_rooms(Page page) const;
  Later<SocketsCount> count_sockets() const;
  // Calls `task` for each, on its shard, which is also where it may look at the socket's rooms and data; answers how many they
  // were. `task` runs on several shards at once; on one that did not answer in time it may still run later.
  Later<SocketsCount> for_each(std::function<void(Socket&)> task) const;
  void sockets_join(std::string_view room) const { sockets_join(std::vector<std::string>{std::string(room)}); }
  void sockets_join(std::vector<std::string> rooms) const;
  void sockets_leave(std::string_view room) const { sockets_leave(std::vector<std::string>{std::string(room)}); }
  void sockets_leave(std::vector<std::string> rooms) const;
  void disconnect_sockets(bool close_connections = false) const { end_sockets(close_connections, 0, {}); }
  // Their connections, with this WebSocket close code (4000..4999) and reason, see Socket::close().
  void close_sockets(std::uint16_t code, std::string_view reason) const { end_sockets(true, code, reason); }

 private:
  friend class Namespace;
  friend class Socket;
  friend class RemoteSocket;
  BroadcastOperator(Core& core, std::shared_ptr<hub::NamespaceDefinition> space) : core_(&core), space_(std::move(space)) {}
  RemoteSocket remote(hub::MemberSnapshot& member, const std::shared_ptr<hub::NamespaceDefinition>& space) const;
  void end_sockets(bool close_connections, std::uint16_t code, std::string_view reason) const;
  void emit_arguments(std::string_view event, const ArgumentsView& arguments) const;
  Later<BroadcastAnswers> ask(std::string_view event, Arguments arguments) const;

  Core* core_;
  std::shared_ptr<hub::NamespaceDefinition> space_;
  std::string tenant_;
  std::vector<std::string> rooms_;
  std::vector<std::string> except_;
  std::int64_t timeout_ms_ = 0;
  bool is_volatile_ = false;
  bool compress_ = true;
};

}  // namespace tidewire
