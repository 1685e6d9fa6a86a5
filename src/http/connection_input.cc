// What the peer sends: heads, bodies, and what is held back until it can be served.
#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "http/forwarded.h"
#include "http/stream_connection.h"

namespace tidewire::http {
namespace {

namespace limits = base::limits;

constexpr std::size_t kQueuedAnswersMax = 64 * 1024;  // bytes; then pipelined requests wait until the peer takes them

}  // namespace

Scratch& StreamConnection::scratch() {
  thread_local Scratch instance;
  return instance;
}

void StreamConnection::on_bytes(net::Connection&, std::span<char> bytes) {
  if (held_.empty()) {
    serve(bytes, 0);
    return;
  }
  const std::size_t known = state_ == State::kHead && !waiting_ ? held_.size() : 0;
  held_.append(bytes.data(), bytes.size());
  std::string input = std::exchange(held_, {});
  serve(input, known);
}

// `known`: so many bytes at the beginning are an unfinished head that was looked at before.
void StreamConnection::serve(std::span<char> input, std::size_t known) {
  serving_ = true;
  while (!input.empty() && can_serve()) {
    const std::string_view bytes(input.data(), input.size());
    const std::size_t used = state_ == State::kBody ? read_body(bytes) : read_head(bytes, std::exchange(known, 0));
    if (used == 0) break;
    input = input.subspan(used);
  }
  serving_ = false;
  if (scratch().owner == this) scratch().owner = nullptr;
  if (state_ == State::kOver) return;
  if (next_ != nullptr) {
    hand_on(input);
    return;
  }
  hold(input);
  if (!held_.empty() && state_ == State::kHead && (postponed_ || !can_serve())) continue_later();
}

bool StreamConnection::can_serve() const noexcept {
  if (next_ != nullptr || waiting_ || postponed_) return false;
  if (state_ == State::kBody) return true;
  if (state_ != State::kHead) return false;
  // An answer that is watched must have left before another one may stand behind it.
  if (answer_watched_) return stream_.out().empty() && !stream_.blocked();
  return stream_.out().bytes() < kQueuedAnswersMax;
}

std::size_t StreamConnection::read_head(std::string_view input, std::size_t known) {
  if (!head_begun_) {
    head_begun_ = true;
    arm(options_.head_ms);
  }
  // A head that comes in drips is not parsed again for drips that cannot decide anything.
  if (known != 0 && input.size() < limits::kHeaderLineBytesMax && input[known - 1] != '\r' &&
      std::none_of(input.begin() + static_cast<std::ptrdiff_t>(known), input.end(), decides_head)) {
    return 0;
  }
  Scratch& mine = scratch();
  mine.owner = this;
  mine.input = input;
  const HeadResult result = parse_head(input, mine.head);
  switch (result.outcome) {
    case HeadResult::Outcome::kNeedMore: return 0;
    case HeadResult::Outcome::kRefused: refuse(result.status); return input.size();
    case HeadResult::Outcome::kComplete: break;
  }
  return serve_request(mine.head, input, result.bytes);
}

std::size_t StreamConnection::serve_request(const RequestHead& head, std::string_view input, std::size_t head_bytes) {
  const std::string_view rest = input.substr(head_bytes);
  const bool at_hand =
      head.framing == BodyFraming::kNone || (head.framing == BodyFraming::kLength && head.content_length <= rest.size());
  const std::uint64_t length = head.framing == BodyFraming::kLength ? head.content_length : 0;
  const std::size_t used = head_bytes + (at_hand ? static_cast<std::size_t>(length) : 0);
  begin_exchange(head);
  body_unread_ = !at_hand;
  if (handler_ == nullptr) {
    respond_status(head.request.path == "*" ? 204 : 404);
    return used;
  }
  handler_->on_head(*this);
  if (postponed_) {
    state_ = State::kHead;
    return 0;
  }
  if (answered_ || state_ == State::kOver) return used;
  if (length > body_limit_) {
    refuse_body();
  } else if (at_hand) {
    handler_->on_request(*this, rest.substr(0, static_cast<std::size_t>(length)));
    if (!answered_ && head.request.upgrade) keep_upgrade(head);
  } else {
    begin_body(head);
  }
  return used;
}

void StreamConnection::begin_exchange(const RequestHead& head) {
  answer_gone(false);
  timer_.cancel();
  state_ = State::kAnswer;
  answered_ = false;
  watcher_ = nullptr;
  partial_.reset();
  header_lines_.clear();
  body_limit_ = kBodyLimitDefault;
  head_only_ = head.request.method == "HEAD";
  keep_alive_ = head.keep_alive;
  if (!options_.trusted_proxies.empty()) apply_forwarded(head.request);
  handler_ = head.request.path == "*" ? nullptr : router_.find(head.request);
}

void StreamConnection::begin_body(const RequestHead& head) {
  state_ = State::kBody;
  partial_ = std::make_unique<Partial>();
  partial_->head = head.request.raw_head;
  partial_->chunked = head.framing == BodyFraming::kChunked;
  partial_->left = head.content_length;
  arm(options_.body_grace_ms);
  // Only when no body byte came by itself; and never for a request that is refused anyway, which was seen before.
  const std::string_view raw_head = head.request.raw_head;
  const bool body_began = !scratch().input.ends_with(raw_head);
  if (head.expect_continue && !body_began) stream_.send(base::Frame::copy("HTTP/1.1 100 Continue\r\n\r\n"));
}

std::size_t StreamConnection::read_body(std::string_view input) {
  Partial& partial = *partial_;
  std::size_t used = 0;
  bool complete = false;
  if (partial.chunked) {
    const ChunkedDecoder::Step step = partial.decoder.feed(input, partial.body, body_limit_);
    used = step.bytes;
    complete = step.outcome == ChunkedDecoder::Outcome::kComplete;
    if (step.outcome == ChunkedDecoder::Outcome::kTooLong) {
      refuse_body();
      return input.size();
    }
    if (step.outcome == ChunkedDecoder::Outcome::kMalformed) {
      refuse(400);
      return input.size();
    }
  } else {
    used = static_cast<std::size_t>(std::min<std::uint64_t>(partial.left, input.size()));
    partial.body.append(input.data(), used);
    partial.left -= used;
    complete = partial.left == 0;
  }
  partial.window_bytes += used;
  partial.charge.set(partial.body.capacity());
  if (complete) end_body();
  return used;
}

void StreamConnection::end_body() {
  timer_.cancel();
  state_ = State::kAnswer;
  body_unread_ = false;
  // Held here: the handler may answer, and still read what it was given.
  const std::unique_ptr<Partial> whole = std::move(partial_);
  Scratch& mine = scratch();
  mine.owner = this;
  const HeadResult result = parse_head(whole->head, mine.head);
  TW_ASSERT(result.outcome == HeadResult::Outcome::kComplete);
  handler_->on_request(*this, whole->body);
}

void StreamConnection::hold(std::span<const char> rest) {
  held_.assign(rest.data(), rest.size());
  if (held_.size() >= limits::kPipelineBytesMax) stream_.pause_reading();
}

// In a later turn: after its flush, or with a handler's stack unwound.
void StreamConnection::continue_later() {
  waiting_ = true;
  head_begun_ = false;  // the timer is ours now; the head's starts anew
  arm(0);
}

void StreamConnection::serve_held() {
  waiting_ = false;
  postponed_ = false;
  std::string input = std::exchange(held_, {});
  serve(input, 0);
  if (state_ == State::kOver || next_ != nullptr) return;
  if (held_.size() < limits::kPipelineBytesMax) stream_.resume_reading();
  if (peer_finished_ && !waiting_) on_peer_finished(stream_);
}

void StreamConnection::keep_upgrade(const RequestHead& head) {
  partial_ = std::make_unique<Partial>();
  partial_->head = head.request.raw_head;
  partial_->kept = std::make_unique<RequestHead>();
  const HeadResult result = parse_head(partial_->head, *partial_->kept);
  TW_ASSERT(result.outcome == HeadResult::Outcome::kComplete);
}

// Requests of different clients may share a proxy's connection: each names its own.
void StreamConnection::apply_forwarded(const Request& request) {
  if (!trust_known_) {
    trust_known_ = true;
    if (any_contains(options_.trusted_proxies, stream_.peer())) proxy_ = std::make_unique<net::Address>(stream_.peer());
  }
  if (proxy_ == nullptr) return;
  const Forwarded forwarded = read_forwarded(request, options_.trusted_proxies);
  stream_.set_peer(forwarded.client.value_or(*proxy_));
  stream_.set_secure_by_proxy(forwarded.secure.value_or(false));
}

void StreamConnection::set_body_limit(std::size_t bytes) noexcept {
  body_limit_ = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, UINT32_MAX));
}

const Request& StreamConnection::request() const noexcept {
  static const Request kNone;
  if (partial_ != nullptr && partial_->kept != nullptr) return partial_->kept->request;
  return scratch().owner == this ? scratch().head.request : kNone;
}

}  // namespace tidewire::http
