#include "engineio/session_impl.h"

#include <algorithm>
#include <utility>

#include "engineio/frame_writer.h"
#include "engineio/packet_codec.h"
#include "engineio/payload_codec.h"
#include "engineio/polling_transport.h"
#include "engineio/websocket_transport.h"

namespace tidewire::engineio {
namespace {

constexpr base::Milliseconds kClosingMs = 30'000;
constexpr std::uint16_t kNoPongCode = 4012;

}  // namespace

std::string_view close_reason_text(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::kTransportError: return "transport error";
    case CloseReason::kTransportClose: return "transport close";
    case CloseReason::kForcedClose: return "forced close";
    case CloseReason::kPingTimeout: return "ping timeout";
    case CloseReason::kParseError: return "parse error";
    case CloseReason::kServerShutdown: return "server shutting down";
    case CloseReason::kSlowConsumer: return "slow consumer";
  }
  return "";
}

SessionImpl::SessionImpl(EngineContext& context, const Sid& sid, Handshake handshake)
    : context_(context), handshake_(std::move(handshake)), sid_(sid) {}

SessionImpl::~SessionImpl() = default;

void SessionImpl::begin_websocket(websocket::Connection& connection) {
  requested_ = true;
  begin(std::make_unique<WebSocketTransport>(connection, *this));
}

void SessionImpl::begin_polling() {
  polling_ = true;
  begin(std::make_unique<PollingTransport>(context_, *this));
}

void SessionImpl::begin(std::unique_ptr<Transport> transport) {
  transport_ = std::move(transport);
  due_ = context_.reactor.now() + context_.options.ping_interval_ms;
  arm();
}

void SessionImpl::request_seen() {
  if (requested_) return;
  requested_ = true;
  if (open()) context_.owner.session_returned(*this);
}

void SessionImpl::end_unreturned() { end(CloseReason::kPingTimeout, kNoPongCode, kClosePacket); }

std::size_t SessionImpl::idle_bytes() const noexcept {
  return sizeof(SessionImpl) + sizeof(PollingTransport) + handshake_.head.capacity();
}

void SessionImpl::set_admitted() {
  admitted_ = true;
  transport_->set_bounds(context_.websocket_options);
}

std::size_t SessionImpl::message_bytes_max() const noexcept { return websocket_options().message_bytes_max; }

const websocket::Options& SessionImpl::websocket_options() const noexcept {
  return admitted_ ? context_.websocket_options : context_.first_websocket_options;
}

std::string_view SessionImpl::current_request_head() const noexcept {
  const std::string_view head = transport_->current_request_head();
  return head.empty() ? std::string_view(handshake_.head) : head;
}

// Sending.

void SessionImpl::send(const base::Frame& frame, base::Lane lane) {
  if (state_ != State::kOpen || slow_) return;
  const std::size_t queued = transport_->send(frame, lane);
  if (queued > context_.slow_peers.soft_bytes()) [[unlikely]] over_soft_limit(queued, frame.size());
}

void SessionImpl::send_text(std::string_view message) {
  FrameWriter writer(message.size());
  writer.begin_text();
  writer.append(message);
  writer.end_text();
  send(writer.finish(), base::Lane::kNormal);
}

void SessionImpl::send_binary(std::string_view message) {
  FrameWriter writer(message.size());
  writer.binary(message);
  send(writer.finish(), base::Lane::kNormal);
}

bool SessionImpl::writable() const noexcept { return state_ == State::kOpen && !slow_ && transport_->writable(); }

void SessionImpl::give_up() {
  if (slow_) return;
  slow_ = true;
  context_.reactor.defer([this] { end_slow(); });
}

void SessionImpl::over_soft_limit(std::size_t queued, std::size_t frame_bytes) {
  const net::Backlog backlog{.bytes = queued, .since = transport_->waiting_since(), .stalled = transport_->stalled()};
  const net::Pace pace = context_.slow_peers.judge(backlog, frame_bytes, context_.reactor.now());
  if (pace == net::Pace::kGiveUp) {
    give_up();
  } else if (pace == net::Pace::kPaused && !over_soft_) {
    over_soft_ = true;
    transport_->set_reading_paused(true);
  }
}

void SessionImpl::end_slow() {
  if (state_ != State::kOpen) return;
  context_.owner.session_slow(*this);
  transport_->drop_pending(context_.slow_peers.begun_bytes_max());
  close(CloseReason::kSlowConsumer, websocket::kSlowConsumer, "slow consumer");
}

void SessionImpl::on_transport_drained() {
  if (!over_soft_ || state_ != State::kOpen) return;
  over_soft_ = false;
  transport_->set_reading_paused(false);
  if (listener_ != nullptr) listener_->on_drained(*this);
}

// Receiving.

void SessionImpl::on_packet(std::span<char> packet) {
  // A POST may be large, each of its messages obeys the same bound as over WebSocket.
  if (packet.size() > message_bytes_max() + 1) return close(CloseReason::kForcedClose, websocket::kMessageTooBig, {});
  if (state_ != State::kOpen) return;
  heard_ = true;
  switch (packet_type({packet.data(), packet.size()})) {
    case PacketType::kMessage:
      if (listener_ != nullptr) listener_->on_text(*this, packet.subspan(1));
      return;
    case PacketType::kBase64:
      return deliver_base64(packet);
    case PacketType::kPong:
      return pong();
    case PacketType::kClose:
      return end(CloseReason::kTransportClose, websocket::kNormal, kNoopPacket);
    case PacketType::kPing:  // in version 4 the server pings
      return close(CloseReason::kTransportError, websocket::kProtocolError, "unexpected ping");
    case PacketType::kOpen:
    case PacketType::kUpgrade:
    case PacketType::kNoop:
      return;  // without meaning here, and harmless
    case PacketType::kInvalid:
      return close(CloseReason::kParseError, websocket::kProtocolError, "unknown packet");
  }
}

void SessionImpl::on_binary_message(std::span<char> message) {
  if (state_ != State::kOpen) return;
  heard_ = true;
  if (listener_ != nullptr) listener_->on_binary(*this, message);
}

void SessionImpl::deliver_base64(std::span<char> packet) {
  std::string bytes;
  if (!decode_base64_packet({packet.data(), packet.size()}, bytes)) {
    close(CloseReason::kParseError, websocket::kProtocolError, "bad base64");
  } else if (listener_ != nullptr) {
    listener_->on_binary(*this, bytes);
  }
}

// Time.

base::Milliseconds SessionImpl::first_request_due() const noexcept {
  const Options& options = context_.options;
  const base::Milliseconds opened = due_ - options.ping_interval_ms - (pong_due_ ? options.ping_timeout_ms : 0);
  return opened + options.first_request_ms;
}

void SessionImpl::arm() {
  if (state_ != State::kOpen) return;
  base::Milliseconds deadline = due_;
  if (!requested_) deadline = std::min(deadline, first_request_due());
  context_.reactor.timers().arm(*this, context_.slow_peers.deadline(transport_->waiting_since(), deadline));
}

void SessionImpl::expired(base::Milliseconds now) {
  if (state_ != State::kOpen) {
    leave();
    return;
  }
  if (!requested_ && now >= first_request_due()) {
    end_unreturned();
    return;
  }
  if (context_.slow_peers.too_old(transport_->waiting_since(), now)) {
    end_slow();
    return;
  }
  if (now >= due_) heartbeat(now);
  arm();
}

void SessionImpl::heartbeat(base::Milliseconds now) {
  if (!pong_due_) {
    pong_due_ = true;
    heard_ = false;
    due_ = now + context_.options.ping_timeout_ms;
    send(context_.ping, base::Lane::kControl);
  } else if (heard_ || transport_->reading_paused()) {
    heard_ = false;
    due_ = now + context_.options.ping_timeout_ms;
  } else {
    end(CloseReason::kPingTimeout, kNoPongCode, kClosePacket);
  }
}

void SessionImpl::pong() {
  pong_due_ = false;
  due_ = context_.reactor.now() + context_.options.ping_interval_ms;
  arm();
}

// Upgrade.

void SessionImpl::begin_upgrade(websocket::Connection& connection) {
  TW_ASSERT(may_upgrade());
  upgrade_ = std::make_unique<Upgrade>(connection, context_, *this);
}

void SessionImpl::on_upgrade_done(websocket::Connection& connection) {
  bury_upgrade();
  // What the client sent by polling comes before what it sends from now on.
  transport_->complete_reading();
  if (state_ != State::kOpen) {
    connection.set_listener(&ignoring_listener());
    connection.close(websocket::kNormal);
    return;
  }
  std::unique_ptr<Transport> left = std::exchange(transport_, std::make_unique<WebSocketTransport>(connection, *this));
  transport_->set_bounds(websocket_options());  // it may have been admitted since the upgrade began
  left->move_pending_to(*transport_);
  left->discard(websocket::kNoStatus, kNoopPacket);
  bury(context_.reactor, std::move(left));
  polling_ = false;
  over_soft_ = false;
  context_.owner.session_upgraded(*this);
  if (listener_ != nullptr) listener_->on_upgraded(*this);
}

void SessionImpl::on_upgrade_failed() {
  transport_->set_upgrading(false);
  bury_upgrade();
}

void SessionImpl::bury_upgrade() {
  if (upgrade_ != nullptr) bury(context_.reactor, std::move(upgrade_));
}

// Closing.

void SessionImpl::close(CloseReason reason, std::uint16_t websocket_code, std::string_view text) {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  if (transport_->finish(websocket_code, text)) {
    leave();
  } else {
    context_.reactor.timers().arm(*this, context_.reactor.now() + kClosingMs);
  }
  closed(reason, websocket_code, text);
}

void SessionImpl::end(CloseReason reason, std::uint16_t websocket_code, std::string_view last_packet) {
  transport_->discard(websocket_code, last_packet);
  leave();
  closed(reason, websocket_code, {});
}

void SessionImpl::on_transport_closed(CloseReason reason) {
  const bool was_open = state_ == State::kOpen;
  leave();
  if (was_open) closed(reason, websocket::kNormal, {});
}

// The listener hears it; the object lives on to the end of the turn at least.
void SessionImpl::closed(CloseReason reason, std::uint16_t websocket_code, std::string_view text) {
  if (upgrade_ != nullptr) upgrade_->abandon(websocket_code, text);
  bury_upgrade();
  context_.owner.session_closed(*this);
  if (SessionListener* listener = std::exchange(listener_, nullptr); listener != nullptr) listener->on_closed(*this, reason);
}

void SessionImpl::leave() {
  if (state_ == State::kGone) return;
  state_ = State::kGone;
  cancel();
  context_.owner.session_gone(*this);
}

}  // namespace tidewire::engineio
