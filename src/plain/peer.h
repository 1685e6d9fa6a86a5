// plain/peer.h - one plain WebSocket client: a connection that is one member of one namespace.
//
//   websocket::Connection --text/binary--> Peer --admit/dispatch/acknowledged/leave--> hub::Hub
//                         <--- frames ----- (hub::Sink)
//
// Life: made by an upgrade, admitted to the namespace of its query, frees itself at the end of the turn in which it ended.
// What breaks the grammar is answered by an `error` envelope, and the connection stays: a person may be typing.
// Heartbeat: a WebSocket ping every ping_interval_ms; no byte at all within ping_timeout_ms of it ends the connection
//   (4012).
// Limits: over the soft limit of the out-queue volatile messages are dropped; the rest is net/slow_peer.h, with 4008. Before the admission little is taken from it, and it ends
//   (1008) when nobody decides about it within admission_timeout_ms.
// Threads: its shard only. Memory: see the static_assert in the .cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "plain/dialect.h"
#include "plain/endpoint.h"
#include "websocket/connection.h"

namespace tidewire::plain {

class Peer final : public websocket::Listener, public hub::Sink, private base::Timer {
 public:
  // Answers the upgrade request, with a refusal of websocket/ or with a peer that owns itself.
  static void open(Endpoint& endpoint, const Dialect& dialect, http::Exchange& exchange);
  ~Peer() override = default;

  // Does not take what waits for it.
  bool stalled() const noexcept;
  // Ends it as slow, at the end of the turn.
  void give_up();
  // Leaves its rooms and closes the connection. Does nothing once that has begun.
  void end(DisconnectReason reason, std::uint16_t close_code, std::string_view text);

  // websocket::Listener
  void on_text(websocket::Connection& connection, std::span<char> message) override;
  void on_binary(websocket::Connection& connection, std::span<char> message) override;
  void on_drained(websocket::Connection& connection) override;
  void on_closed(websocket::Connection& connection, std::uint16_t code, std::string_view reason, bool by_us) override;

  // hub::Sink
  void send(const base::Frame& frame, base::Lane lane) override;
  bool writable() const noexcept override;
  std::size_t queued_bytes() const noexcept override;
  void disconnect(hub::Member& member, const hub::Ending& ending) override;
  hub::ConnectionFacts facts() const override;
  std::string address() const override;

 private:
  struct Entry;  // the namespace has not answered yet

  Peer(Endpoint& endpoint, const Dialect& dialect, const http::Request& request);
  void enter(const std::string& namespace_name);
  void refused(const hub::Refusal& refusal);
  // Events from before the admission, in order.
  void deliver_waiting();

  void wait(std::span<const char> message, bool binary);
  void take_text(std::span<char> message);
  void take_binary(std::string_view message);
  void dispatch(const Envelope& envelope);
  void change_room(const Envelope& envelope);
  void take_ack(const Envelope& envelope);
  void reject(const Envelope& envelope, EnvelopeError error);
  void log_invalid(EnvelopeError error);
  void acknowledge(std::string_view id);

  void expired(base::Milliseconds now) override;
  void arm();
  void heartbeat(base::Milliseconds now);
  void over_soft_limit(std::size_t frame_bytes);
  void end_slow();
  void depart(DisconnectReason reason);

  Endpoint& endpoint_;
  const Dialect& dialect_;
  websocket::Connection* connection_ = nullptr;  // null at the end
  std::shared_ptr<Entry> entry_;                 // until the namespace has answered
  hub::MemberRef member_;                        // from then on
  const std::string head_;                       // the raw head of the upgrade request
  const std::int64_t issued_ms_;
  base::Milliseconds due_ = 0;                   // of the next ping, or of a sign of life after the last one
  bool pinged_ = false;
  bool over_soft_ = false;
  bool slow_ = false;                            // end_slow() is deferred
  bool ended_ = false;
};

}  // namespace tidewire::plain
