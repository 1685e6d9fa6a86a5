// websocket/connection.h - a WebSocket on a stream: whole messages up, frames down, the close handshake right always.
//
// Messages that arrive whole in one read are handed up as a view into the shard's receive buffer, unmasked in place; only
// fragmented or split messages are collected (bounded by message_bytes_max and 30 s).
// Closing: on a protocol error CLOSE with the right code, then FIN, hard close after 2 s; on_closed() is heard once.
// Threads: its shard only. Life: owned by its net::Connection; the listener forgets it at on_closed().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "base/out_queue.h"
#include "http/exchange.h"
#include "net/connection.h"
#include "websocket/close_code.h"
#include "websocket/options.h"

namespace tidewire::websocket {

class Connection;

// Who gets the messages.
class Listener {
 public:
  virtual ~Listener() = default;
  // A complete message. The bytes may be changed in place and die when the call returns. Text is valid UTF-8.
  virtual void on_text(Connection& connection, std::span<char> message) = 0;
  virtual void on_binary(Connection& connection, std::span<char> message) = 0;
  // The out-queue ran empty after the peer had stopped taking bytes.
  virtual void on_drained(Connection& connection) { static_cast<void>(connection); }
  // Over: `code` is the peer's (kNoStatus for an empty CLOSE, kAbnormal for none) or, when `by_us`, the one we sent. At once
  // when the peer or an error ended it; at the end of the stream, without reason, after the listener's own close() or abort().
  // The connection must not be used afterwards.
  virtual void on_closed(Connection& connection, std::uint16_t code, std::string_view reason, bool by_us) = 0;
};

class Connection : public net::StreamHandler {
 public:
  // Queues a message of our own. `lane` as in OutQueue.
  virtual void send_text(std::string_view message, base::Lane lane = base::Lane::kNormal) = 0;
  virtual void send_binary(std::string_view message, base::Lane lane = base::Lane::kNormal) = 0;
  // Queues a frame made by encode_text() and the like (one or several messages), deflated if that was negotiated, the frame
  // is compressible and long enough; its deflated twin is made once and shared when there is no context takeover.
  virtual void send(const base::Frame& frame, base::Lane lane = base::Lane::kNormal) = 0;
  virtual void ping(std::string_view payload) = 0;

  // Sends CLOSE (kNoStatus: an empty one), then ends as RFC 6455 7.1 says; nothing more is delivered. on_closed() follows.
  // A code that may not be on the wire goes out as 1000; of the reason the whole characters of its first 123 bytes, nothing of
  // one that is not UTF-8.
  virtual void close(std::uint16_t code, std::string_view reason = {}) = 0;
  // Ends without CLOSE.
  virtual void abort() = 0;

  // Other bounds from now on, of messages not yet complete too; deflate must be the same. They must outlive the connection.
  virtual void set_options(const Options& options) noexcept = 0;
  // Another listener from now on (raw echo to a session, say). It must outlive the connection or be replaced.
  void set_listener(Listener* listener) noexcept { listener_ = listener; }
  Listener* listener() const noexcept { return listener_; }
  // True from the moment a CLOSE was sent or received, or the stream ended.
  virtual bool closing() const noexcept = 0;
  // Whether bytes of any kind have come since the last call: for who watches over silence.
  virtual bool take_heard() noexcept = 0;
  virtual net::Connection& stream() noexcept = 0;

 protected:
  Listener* listener_ = nullptr;
};

// One unfragmented server frame, for sending to many: packet_count() is 1.
base::Frame encode_text(std::string_view message);
base::Frame encode_binary(std::string_view message);

// Answers an upgrade request in Handler::on_head(): 101 and a Connection, or the right refusal (400, 426) and null.
// `options` must outlive the connection. `protocol`: the subprotocol to announce, empty for none.
Connection* accept(http::Exchange& exchange, const Options& options, Listener* listener, std::string_view protocol = {});

}  // namespace tidewire::websocket
