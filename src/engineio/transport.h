// engineio/transport.h - the seam between a session and the way its packets take.
//
//   Session  -- send(frame) -->  Transport  --> peer
//            <-- TransportUser --
//
// Frames go down in WebSocket form, packets come up without their wrapping. To add a transport: one file pair that
// implements Transport, one line in kTransports (transport.cc), one instantiation of transport_contract_test.cc.
// Life: owned by the session. A transport is freed by Reactor::defer() only, never from inside a call, so a call it deferred
// itself before that still finds it. Threads: its shard only.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/frame.h"
#include "base/out_queue.h"
#include "engineio/server.h"
#include "engineio/session.h"
#include "http/exchange.h"
#include "net/reactor.h"
#include "net/slow_peer.h"
#include "websocket/connection.h"

namespace tidewire::engineio {

class SessionImpl;

// Who keeps the sessions.
class SessionOwner {
 public:
  // The listener is about to hear on_closed.
  virtual void session_closed(SessionImpl& session) = 0;
  // Nothing of it is needed any more: forget its sid, free it at the end of the turn.
  virtual void session_gone(SessionImpl& session) = 0;
  virtual void session_upgraded(SessionImpl& session) = 0;
  // Its first request after the handshake.
  virtual void session_returned(SessionImpl& session) = 0;
  virtual void session_slow(SessionImpl& session) = 0;

 protected:
  ~SessionOwner() = default;
};

class Transport;

// What all sessions of a shard share; it outlives them all.
struct EngineContext {
  // Immutable after construction.
  net::Reactor& reactor;
  const Options options;
  const net::SlowPeerRule slow_peers;
  const websocket::Options websocket_options;
  const websocket::Options first_websocket_options;  // until the session is admitted
  SessionOwner& owner;
  const base::Frame ping;
  // Shard-local. Who takes which POST that has not been answered: when a body is refused, its request's bytes may be gone.
  absl::flat_hash_map<const http::Exchange*, Transport*> posts = {};
};

// Who stands above a transport, and above an upgrade on its way to become one.
class TransportUser {
 public:
  // A text packet, type digit included; the bytes may be changed in place.
  virtual void on_packet(std::span<char> packet) = 0;
  virtual void on_binary_message(std::span<char> message) = 0;
  // Bytes wait because the peer does not take them: the age limit begins to count.
  virtual void on_waiting() = 0;
  // All that had waited has left.
  virtual void on_transport_drained() = 0;
  // Over without our doing.
  virtual void on_transport_closed(CloseReason reason) = 0;
  // What finish() had to leave behind has left.
  virtual void on_transport_finished() = 0;

  virtual void on_upgrade_probed() = 0;
  virtual void on_upgrade_tick() = 0;
  virtual void on_upgrade_done(websocket::Connection& connection) = 0;
  virtual void on_upgrade_failed() = 0;

 protected:
  ~TransportUser() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual std::string_view name() const noexcept = 0;

  // Takes the frame on its way. Returns the bytes now waiting, the frame included.
  virtual std::size_t send(const base::Frame& frame, base::Lane lane) = 0;
  virtual std::size_t queued_bytes() const noexcept = 0;
  // The peer takes bytes at once and none wait.
  virtual bool writable() const noexcept = 0;
  // Bytes wait because the peer does not take them.
  virtual bool stalled() const noexcept = 0;
  // Since when; 0 if none do.
  virtual base::Milliseconds waiting_since() const noexcept = 0;
  virtual void set_reading_paused(bool paused) { static_cast<void>(paused); }
  virtual bool reading_paused() const noexcept { return false; }
  // The peer is admitted: the bounds of messages are these.
  virtual void set_bounds(const websocket::Options& options) { static_cast<void>(options); }
  // Forgets what waits, but for a frame that has begun to leave; more of that than `begun_bytes_max` ends the stream.
  virtual void drop_pending(std::size_t begun_bytes_max) { static_cast<void>(begun_bytes_max); }

  // Sends what is queued and the end. True when nothing is left to do here; else on_transport_finished() follows.
  // No packet is handed up afterwards.
  virtual bool finish(std::uint16_t websocket_code, std::string_view text) = 0;
  // Ends now, without what is queued. `last_packet` is for a peer that waits for an answer.
  virtual void discard(std::uint16_t websocket_code, std::string_view last_packet) = 0;

  // Upgrades, of the transport that is left behind: waiting requests are answered at once from now on.
  virtual void set_upgrading(bool upgrading) { static_cast<void>(upgrading); }
  virtual void release_waiting_request() {}
  // Hands up what has arrived, then gives what waits to `next`, in order. The session may close meanwhile.
  virtual void complete_reading() {}
  virtual void move_pending_to(Transport& next) { static_cast<void>(next); }

  // HTTP requests of this session, of transports that have them.
  virtual void on_head(http::Exchange& exchange) { static_cast<void>(exchange); }
  virtual void on_request(http::Exchange& exchange, std::string_view body);
  virtual void on_body_refused(http::Exchange& exchange) { static_cast<void>(exchange); }
  // The head of the request whose packets are being handed up; empty if they came without one.
  virtual std::string_view current_request_head() const noexcept { return {}; }
};

// One line per transport a session can begin with.
struct TransportKind {
  std::string_view name;
  bool Options::*enabled;
  bool by_upgrade;  // begins with a WebSocket upgrade instead of a plain request
};
// Null for a name unknown or disabled.
const TransportKind* find_transport(std::string_view name, const Options& options) noexcept;

// For streams whose end interests nobody.
websocket::Listener& ignoring_listener() noexcept;

// Frees `object` at the end of the turn: it may be on the stack now.
template <typename Object>
void bury(net::Reactor& reactor, std::unique_ptr<Object> object) {
  reactor.defer([buried = std::move(object)] { static_cast<void>(buried); });
}

}  // namespace tidewire::engineio
