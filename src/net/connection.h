// net/connection.h - one byte stream (TCP, or TLS over it): its handler above, its out-queue below.
//
//        handler (http::Connection, later websocket::Connection)
//          ^ on_bytes(span, ours until we return)     | send(frame, lane)
//          |                                          v
//        Connection ------------------------------> OutQueue --(flush at the end of the turn)--> reactor
//
// Life: accepted by a reactor, which owns it. After close the reactor calls on_closed() once, drops the handler, and frees
// the connection at the end of the turn; pointers to it die then. A handler replaced by set_handler() is parked until then
// too, so a handler may replace itself in the middle of on_bytes().
// Threads: its shard only. It moves to another shard only between turns, whole, by Reactor::hand_over().
// Memory: an idle connection has no buffer and no timer object; see the static_assert in connection.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "base/out_queue.h"
#include "net/address.h"

namespace tidewire::net {

class Connection;
class Reactor;
class Tls;

enum class CloseCause : std::uint8_t {
  kPeerClosed,   // FIN, or TLS close_notify
  kPeerReset,    // RST or another error of the socket
  kLocal,        // we closed it
  kSlow,         // the peer did not take our bytes in time
  kTls,          // the TLS layer failed
  kShutdown,     // the reactor is stopping
};

// What sits on top of a stream. Calls come from the connection's reactor, never from inside a call into the connection.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // Bytes have arrived. They may be changed in place and die when the call returns: what is needed later must be copied.
  virtual void on_bytes(Connection& connection, std::span<char> bytes) = 0;
  // The out-queue ran empty after the peer had stopped taking bytes (after blocked() was true).
  virtual void on_drained(Connection& connection) { static_cast<void>(connection); }
  // The peer sent FIN but can still read. Default: close once everything queued has left. Comes after the last byte; while
  // reading is paused it comes at once if nothing is unread, else after resume_reading().
  virtual void on_peer_finished(Connection& connection);
  // The stream is over; the last call. Send nothing.
  virtual void on_closed(Connection& connection, CloseCause cause) = 0;
};

// Everything that travels when a connection moves to another shard.
struct DetachedConnection {
  int descriptor = -1;
  std::shared_ptr<void> simulated;  // in the simulator, instead of a descriptor: the stream, which ends with its last holder
  std::unique_ptr<Tls> tls;
  Address peer;
  bool secure_by_proxy = false;
  std::shared_ptr<void> place;      // under its address; see address_limit.h
  std::string unread;               // plain bytes already read: given to the new handler first
  DetachedConnection();
  DetachedConnection(DetachedConnection&&) noexcept;
  DetachedConnection& operator=(DetachedConnection&&) noexcept;
  ~DetachedConnection();
};

class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Reactor& reactor() const noexcept { return *reactor_; }
  const Address& peer() const noexcept { return peer_; }
  // The client's address as a trusted proxy named it (PROXY protocol; http/ sets it from Forwarded headers).
  void set_peer(const Address& peer) noexcept { peer_ = peer; }
  // TLS ends here or at a trusted proxy.
  bool secure() const noexcept { return tls_ != nullptr || secure_by_proxy_; }
  void set_secure_by_proxy(bool secure) noexcept { secure_by_proxy_ = secure; }

  // Queues a frame; it leaves at the end of the turn. Ignored once closing. Bounds are the caller's business: out().bytes().
  void send(base::Frame frame, base::Lane lane = base::Lane::kNormal);
  base::OutQueue& out() noexcept { return out_; }
  const base::OutQueue& out() const noexcept { return out_; }
  // Tells the reactor that out() has frames, for owners that push to it themselves. Cheap when already told.
  void mark_dirty();
  // The peer has stopped taking bytes (a write fell short and has not been made good).
  bool blocked() const noexcept { return blocked_; }

  // Stops delivering bytes until resume_reading(); the kernel's window then holds the peer back. Bytes of the current
  // on_bytes() call are not affected.
  void pause_reading();
  void resume_reading();
  bool reading_paused() const noexcept { return paused_; }

  // Sends what is queued, then FIN, then closes when the peer does or `linger_ms` after the FIN. Bytes that still arrive
  // are discarded. on_closed() follows with kLocal, or with kPeerClosed when the peer had finished before.
  void close_after_flush(std::int64_t linger_ms = 2'000);
  // Closes at once, dropping the queue (RST when bytes are lost). on_closed() follows, at the latest at the end of the turn.
  void abort(CloseCause cause = CloseCause::kLocal);
  bool closing() const noexcept { return closing_; }
  // For on_closed(): the stream ended before the kernel had taken all that was queued.
  bool bytes_lost() const noexcept { return bytes_lost_; }

  // Replaces the handler. The old one lives until the end of the turn and gets no more calls. Returns the new one.
  StreamHandler& set_handler(std::unique_ptr<StreamHandler> handler);
  StreamHandler* handler() const noexcept { return handler_.get(); }

 private:
  friend class Reactor;
  friend class EpollReactor;
  friend class SimulatedReactor;
  friend class Flush;
  friend class TestReactor;
  Connection(Reactor& reactor, int descriptor, const Address& peer);
  ~Connection();
  // Puts it on the reactor's list of this turn, also when blocked.
  void enlist() noexcept;

  Reactor* reactor_;
  std::unique_ptr<StreamHandler> handler_;
  base::OutQueue out_;
  std::unique_ptr<Tls> tls_;
  Connection* next_dirty_ = nullptr;      // the reactor's list of this turn
  Connection* previous_ = nullptr;        // all connections of the reactor
  Connection* next_ = nullptr;
  Address peer_;
  std::uint16_t linger_ticks_ = 0;        // of the timer wheel: how long to wait for the peer's FIN after ours
  int descriptor_;                        // or the simulated endpoint's number
  std::uint32_t slot_ = 0;                // implementation's place in its list of watched connections, from 1; 0: none
  bool dirty_ : 1 = false;
  bool blocked_ : 1 = false;
  bool paused_ : 1 = false;
  bool closing_ : 1 = false;              // close_after_flush() was called
  bool closed_ : 1 = false;               // waits for the end of the turn to be freed
  bool finished_ : 1 = false;             // FIN sent
  bool peer_finished_ : 1 = false;
  bool secure_by_proxy_ : 1 = false;
  bool again_ : 1 = false;                // input is left for the next turn without a new event
  bool unread_ : 1 = false;               // the reactor keeps bytes that come before those of the kernel
  bool bytes_lost_ : 1 = false;
  bool write_events_ : 1 = false;         // the kernel tells when the peer takes bytes again
  CloseCause cause_ : 3 = CloseCause::kLocal;
};

}  // namespace tidewire::net
