// engineio/websocket_transport.h - packets as WebSocket messages, one each.
//
// The out-queue is the stream's own: frames pass through untouched. Messages are checked and bounded by the websocket layer,
// which also says the right code when they are not.
// Life: the connection belongs to its stream; when it ends, or we let it go, connection_ becomes null.
#pragma once

#include "engineio/transport.h"

namespace tidewire::engineio {

class WebSocketTransport final : public Transport, private websocket::Listener {
 public:
  WebSocketTransport(websocket::Connection& connection, TransportUser& user);
  ~WebSocketTransport() override;

  std::string_view name() const noexcept override { return "websocket"; }
  std::size_t send(const base::Frame& frame, base::Lane lane) override;
  std::size_t queued_bytes() const noexcept override;
  bool writable() const noexcept override;
  bool stalled() const noexcept override;
  base::Milliseconds waiting_since() const noexcept override;
  void set_reading_paused(bool paused) override;
  bool reading_paused() const noexcept override;
  void set_bounds(const websocket::Options& options) override;
  void drop_pending(std::size_t begun_bytes_max) override;
  bool finish(std::uint16_t websocket_code, std::string_view text) override;
  void discard(std::uint16_t websocket_code, std::string_view last_packet) override;

 private:
  void on_text(websocket::Connection& connection, std::span<char> message) override;
  void on_binary(websocket::Connection& connection, std::span<char> message) override;
  void on_drained(websocket::Connection& connection) override;
  void on_closed(websocket::Connection& connection, std::uint16_t code, std::string_view reason, bool by_us) override;

  websocket::Connection* connection_;
  TransportUser& user_;
};

static_assert(sizeof(WebSocketTransport) <= 32);

}  // namespace tidewire::engineio
