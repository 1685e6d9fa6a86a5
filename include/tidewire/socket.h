// tidewire/socket.h - one client in one namespace, whichever way it came: Socket.IO or plain WebSocket.
//
//   io.on_connection([](tidewire::Socket& socket) {
//     socket.join("lobby");
//     socket.on("say", [](tidewire::Socket& socket, std::string text, tidewire::Ack ack) {
//       socket.to("lobby").emit("said", text);
//       ack(true);
//     });
//   });
//
// A Socket is a handle: copy it to keep it. It stays valid after the disconnect; sending then does nothing.
// A listener takes, in this order and each optional: the Socket (or the Event), typed arguments or one ArgumentsView with all of
// them, an Ack. Arguments that do not fit the types: the listener is not called, `on_error` listeners hear why.
// Threads: listeners run on the socket's shard. emit(), join(), leave(), disconnect(), close(), run() and Ack may be used on any
// thread (they post). Copying, id(), connected(), nsp(), namespace_name() and dialect() are right on any thread too. Everything
// else is of the shard only: listeners, rooms(), in_room(), room_count(), data(), identity(), handshake(), address(),
// transport(), queued_bytes(). From elsewhere: run().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tidewire/arguments.h"
#include "tidewire/broadcast.h"
#include "tidewire/function.h"
#include "tidewire/identity.h"
#include "tidewire/status.h"
#include "tidewire/task.h"

namespace tidewire {

class Event;
class Namespace;
namespace hub {
class InboundEvent;
class Member;
}  // namespace hub

// Why somebody is refused, or what went wrong: connect_error shows message and data.
struct Error {
  std::string message;
  Value data = {};               // null: not sent. A plain client sees its `code`, if that is a text, as the code of the error
  std::uint16_t close_code = 0;  // with which a refused plain client is closed, 4000..4999; 0: 1008
};

// Goes on in a middleware chain: next() accepts, next(Error{...}) refuses. Call it once, now or later, on the shard. Whoever is
// on its way in and never hears is closed after Options::connect_timeout_ms; an event whose Next is dropped is lost.
class Next {
 public:
  explicit Next(UniqueFunction<void(const Error*)> call) : call_(std::move(call)) {}
  void operator()() { take()(nullptr); }
  void operator()(const Error& error) { take()(&error); }

 private:
  UniqueFunction<void(const Error*)> take() { return std::move(call_); }
  UniqueFunction<void(const Error*)> call_;
};

// The handshake as it was, parsed when asked for.
struct Handshake {
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string time;                                          // as JavaScript's Date prints it
  std::string address;
  bool xdomain = false;                                      // an Origin header came
  bool secure = false;
  std::int64_t issued = 0;                                   // milliseconds since the epoch
  std::string url;
  std::vector<std::pair<std::string, std::string>> query;    // of equal keys the last one
  Value auth;                                                // an object; {} if there was none

  std::string_view header(std::string_view lower_case_name) const noexcept;
  std::string_view query_value(std::string_view key) const noexcept;
  bool query_has(std::string_view key) const noexcept;
  Value to_value() const;
};

// The acknowledgement a peer asked for. Answers once; further calls, and answers nobody asked for, do nothing.
class Ack {
 public:
  Ack() noexcept;
  Ack(Ack&&) noexcept;
  Ack& operator=(Ack&&) noexcept;
  ~Ack();
  bool wanted() const noexcept { return state_ != nullptr; }
  template <typename... T>
  void operator()(const T&... arguments) {
    send(make_arguments(arguments...));
  }

 private:
  friend class Event;
  struct State;
  void send(const ArgumentsView& arguments);
  std::unique_ptr<State> state_;
};

using ListenerId = std::uint64_t;
using EventListener = UniqueFunction<void(Event&)>;

class Socket {
 public:
  Socket(const Socket& other) noexcept;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket other) noexcept;
  ~Socket();

  // 20 characters, public; not the secret id of the transport's session.
  std::string id() const;
  // In the namespace: not before its middleware has let it in, nor once it has left. From elsewhere a hint.
  bool connected() const noexcept;
  Namespace nsp() const;
  const std::string& namespace_name() const noexcept;
  // Parsed anew at each call: headers, query and `auth`. On the shard only; all empty once it has left.
  Handshake handshake() const;
  // The peer's address as Handshake::address has it ("127.0.0.1"; the client's behind a trusted proxy), without parsing
  // anything. On the shard only; on_disconnecting listeners still have it, afterwards it is empty.
  std::string address() const;
  // Who it is: what the authenticator said. Somebody anonymous when there is none. Never null; it stays after the disconnect.
  // On the shard only; the Identity itself is immutable and may be read anywhere.
  std::shared_ptr<const Identity> identity() const;
  // The same user with a new token, say. On the shard only.
  void set_identity(Identity identity) const;
  // "socketio" or "plain".
  std::string dialect() const;
  // "polling" or "websocket" now; empty once it has left. On the shard only.
  std::string transport() const;
  // Bytes that the peer has not taken yet: the signal for back-pressure, with on_drain(). Of the connection, which several
  // namespaces may share; 0 once it has left. On the shard only.
  std::size_t queued_bytes() const;

  // Its rooms, its own id first. All three on the shard only; none but the id once it has left.
  std::vector<std::string> rooms() const;
  bool in_room(std::string_view room) const;
  std::size_t room_count() const;  // without its own id
  // False when the room would be one more than Options::rooms_max, or the socket has left. From another thread: true, and it is
  // tried there. `beyond_bound`: for rooms that come with a socket, as that of its user; those are counted, and not refused.
  bool join(std::string_view room, bool beyond_bound = false) const;
  void join(const std::vector<std::string>& rooms) const;
  void leave(std::string_view room) const;

  // Anything the application wants to remember, and fetch_sockets() to show.
  Value& data() const;

  template <typename... T>
  void emit(std::string_view event, const T&... arguments) const {
    emit_arguments(event, make_arguments(arguments...), Mode{});
  }
  // "message" with these arguments.
  template <typename... T>
  void send(const T&... arguments) const {
    emit("message", arguments...);
  }
  // The peer's answer; kDeadlineExceeded after timeout_ms (0: Options::ack_timeout_ms), kDisconnected when it left.
  template <typename... T>
  Later<Result<Arguments>> emit_with_ack(std::string_view event, const T&... arguments) const {
    return ask(event, Arguments::of(arguments...), 0);
  }
  template <typename... T>
  Later<Result<Arguments>> emit_with_ack(std::int64_t timeout_ms, std::string_view event, const T&... arguments) const {
    return ask(event, Arguments::of(arguments...), timeout_ms);
  }
  // Dropped when the peer cannot take it now.
  template <typename... T>
  void emit_volatile(std::string_view event, const T&... arguments) const {
    emit_arguments(event, make_arguments(arguments...), Mode{.is_volatile = true});
  }
  template <typename... T>
  void emit_uncompressed(std::string_view event, const T&... arguments) const {
    emit_arguments(event, make_arguments(arguments...), Mode{.compress = false});
  }

  // Everybody but this socket, in the namespace or in rooms.
  BroadcastOperator broadcast() const;
  BroadcastOperator to(std::string_view room) const { return broadcast().to(room); }
  BroadcastOperator to(const std::vector<std::string>& rooms) const { return broadcast().to(rooms); }
  BroadcastOperator in(std::string_view room) const { return broadcast().to(room); }
  BroadcastOperator except(std::string_view room) const { return broadcast().except(room); }

  // Leaves the namespace; with `close_connection` the peer loses all its namespaces and the connection.
  void disconnect(bool close_connection = false) const;

  // Runs `task` on the socket's shard: at once when this is it, else soon. From any thread.
  void run(UniqueFunction<void(Socket&)> task) const;
  // The connection with all its namespaces, with this WebSocket close code (4000..4999) and reason; over polling neither is
  // told. 0 is disconnect(true); another code that may not be on the wire goes out as 1000. Of the reason (UTF-8, else nothing)
  // 123 bytes are sent, whole characters. From any thread.
  void close(std::uint16_t code, std::string_view reason) const;

  // Listeners of this socket alone. Those of the namespace (Namespace::on) cost nothing per socket.
  template <typename F>
  ListenerId on(std::string_view event, F&& listener) const;
  template <typename F>
  ListenerId once(std::string_view event, F&& listener) const;
  void off(std::string_view event, ListenerId listener) const;
  void off(std::string_view event) const;
  // Every event, before the listeners by name.
  ListenerId on_any(EventListener listener) const;
  ListenerId prepend_any(EventListener listener) const;
  void off_any(ListenerId listener) const;
  void off_any() const;
  std::size_t any_count() const;
  // Every event to this socket, broadcasts too.
  using OutgoingListener = UniqueFunction<void(Socket&, std::string_view event, const ArgumentsView&)>;
  ListenerId on_any_outgoing(OutgoingListener listener) const;
  ListenerId prepend_any_outgoing(OutgoingListener listener) const;
  void off_any_outgoing(ListenerId listener) const;
  void off_any_outgoing() const;
  // Per packet, in order; may change the event (Event::replace) or stop it with an Error, which on_error listeners hear.
  void use(UniqueFunction<void(Event&, Next)> middleware) const;
  void on_error(UniqueFunction<void(Socket&, const Error&)> listener) const;
  // The rooms are still there.
  void on_disconnecting(UniqueFunction<void(Socket&, DisconnectReason)> listener) const;
  void on_disconnect(UniqueFunction<void(Socket&, DisconnectReason)> listener) const;
  // The peer takes bytes again after it had stopped.
  void on_drain(UniqueFunction<void(Socket&)> listener) const;

  friend bool operator==(const Socket& a, const Socket& b) noexcept { return a.member_ == b.member_; }

  // For the engine.
  explicit Socket(hub::Member& member) noexcept;
  hub::Member& member() const noexcept { return *member_; }

 private:
  struct Mode {
    bool is_volatile = false;
    bool compress = true;
  };
  void emit_arguments(std::string_view event, const ArgumentsView& arguments, Mode mode) const;
  Later<Result<Arguments>> ask(std::string_view event, Arguments arguments, std::int64_t timeout_ms) const;
  ListenerId add_listener(std::string_view event, EventListener listener, bool once) const;

  hub::Member* member_;  // counted; null only after a move
};

// An event on its way to its listeners. Dies with the call: take_ack() and copy the arguments to answer later.
class Event {
 public:
  explicit Event(hub::InboundEvent& inbound) noexcept;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  Socket& socket() noexcept { return socket_; }
  std::string_view name() const noexcept;
  const ArgumentsView& arguments() const noexcept;
  bool wants_ack() const noexcept;
  template <typename... T>
  void ack(const T&... arguments) {
    send_ack(make_arguments(arguments...));
  }
  Ack take_ack();
  // What the next middleware and the listeners see instead. The bytes must outlive the event.
  void replace(std::string_view name, const ArgumentsView& arguments) noexcept;
  // Tells the socket's on_error listeners.
  void report(const Status& status);

 private:
  void send_ack(const ArgumentsView& arguments);
  hub::InboundEvent& inbound_;
  Socket socket_;
};

// A socket seen from elsewhere, on whatever shard it lives. Threads: any.
class RemoteSocket {
 public:
  std::string id;
  std::vector<std::string> rooms;
  Handshake handshake;
  Value data;
  std::shared_ptr<const Identity> identity;  // never null
  std::string dialect;                       // "socketio" or "plain"
  std::string transport;

  template <typename... T>
  void emit(std::string_view event, const T&... arguments) const {
    self().emit(event, arguments...);
  }
  void join(std::string_view room) const { self().sockets_join(room); }
  void leave(std::string_view room) const { self().sockets_leave(room); }
  void disconnect(bool close_connection = false) const { self().disconnect_sockets(close_connection); }

 private:
  friend class BroadcastOperator;
  explicit RemoteSocket(BroadcastOperator everybody) : everybody_(std::move(everybody)) {}
  BroadcastOperator self() const { return everybody_.to(id); }
  BroadcastOperator everybody_;
};

struct SocketsPage {
  std::vector<RemoteSocket> sockets;
  bool more = false;     // there are ids above the last one
  bool complete = true;  // every shard answered within 2 s
};

namespace detail {

// From a callable to EventListener: what its parameters are says what it wants.
template <typename F>
struct Signature : Signature<decltype(&F::operator())> {};
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...) const> {
  using Return = R;
  using Parameters = std::tuple<std::remove_cvref_t<A>...>;
};
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...)> : Signature<R (C::*)(A...) const> {};
template <typename R, typename C, typename... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (C::*)(A...) const> {};
template <typename R, typename... A>
struct Signature<R (*)(A...)> {
  using Return = R;
  using Parameters = std::tuple<std::remove_cvref_t<A>...>;
};

template <typename T>
inline constexpr bool kIsPayload = !std::is_same_v<T, Socket> && !std::is_same_v<T, Ack> && !std::is_same_v<T, Event> &&
                                   !std::is_same_v<T, ArgumentsView>;

template <typename Parameters, std::size_t... I>
constexpr auto payload_types(std::index_sequence<I...>) {
  return std::tuple_cat(std::conditional_t<kIsPayload<std::tuple_element_t<I, Parameters>>,
                                           std::tuple<std::type_identity<std::tuple_element_t<I, Parameters>>>, std::tuple<>>()...);
}

template <typename Tuple>
struct ReadAs;
template <typename... T>
struct ReadAs<std::tuple<std::type_identity<T>...>> {
  static Result<std::tuple<T...>> from(const ArgumentsView& arguments) { return arguments.as<T...>(); }
};

// The I-th parameter of the listener; `payload` counts how many payload parameters stand before it.
template <typename Parameters, std::size_t I>
constexpr std::size_t payload_index() {
  return []<std::size_t... J>(std::index_sequence<J...>) {
    return (std::size_t{0} + ... + (kIsPayload<std::tuple_element_t<J, Parameters>> ? 1 : 0));
  }(std::make_index_sequence<I>());
}
template <typename Parameters, std::size_t I, typename Values>
decltype(auto) parameter(Event& event, Ack& ack, Values& values) {
  using P = std::tuple_element_t<I, Parameters>;
  if constexpr (std::is_same_v<P, Socket>) {
    return (event.socket());
  } else if constexpr (std::is_same_v<P, Event>) {
    return (event);
  } else if constexpr (std::is_same_v<P, ArgumentsView>) {
    return (event.arguments());
  } else if constexpr (std::is_same_v<P, Ack>) {
    return std::move(ack);
  } else {
    return std::move(std::get<payload_index<Parameters, I>()>(values));
  }
}

template <typename F>
EventListener make_listener(F&& callable) {
  if constexpr (std::is_same_v<std::remove_cvref_t<F>, EventListener>) {
    return std::forward<F>(callable);
  } else {
    using Parameters = typename Signature<std::decay_t<F>>::Parameters;
    constexpr auto kIndices = std::make_index_sequence<std::tuple_size_v<Parameters>>();
    using Payload = decltype(payload_types<Parameters>(kIndices));
    return [callable = std::forward<F>(callable)](Event& event) mutable {
      auto values = ReadAs<Payload>::from(event.arguments());
      if (!values.ok()) {
        event.report(values.status());
        return;
      }
      Ack ack;
      constexpr bool kWantsAck = []<std::size_t... I>(std::index_sequence<I...>) {
        return (false || ... || std::is_same_v<std::tuple_element_t<I, Parameters>, Ack>);
      }(std::make_index_sequence<std::tuple_size_v<Parameters>>());
      if constexpr (kWantsAck) ack = event.take_ack();
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        // A Task that is dropped runs to its end by itself.
        static_cast<void>(callable(parameter<Parameters, I>(event, ack, *values)...));
      }(std::make_index_sequence<std::tuple_size_v<Parameters>>());
    };
  }
}

}  // namespace detail

template <typename F>
ListenerId Socket::on(std::string_view event, F&& listener) const {
  return add_listener(event, detail::make_listener(std::forward<F>(listener)), false);
}
template <typename F>
ListenerId Socket::once(std::string_view event, F&& listener) const {
  return add_listener(event, detail::make_listener(std::forward<F>(listener)), true);
}

}  // namespace tidewire
