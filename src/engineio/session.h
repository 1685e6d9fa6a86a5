// engineio/session.h - an Engine.IO session: one peer, whichever transport carries it at the moment.
//
// Transport-blind from here up: messages in, frames out, one close with its reason. Heartbeat, upgrade and the out-queue
// live here. Threads: its shard only (the sid names it).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "base/limits.h"
#include "base/out_queue.h"
#include "net/address.h"
#include "net/reactor.h"

namespace tidewire::engineio {

class Session;

// Server-side close reasons, with the texts Socket.IO users know (features A4).
enum class CloseReason : std::uint8_t {
  kTransportError,   // "transport error"
  kTransportClose,   // "transport close"
  kForcedClose,      // "forced close"
  kPingTimeout,      // "ping timeout"
  kParseError,       // "parse error"
  kServerShutdown,   // "server shutting down"
  kSlowConsumer,     // ours: the out-queue's hard limit or age limit; WebSocket code 4008
};
std::string_view close_reason_text(CloseReason reason) noexcept;

// What was said at the handshake, kept as one compact blob and parsed on demand.
struct Handshake {
  std::string head;          // the raw request head
  net::Address address;
  std::int64_t issued_ms = 0;  // wall clock
  bool secure = false;
};

class SessionListener {
 public:
  // A message. The bytes may be changed in place and die when the call returns. Text is valid UTF-8.
  virtual void on_text(Session& session, std::span<char> message) = 0;
  virtual void on_binary(Session& session, std::span<char> message) = 0;
  // The out-queue ran empty after having been blocked.
  virtual void on_drained(Session& session) { static_cast<void>(session); }
  // The transport changed from polling to websocket.
  virtual void on_upgraded(Session& session) { static_cast<void>(session); }
  // Over, the last call; the session is freed at the end of the turn.
  virtual void on_closed(Session& session, CloseReason reason) = 0;

 protected:
  ~SessionListener() = default;
};

class Session {
 public:
  using Sid = std::array<unsigned char, base::limits::kSidBytes>;

  virtual const Sid& sid() const noexcept = 0;
  // 20 characters of base64url. A bearer secret: never logged whole.
  virtual std::string sid_text() const = 0;
  virtual net::Reactor& reactor() noexcept = 0;
  virtual const Handshake& handshake() const noexcept = 0;
  // "polling" or "websocket"
  virtual std::string_view transport_name() const noexcept = 0;
  // The raw head of the HTTP request that carries the message being delivered (on polling the POST, else the handshake).
  virtual std::string_view current_request_head() const noexcept = 0;

  void set_listener(SessionListener* listener) noexcept { listener_ = listener; }
  SessionListener* listener() const noexcept { return listener_; }

  // Queues a frame made by FrameWriter. Bounds: over the hard limit or the age limit the session closes (kSlowConsumer);
  // over the soft limit reading from the peer pauses. Never calls the listener: a close it causes comes later in this turn,
  // since a fan-out walks its members while it sends.
  virtual void send(const base::Frame& frame, base::Lane lane = base::Lane::kNormal) = 0;
  // One message of our own.
  virtual void send_text(std::string_view message) = 0;
  virtual void send_binary(std::string_view message) = 0;
  // Bytes not yet taken by the kernel, or by a poll.
  virtual std::size_t queued_bytes() const noexcept = 0;
  // False when a volatile message should be dropped now: nobody takes bytes (no parked poll, a blocked stream) or the queue
  // is over the soft limit.
  virtual bool writable() const noexcept = 0;

  // The upper layer knows who it is: from now on messages may have payload_bytes_max instead of first_message_bytes_max.
  virtual void set_admitted() = 0;

  // Sends what is queued, then ends the transport; WebSocket peers see `code` (kNoStatus: an empty CLOSE; protocol errors
  // 1002, size 1009, policy 1008), polling peers the close packet. The listener hears on_closed(reason) at once.
  virtual void close(CloseReason reason = CloseReason::kForcedClose, std::uint16_t websocket_code = 1005,
                     std::string_view text = {}) = 0;

 protected:
  ~Session() = default;
  SessionListener* listener_ = nullptr;
};

}  // namespace tidewire::engineio
