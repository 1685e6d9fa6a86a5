#include "engineio/polling_transport.h"

#include "base/limits.h"
#include "engineio/frame_writer.h"
#include "engineio/polling_response.h"

namespace tidewire::engineio {
namespace {

// The packets of a frame in polling form. `twin` keeps them alive.
std::string_view polling_form(const base::Frame& frame, base::Frame& twin) {
  const std::string_view packet = text_packet_of(frame);
  if (!packet.empty()) return packet;
  twin = frame.twin(base::Frame::kPolling, make_polling_twin);
  return twin.wire();
}

// A close with one of these codes is a judgement about what the POST brought.
bool blames_peer(std::uint16_t code) noexcept {
  return code == websocket::kProtocolError || code == websocket::kInvalidPayload || code == websocket::kPolicyViolation ||
         code == websocket::kMessageTooBig;
}

}  // namespace

PollingTransport::~PollingTransport() {
  if (poll_ != nullptr) poll_->set_watcher(nullptr);
  if (answered_ != nullptr) answered_->watch_answer(nullptr);
  if (post_ != nullptr) take_post();
}

std::size_t PollingTransport::queued_bytes() const noexcept { return out_.bytes() + (held_ ? held_.size() : 0); }

std::size_t PollingTransport::send(const base::Frame& frame, base::Lane lane) {
  if (over_) return 0;
  const bool began_to_wait = nothing_queued();
  out_.push(frame, lane);
  if (poll_ != nullptr) {
    call_at_end_of_turn();
  } else if (began_to_wait) {
    waiting_since_ = context_.reactor.now();
    user_.on_waiting();
  }
  return queued_bytes();
}

void PollingTransport::drop_pending(std::size_t) {
  held_ = base::Frame();
  out_.clear();
  waiting_since_ = 0;
}

base::Frame PollingTransport::next_frame() { return held_ ? std::exchange(held_, base::Frame()) : out_.pop(); }

void PollingTransport::answer_poll(std::string_view last_packet) {
  std::string payload;
  bool compressible = false;
  while (!nothing_queued()) {
    base::Frame frame = next_frame();
    base::Frame twin;
    const std::string_view packets = polling_form(frame, twin);
    if (!payload.empty()) {
      if (payload.size() + 1 + packets.size() > context_.options.payload_bytes_max) {
        held_ = std::move(frame);
        break;
      }
      payload += kSeparator;
    }
    payload += packets;
    compressible = compressible || frame.compressible();
  }
  const bool all = nothing_queued();
  if (all && !last_packet.empty()) {
    if (!payload.empty()) payload += kSeparator;
    payload += last_packet;
  }
  waiting_since_ = all ? 0 : context_.reactor.now();
  http::Exchange& exchange = *std::exchange(poll_, nullptr);
  exchange.set_watcher(nullptr);
  const http::Coding coding = compressible ? poll_coding_ : http::Coding::kIdentity;
  exchange.respond(payload_response(std::move(payload), coding, context_.options));
  if (over_) return;
  watch_answer(exchange);
  if (all) {
    user_.on_transport_drained();
  } else {
    user_.on_waiting();
  }
}

void PollingTransport::watch_answer(http::Exchange& exchange) {
  // A poll behind an answer that has not been heard of: the peer has it, else it would not poll again.
  if (answered_ != nullptr) answered_->watch_answer(nullptr);
  answered_ = &exchange;
  exchange.watch_answer(this);
}

void PollingTransport::on_answer_gone(http::Exchange&, bool lost) {
  answered_ = nullptr;
  if (!lost || over_) return;
  discard(websocket::kAbnormal, kClosePacket);
  user_.on_transport_closed(CloseReason::kTransportError);
}

bool PollingTransport::finish(std::uint16_t websocket_code, std::string_view) {
  const bool poll_was_parked = poll_ != nullptr;
  over_ = true;
  end_code_ = websocket_code;
  finishing_ = true;
  if (!handing_up_) end_post();
  if (poll_ != nullptr) answer_poll(kClosePacket);
  // Who broke the rules gets what a parked poll can take, and no further one: the session is gone when its POST is answered.
  if (blames_peer(websocket_code)) {
    drop_pending(0);
    return true;
  }
  return poll_was_parked && nothing_queued();
}

void PollingTransport::discard(std::uint16_t websocket_code, std::string_view last_packet) {
  over_ = true;
  end_code_ = websocket_code;
  drop_pending(0);
  if (poll_ != nullptr) answer_poll(last_packet);
  if (!handing_up_) end_post();
}

void PollingTransport::on_head(http::Exchange& exchange) {
  if (exchange.request().method == "POST") begin_post(exchange);
}

void PollingTransport::on_request(http::Exchange& exchange, std::string_view body) {
  if (exchange.request().method == "POST") {
    on_post(exchange, body);
  } else {
    on_poll(exchange);
  }
}

void PollingTransport::on_poll(http::Exchange& exchange) {
  if (poll_ != nullptr) {
    exchange.respond(refused_response());
    discard(websocket::kProtocolError, kClosePacket);
    user_.on_transport_closed(CloseReason::kTransportError);
    return;
  }
  poll_ = &exchange;
  poll_coding_ = payload_coding(exchange.request(), context_.options);
  exchange.set_watcher(this);
  if (finishing_) {
    answer_poll(kClosePacket);
    if (nothing_queued()) user_.on_transport_finished();
  } else if (upgrading_ && !released_) {
    release_waiting_request();
    released_ = true;
  } else if (!nothing_queued() && body_ == nullptr) {
    answer_poll({});
  }
}

void PollingTransport::begin_post(http::Exchange& exchange) {
  if (over_) return;  // the session waits for its last poll only; on_post() says ok
  if (post_ != nullptr) {
    end_code_ = websocket::kProtocolError;
    if (body_ != nullptr) {
      end_post();
    } else {
      take_post();  // its body meets an unknown session
    }
    fail_post(exchange, CloseReason::kTransportError);
    return;
  }
  if (http::equals_ignoring_case(exchange.request().header("content-type"), "application/octet-stream")) {
    fail_post(exchange, CloseReason::kTransportError);
    return;
  }
  post_ = &exchange;
  context_.posts[post_] = this;
  exchange.set_watcher(this);
}

http::Exchange& PollingTransport::take_post() {
  context_.posts.erase(post_);
  post_->set_watcher(nullptr);
  return *std::exchange(post_, nullptr);
}

void PollingTransport::on_body_refused(http::Exchange& exchange) {
  if (post_ == &exchange) take_post();
}

void PollingTransport::on_post(http::Exchange& exchange, std::string_view body) {
  if (over_) {
    exchange.respond(taken_response());
    return;
  }
  if (check_payload(body, context_.options.packets_per_payload_max) != PayloadError::kNone) {
    fail_post(take_post(), CloseReason::kParseError);
    return;
  }
  const std::string_view head = exchange.request().raw_head;
  body_ = std::make_unique<Post>();
  body_->bytes.reserve(head.size() + body.size());
  body_->bytes.append(head).append(body);
  body_->charge.set(body_->bytes.capacity());
  body_->head_size = head.size();
  body_->packets = PayloadReader(std::span(body_->bytes).subspan(head.size()));
  hand_up(base::limits::kPacketsPerTurn);
}

// The session ends with an answer of 400 to `exchange`.
void PollingTransport::fail_post(http::Exchange& exchange, CloseReason reason) {
  exchange.respond(reason == CloseReason::kParseError ? bad_payload_response() : refused_response());
  discard(websocket::kProtocolError, kClosePacket);
  user_.on_transport_closed(reason);
}

void PollingTransport::hand_up(std::size_t packets_max) {
  handing_up_ = true;
  for (std::size_t count = 0; count < packets_max && !over_ && body_->packets.more(); ++count) {
    user_.on_packet(body_->packets.next());
  }
  handing_up_ = false;
  if (over_ || !body_->packets.more()) {
    end_post();
  } else {
    call_at_end_of_turn();
  }
}

// Answers the POST whose packets have been handed up, or will not be.
void PollingTransport::end_post() {
  if (post_ == nullptr) return;
  http::Exchange& exchange = take_post();
  if (body_ == nullptr) return;  // not all of it is here: its end meets what the session is then
  body_.reset();
  exchange.respond(blames_peer(end_code_) ? bad_payload_response() : taken_response());
  if (poll_ != nullptr && !nothing_queued()) call_at_end_of_turn();
}

void PollingTransport::on_aborted(http::Exchange& exchange) {
  if (&exchange == poll_) poll_ = nullptr;
  if (&exchange == post_) {
    take_post();
    body_.reset();
  }
  if (over_) return;
  discard(websocket::kAbnormal, kClosePacket);
  user_.on_transport_closed(CloseReason::kTransportError);
}

void PollingTransport::call_at_end_of_turn() {
  if (called_) return;
  called_ = true;
  context_.reactor.defer([this] { end_turn(); });
}

void PollingTransport::end_turn() {
  called_ = false;
  if (body_ != nullptr && !handing_up_) hand_up(base::limits::kPacketsPerTurn);
  const bool full = queued_bytes() >= context_.options.payload_bytes_max;
  if (!over_ && poll_ != nullptr && !nothing_queued() && (body_ == nullptr || full)) answer_poll({});
}

void PollingTransport::set_upgrading(bool upgrading) {
  upgrading_ = upgrading;
  released_ = false;
  if (upgrading) release_waiting_request();
}

void PollingTransport::release_waiting_request() {
  released_ = false;
  if (poll_ != nullptr && !over_) answer_poll(nothing_queued() ? kNoopPacket : std::string_view());
}

void PollingTransport::complete_reading() {
  if (body_ != nullptr) hand_up(context_.options.packets_per_payload_max);
}

void PollingTransport::move_pending_to(Transport& next) {
  while (!nothing_queued()) next.send(next_frame(), base::Lane::kNormal);
  waiting_since_ = 0;
}

std::string_view PollingTransport::current_request_head() const noexcept {
  return body_ == nullptr ? std::string_view() : std::string_view(body_->bytes).substr(0, body_->head_size);
}

}  // namespace tidewire::engineio
