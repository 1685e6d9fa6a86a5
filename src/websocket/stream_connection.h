// websocket/stream_connection.h - the Connection on a net::Connection: messages go up, control frames are answered.
//
//   open --(CLOSE sent or received, an error, FIN)--> closing --(stream over)--> dead, freed by net at the end of the turn
//
// The listener is told once: at once when the peer or an error ended it, at the stream's end when it closed itself, so never
// from inside its own close(). It may close, abort or replace itself in every call: the loop looks at closing_ after each.
// Pings: a run of them is answered by few frames that hold many pongs; while the peer takes no bytes only the latest pong is
// kept (RFC 6455 5.5.3), and past the soft limit of the out-queue reading rests until it is empty.
// Memory: see the static_assert in the .cc; a timer exists only while a message is incomplete.
#pragma once

#include <utility>

#include "base/clock.h"
#include "base/timer_wheel.h"
#include "websocket/connection.h"
#include "websocket/message_reader.h"

namespace tidewire::websocket {

class StreamConnection final : public Connection {
 public:
  StreamConnection(net::Connection& stream, const Options& options, const DeflateParameters& deflate, Listener* listener);
  ~StreamConnection() override;

  void send_text(std::string_view message, base::Lane lane) override;
  void send_binary(std::string_view message, base::Lane lane) override;
  void send(const base::Frame& frame, base::Lane lane) override;
  void ping(std::string_view payload) override;
  void close(std::uint16_t code, std::string_view reason) override;
  void abort() override;
  void set_options(const Options& options) noexcept override { reader_.set_options(options); }
  bool closing() const noexcept override { return closing_; }
  bool take_heard() noexcept override {
    const bool heard = heard_;
    heard_ = false;
    return heard;
  }
  net::Connection& stream() noexcept override { return stream_; }

  void on_bytes(net::Connection& stream, std::span<char> bytes) override;
  void on_drained(net::Connection& stream) override;
  void on_peer_finished(net::Connection& stream) override;
  void on_closed(net::Connection& stream, net::CloseCause cause) override;

 private:
  struct Late;
  void take(MessageReader::Event& event);
  void take_ping(std::span<const char> payload);
  void take_close(std::span<const char> payload);
  void settle();
  void flush_pongs();
  void send_deflated(const base::Frame& frame, base::Lane lane);
  void send_close(std::uint16_t code, std::string_view reason);
  void fail(FrameError error);
  void stop() noexcept;
  void tell_closed(std::uint16_t code, std::string_view reason, bool by_us);

  net::Connection& stream_;
  MessageReader reader_;
  std::unique_ptr<Deflater> deflater_;  // with context takeover only, from the first deflated message on
  std::unique_ptr<Late> late_;          // while a message is incomplete
  base::Frame pongs_;                   // not yet sent: of this read, or the latest while the peer takes no bytes
  std::uint16_t ping_window_ = 0;       // which window of time ping_count_ counts, modulo 2^16
  std::uint16_t ping_count_ = 0;
  std::uint16_t close_code_ = kAbnormal;  // what the listener hears when the stream is over
  bool closing_ : 1 = false;
  bool paused_ : 1 = false;               // reading rests because of us
  bool closed_by_us_ : 1 = false;
  bool heard_ : 1 = false;                // bytes have come since take_heard()
};

}  // namespace tidewire::websocket
