// tidewire/namespace.h - a namespace: who may come in, what its sockets may say, and emits to all of them.
//
// A Namespace is a handle, cheap to copy. Server is the namespace "/" and everything else.
// Threads: declare (use, on, on_connection, ...) before the server starts; emit from any thread at any time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidewire/broadcast.h"
#include "tidewire/socket.h"

namespace tidewire {

class Namespace {
 public:
  const std::string& name() const noexcept;

  // Who may come in: middlewares in order, each accepts with next() or refuses with next(Error{...}), now or later.
  void use(UniqueFunction<void(Socket&, Next)> middleware) const;
  // Called for each socket that is in; the peer knows already. May be a coroutine.
  template <typename F>
  void on_connection(F&& listener) const {
    add_connection_listener([listener = std::forward<F>(listener)](Socket& socket) mutable {
      static_cast<void>(listener(socket));
    });
  }

  // Listeners for every socket of the namespace: declared once, free per socket.
  template <typename F>
  void on(std::string_view event, F&& listener) const {
    add_listener(event, detail::make_listener(std::forward<F>(listener)));
  }
  void on_any(EventListener listener) const;
  // Events that nobody listens to by name or as a catch-all.
  void on_unheard(EventListener listener) const;
  void on_error(UniqueFunction<void(Socket&, const Error&)> listener) const;
  void on_disconnecting(UniqueFunction<void(Socket&, DisconnectReason)> listener) const;
  void on_disconnect(UniqueFunction<void(Socket&, DisconnectReason)> listener) const;

  // Operators, see tidewire/broadcast.h.
  BroadcastOperator everybody() const { return BroadcastOperator(*core_, definition_); }
  BroadcastOperator to(std::string_view room) const { return everybody().to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return everybody().to(rooms); }
  BroadcastOperator in(std::string_view room) const { return everybody().to(room); }
  BroadcastOperator in(const std::vector<std::string>& rooms) const { return everybody().to(rooms); }
  BroadcastOperator except(std::string_view room) const { return everybody().except(room); }
  BroadcastOperator except(const std::vector<std::string>& rooms) const { return everybody().except(rooms); }
  BroadcastOperator volatile_() const { return everybody().volatile_(); }
  BroadcastOperator compress(bool on) const { return everybody().compress(on); }
  BroadcastOperator local() const { return everybody().local(); }
  BroadcastOperator timeout(std::int64_t ms) const { return everybody().timeout(ms); }
  BroadcastOperator tenant(std::string_view name) const { return everybody().tenant(name); }

  template <typename... T>
  void emit(std::string_view event, const T&... arguments) const {
    everybody().emit(event, arguments...);
  }
  template <typename... T>
  void send(const T&... arguments) const {
    everybody().emit("message", arguments...);
  }
  template <typename... T>
  Later<BroadcastAnswers> emit_with_ack(std::string_view event, const T&... arguments) const {
    return everybody().emit_with_ack(event, arguments...);
  }
  Later<std::vector<RemoteSocket>> fetch_sockets() const { return everybody().fetch_sockets(); }
  void sockets_join(std::string_view room) const { everybody().sockets_join(room); }
  void sockets_leave(std::string_view room) const { everybody().sockets_leave(room); }
  void disconnect_sockets(bool close_connections = false) const { everybody().disconnect_sockets(close_connections); }

  // To the other servers of the cluster, not to this one: with one node there is nobody to hear it.
  template <typename... T>
  void server_side_emit(std::string_view event, const T&... arguments) const {
    emit_to_servers(event, Arguments::of(arguments...));
  }
  // The other servers' answers: with one node an empty list at once.
  template <typename... T>
  Later<BroadcastAnswers> server_side_emit_with_ack(std::string_view event, const T&... arguments) const {
    return ask_servers(event, Arguments::of(arguments...));
  }

  // For the engine.
  Namespace(Core& core, std::shared_ptr<hub::NamespaceDefinition> definition)
      : core_(&core), definition_(std::move(definition)) {}

 protected:
  void add_connection_listener(UniqueFunction<void(Socket&)> listener) const;
  void add_listener(std::string_view event, EventListener listener) const;
  void emit_to_servers(std::string_view event, Arguments arguments) const;
  Later<BroadcastAnswers> ask_servers(std::string_view event, Arguments arguments) const;

  Core* core_;
  std::shared_ptr<hub::NamespaceDefinition> definition_;
};

}  // namespace tidewire
