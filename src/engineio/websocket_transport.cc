#include "engineio/websocket_transport.h"

#include <utility>

namespace tidewire::engineio {

WebSocketTransport::WebSocketTransport(websocket::Connection& connection, TransportUser& user)
    : connection_(&connection), user_(user) {
  connection.set_listener(this);
}

WebSocketTransport::~WebSocketTransport() {
  if (connection_ != nullptr) connection_->set_listener(&ignoring_listener());
}

std::size_t WebSocketTransport::send(const base::Frame& frame, base::Lane lane) {
  if (connection_ == nullptr) return 0;
  connection_->send(frame, lane);
  return connection_->stream().out().bytes();
}

std::size_t WebSocketTransport::queued_bytes() const noexcept {
  return connection_ == nullptr ? 0 : connection_->stream().out().bytes();
}

bool WebSocketTransport::writable() const noexcept { return connection_ != nullptr && connection_->stream().out().empty(); }

bool WebSocketTransport::stalled() const noexcept { return connection_ != nullptr && connection_->stream().blocked(); }

base::Milliseconds WebSocketTransport::waiting_since() const noexcept {
  return connection_ == nullptr ? 0 : connection_->stream().out().blocked_since();
}

void WebSocketTransport::set_reading_paused(bool paused) {
  if (connection_ == nullptr || paused == connection_->stream().reading_paused()) return;
  if (paused) {
    connection_->stream().pause_reading();
  } else {
    connection_->stream().resume_reading();
  }
}

bool WebSocketTransport::reading_paused() const noexcept {
  return connection_ != nullptr && connection_->stream().reading_paused();
}

void WebSocketTransport::set_bounds(const websocket::Options& options) {
  if (connection_ != nullptr) connection_->set_options(options);
}

void WebSocketTransport::drop_pending(std::size_t begun_bytes_max) {
  if (connection_ == nullptr) return;
  net::Connection& stream = connection_->stream();
  stream.out().drop_rest();
  if (stream.out().bytes() > begun_bytes_max) stream.abort(net::CloseCause::kSlow);
}

bool WebSocketTransport::finish(std::uint16_t websocket_code, std::string_view text) {
  if (connection_ == nullptr) return true;
  // The close handshake needs to read, and goes on without us.
  set_reading_paused(false);
  websocket::Connection* leaving = std::exchange(connection_, nullptr);
  leaving->set_listener(&ignoring_listener());
  leaving->close(websocket_code, text);
  return true;
}

void WebSocketTransport::discard(std::uint16_t websocket_code, std::string_view) {
  // What is queued cannot be taken back from a stream that may have begun to send it.
  finish(websocket_code, {});
}

void WebSocketTransport::on_text(websocket::Connection&, std::span<char> message) { user_.on_packet(message); }

void WebSocketTransport::on_binary(websocket::Connection&, std::span<char> message) { user_.on_binary_message(message); }

void WebSocketTransport::on_drained(websocket::Connection&) { user_.on_transport_drained(); }

void WebSocketTransport::on_closed(websocket::Connection&, std::uint16_t code, std::string_view, bool by_us) {
  connection_ = nullptr;
  user_.on_transport_closed(code == websocket::kSlowConsumer ? CloseReason::kSlowConsumer
                            : by_us                          ? CloseReason::kTransportError
                                                             : CloseReason::kTransportClose);
}

}  // namespace tidewire::engineio
