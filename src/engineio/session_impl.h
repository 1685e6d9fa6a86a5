// engineio/session_impl.h - the session behind session.h: heartbeat, limits, upgrade, close.
//
//   open --close()--> closing: what is queued still leaves, 30 s at most --> gone
//        --the transport ends by itself------------------------------------> gone
//
// One timer slot serves the heartbeat, the first request after the handshake, the age limit of what waits for a poll, and
// the end of `closing`: it stands on the nearest of them.
// Heartbeat: a ping goes out ping_interval after the last pong; no pong within ping_timeout ends the session, unless packets
//   came since the ping: a peer that is visibly talking (a pong may be stuck behind its long message, or we have paused
//   reading from it) is given another ping_timeout. Any later silence still ends it.
// Limits: net/slow_peer.h; whoever is given up ends with kSlowConsumer.
// Memory: see the static_assert; besides this, its transport and the handshake's head, an idle session owns nothing.
#pragma once

#include <memory>

#include "base/timer_wheel.h"
#include "engineio/session.h"
#include "engineio/sid.h"
#include "engineio/transport.h"
#include "engineio/upgrade.h"

namespace tidewire::engineio {

class SessionImpl final : public Session, public TransportUser, private base::Timer {
 public:
  SessionImpl(EngineContext& context, const Sid& sid, Handshake handshake);
  ~SessionImpl();

  // Begins on a WebSocket, or waiting for polls. Call one, once, before anything else.
  void begin_websocket(websocket::Connection& connection);
  void begin_polling();

  bool open() const noexcept { return state_ == State::kOpen; }
  bool on_polling() const noexcept { return polling_; }
  Transport& transport() noexcept { return *transport_; }
  // A request of this session has come.
  void request_seen();
  bool returned() const noexcept { return requested_; }
  // It has not come back after its handshake.
  void end_unreturned();
  // What such a session costs.
  std::size_t idle_bytes() const noexcept;
  // Of one message; of a POST's body.
  std::size_t message_bytes_max() const noexcept;
  const websocket::Options& websocket_options() const noexcept;
  // The peer does not take what waits for it.
  bool stalled() const noexcept { return state_ == State::kOpen && !slow_ && transport_->stalled(); }
  // Ends it as slow, at the end of the turn.
  void give_up();
  // REQUIRES: may_upgrade()
  void begin_upgrade(websocket::Connection& connection);
  bool may_upgrade() const noexcept { return open() && polling_ && upgrade_ == nullptr; }

  const Sid& sid() const noexcept override { return sid_; }
  std::string sid_text() const override { return engineio::sid_text(sid_); }
  net::Reactor& reactor() noexcept override { return context_.reactor; }
  const Handshake& handshake() const noexcept override { return handshake_; }
  std::string_view transport_name() const noexcept override { return transport_->name(); }
  std::string_view current_request_head() const noexcept override;
  void send(const base::Frame& frame, base::Lane lane) override;
  void send_text(std::string_view message) override;
  void send_binary(std::string_view message) override;
  std::size_t queued_bytes() const noexcept override { return transport_->queued_bytes(); }
  bool writable() const noexcept override;
  void set_admitted() override;
  void close(CloseReason reason, std::uint16_t websocket_code, std::string_view text) override;

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kGone };

  void on_packet(std::span<char> packet) override;
  void on_binary_message(std::span<char> message) override;
  void on_waiting() override { arm(); }
  void on_transport_drained() override;
  void on_transport_closed(CloseReason reason) override;
  void on_transport_finished() override { leave(); }
  void on_upgrade_probed() override { transport_->set_upgrading(true); }
  void on_upgrade_tick() override { transport_->release_waiting_request(); }
  void on_upgrade_done(websocket::Connection& connection) override;
  void on_upgrade_failed() override;

  void expired(base::Milliseconds now) override;
  void begin(std::unique_ptr<Transport> transport);
  void arm();
  base::Milliseconds first_request_due() const noexcept;
  void heartbeat(base::Milliseconds now);
  void pong();
  void deliver_base64(std::span<char> packet);
  void over_soft_limit(std::size_t queued, std::size_t frame_bytes);
  void end_slow();
  // Ends without grace: the transport is discarded.
  void end(CloseReason reason, std::uint16_t websocket_code, std::string_view last_packet);
  void closed(CloseReason reason, std::uint16_t websocket_code, std::string_view text);
  void leave();
  void bury_upgrade();

  EngineContext& context_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Upgrade> upgrade_;
  const Handshake handshake_;
  base::Milliseconds due_ = 0;  // of the next ping, or of the pong to the last one
  const Sid sid_;
  State state_ = State::kOpen;
  bool polling_ : 1 = false;
  bool pong_due_ : 1 = false;
  bool heard_ : 1 = false;       // a packet has come since the last ping
  bool requested_ : 1 = false;   // the peer has come back after the handshake
  bool over_soft_ : 1 = false;
  bool slow_ : 1 = false;        // end_slow() is deferred
  bool admitted_ : 1 = false;
};

static_assert(sizeof(SessionImpl) <= 200);

}  // namespace tidewire::engineio
