#include "websocket/stream_connection.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "base/utf8.h"
#include "net/reactor.h"
#include "websocket/close_code.h"
#include "websocket/deflate.h"

namespace tidewire::websocket {

namespace limits = base::limits;

namespace {

constexpr std::size_t kOutBytesSoft = 256 * 1024;
constexpr std::size_t kPongBatchBytes = 4'096;
// A burst of thousands is answered; who keeps at it for seconds means harm.
constexpr base::Milliseconds kPingWindowMs = 10'000;
constexpr std::uint16_t kPingsPerWindowMax = 20'000;

// Every idle connection pays for each byte: 88, 96 with malloc's header.
static_assert(sizeof(StreamConnection) <= 88);

std::size_t append_control(base::Frame& frame, std::size_t at, Opcode opcode, std::string_view payload) {
  char* const out = frame.data() + at;
  const std::size_t header_bytes = write_header(out, opcode, false, payload.size());
  if (!payload.empty()) std::memcpy(out + header_bytes, payload.data(), payload.size());
  frame.set_extent(0, at + header_bytes + payload.size());
  return header_bytes + payload.size();
}

base::Frame encode_control(Opcode opcode, std::string_view payload) {
  base::Frame frame = base::Frame::allocate(2 + payload.size());
  append_control(frame, 0, opcode, payload);
  return frame;
}

base::Frame encode_message(Opcode opcode, std::string_view message) {
  const std::size_t header_bytes = server_header_bytes(message.size());
  base::Frame frame = base::Frame::allocate(header_bytes + message.size());
  write_header(frame.data(), opcode, false, message.size());
  if (!message.empty()) std::memcpy(frame.data() + header_bytes, message.data(), message.size());
  frame.set_extent(0, header_bytes + message.size());
  frame.set_packet_count(1);
  return frame;
}

std::string_view view(std::span<const char> bytes) noexcept { return {bytes.data(), bytes.size()}; }

}  // namespace

// The time of a message that has begun.
struct StreamConnection::Late final : base::Timer {
  explicit Late(StreamConnection& owner) noexcept : owner_(owner) {}
  ~Late() = default;

 private:
  void expired(base::Milliseconds) override { owner_.fail(FrameError::kLate); }  // destroys this
  StreamConnection& owner_;
};

base::Frame encode_text(std::string_view message) { return encode_message(Opcode::kText, message); }
base::Frame encode_binary(std::string_view message) { return encode_message(Opcode::kBinary, message); }

StreamConnection::StreamConnection(net::Connection& stream, const Options& options, const DeflateParameters& deflate,
                                   Listener* listener)
    : stream_(stream), reader_(options) {
  reader_.set_deflate(deflate);
  set_listener(listener);
}

StreamConnection::~StreamConnection() = default;

// ---- down

void StreamConnection::send_text(std::string_view message, base::Lane lane) { send(encode_text(message), lane); }

void StreamConnection::send_binary(std::string_view message, base::Lane lane) { send(encode_binary(message), lane); }

void StreamConnection::send(const base::Frame& frame, base::Lane lane) {
  if (closing_) return;
  if (reader_.deflate().enabled && frame.compressible() && frame.size() >= reader_.options().deflate.threshold_bytes) {
    send_deflated(frame, lane);
  } else {
    stream_.send(frame, lane);
  }
}

void StreamConnection::send_deflated(const base::Frame& frame, base::Lane lane) {
  const DeflateParameters& agreed = reader_.deflate();
  const DeflateOptions& options = reader_.options().deflate;
  const int window_bits = std::min<int>(options.window_bits, agreed.server_window_bits);
  base::Frame deflated;
  if (agreed.server_context_takeover) {
    if (deflater_ == nullptr) {
      deflater_ = std::make_unique<Deflater>(window_bits, options.memory_level, options.level, true);
    }
    deflated = deflate_frame(frame, *deflater_);
    // Each refers to those before it: no lane may overtake.
    lane = base::Lane::kNormal;
  } else if (agreed.server_window_bits == 15) {
    deflated = deflated_twin(frame, options);
  } else {
    // The twin may have been made with a larger window by an endpoint with other options.
    deflated = deflate_frame(frame, Deflater::shared(options, window_bits));
  }
  stream_.send(deflated ? std::move(deflated) : frame, lane);
}

// A ping of ours overtakes what a slow peer has not taken yet; that is what it is for.
void StreamConnection::ping(std::string_view payload) {
  if (closing_) return;
  stream_.send(encode_control(Opcode::kPing, payload.substr(0, limits::kControlPayloadBytesMax)),
               stream_.blocked() ? base::Lane::kControl : base::Lane::kNormal);
}

// In order with the echoes around them: a peer that takes bytes gets all of this turn at once anyway.
void StreamConnection::flush_pongs() {
  if (pongs_ && !stream_.blocked()) stream_.send(std::exchange(pongs_, base::Frame()));
}

// ---- the end

void StreamConnection::close(std::uint16_t code, std::string_view reason) {
  if (closing_) return;
  if (code != kNoStatus && !valid_on_wire(code)) code = kNormal;
  if (!base::valid_utf8(reason)) reason = {};
  close_code_ = code;
  closed_by_us_ = true;
  send_close(code, reason);
  stop();
}

void StreamConnection::abort() {
  if (!closing_) closed_by_us_ = true;
  stop();
  stream_.abort();
}

void StreamConnection::fail(FrameError error) {
  if (closing_) return;
  send_close(close_code(error), close_reason(error));
  stop();
  tell_closed(close_code(error), close_reason(error), true);
}

// CLOSE is the last frame, so it waits in the lowest lane behind all that was promised before; then FIN.
void StreamConnection::send_close(std::uint16_t code, std::string_view reason) {
  flush_pongs();
  char payload[limits::kControlPayloadBytesMax];
  const std::size_t size = write_close(payload, code, reason);
  stream_.send(encode_control(Opcode::kClose, {payload, size}),
               stream_.out().empty() ? base::Lane::kNormal : base::Lane::kLow);
  stream_.close_after_flush(limits::kCloseLingerMs);
}

// Nothing more is delivered.
void StreamConnection::stop() noexcept {
  closing_ = true;
  late_.reset();
  pongs_ = base::Frame();
  reader_.drop();
}

void StreamConnection::tell_closed(std::uint16_t code, std::string_view reason, bool by_us) {
  if (Listener* const listener = std::exchange(listener_, nullptr)) listener->on_closed(*this, code, reason, by_us);
}

// ---- up

void StreamConnection::on_bytes(net::Connection&, std::span<char> bytes) {
  heard_ = true;
  MessageReader::Event event;
  while (!closing_ && reader_.next(bytes, event)) take(event);
  if (!closing_) settle();
}

void StreamConnection::take(MessageReader::Event& event) {
  switch (event.kind) {
    case MessageReader::Kind::kText:
      flush_pongs();
      if (listener_ != nullptr) listener_->on_text(*this, event.payload);
      return;
    case MessageReader::Kind::kBinary:
      flush_pongs();
      if (listener_ != nullptr) listener_->on_binary(*this, event.payload);
      return;
    case MessageReader::Kind::kPing:
      return take_ping(event.payload);
    case MessageReader::Kind::kPong:
      return;
    case MessageReader::Kind::kClose:
      return take_close(event.payload);
    case MessageReader::Kind::kError:
      return fail(event.error);
  }
}

void StreamConnection::take_ping(std::span<const char> payload) {
  const auto window = static_cast<std::uint16_t>(stream_.reactor().now() / kPingWindowMs);
  if (window != ping_window_) ping_count_ = 0;
  ping_window_ = window;
  if (++ping_count_ > kPingsPerWindowMax) return fail(FrameError::kPingFlood);

  if (stream_.blocked()) {
    pongs_ = encode_control(Opcode::kPong, view(payload));
    return;
  }
  if (pongs_ && pongs_.size() + 2 + payload.size() > pongs_.capacity()) {
    // More than one in this read: from here on many to a frame.
    flush_pongs();
    pongs_ = base::Frame::allocate(kPongBatchBytes);
  }
  if (!pongs_) pongs_ = base::Frame::allocate(2 + payload.size());
  append_control(pongs_, pongs_.size(), Opcode::kPong, view(payload));
}

// The answer repeats the code (RFC 6455 5.5.1).
void StreamConnection::take_close(std::span<const char> payload) {
  CloseStatus status;
  if (const FrameError error = parse_close(view(payload), status); error != FrameError::kNone) return fail(error);
  send_close(status.code, {});
  stop();
  tell_closed(status.code, status.reason, false);
}

// After a read: what it left behind.
void StreamConnection::settle() {
  flush_pongs();
  if (reader_.take_fresh_partial()) {
    if (late_ == nullptr) late_ = std::make_unique<Late>(*this);
    net::Reactor& reactor = stream_.reactor();
    reactor.timers().arm(*late_, reactor.now() + reader_.options().completion_ms);
  } else if (late_ != nullptr && !reader_.partial()) {
    late_.reset();
  }
  if (stream_.blocked() && !stream_.reading_paused() && stream_.out().bytes() > kOutBytesSoft) {
    paused_ = true;
    stream_.pause_reading();
  }
}

void StreamConnection::on_drained(net::Connection&) {
  if (closing_) return;
  if (paused_) stream_.resume_reading();
  paused_ = false;
  flush_pongs();
  if (listener_ != nullptr) listener_->on_drained(*this);
}

// FIN without CLOSE: nobody will answer, but what is queued may still be read.
void StreamConnection::on_peer_finished(net::Connection&) {
  if (closing_) return;
  stream_.close_after_flush(limits::kCloseLingerMs);
  stop();
  tell_closed(kAbnormal, {}, false);
}

void StreamConnection::on_closed(net::Connection&, net::CloseCause cause) {
  if (closed_by_us_) {
    tell_closed(close_code_, {}, true);
    return;
  }
  stop();
  switch (cause) {
    case net::CloseCause::kSlow:
      return tell_closed(kSlowConsumer, "the peer does not take its messages", true);
    case net::CloseCause::kShutdown:
      return tell_closed(kGoingAway, "the server is stopping", true);
    case net::CloseCause::kLocal:
      return tell_closed(kAbnormal, {}, true);
    case net::CloseCause::kPeerClosed:
    case net::CloseCause::kPeerReset:
    case net::CloseCause::kTls:
      break;
  }
  tell_closed(kAbnormal, {}, false);
}

}  // namespace tidewire::websocket
