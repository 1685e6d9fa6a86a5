// The life of a connection:
//
//             bytes            head parsed                answered, keep-alive
//   kHead ----------> kHead ---------------> kAnswer --------------------------> kHead
//                                 |  body to come   ^  body complete
//                                 +----> kBody -----+          any -- close, switch, detach, peer gone --> kOver
//
// Held bytes are an unfinished head (kHead) or what the peer pipelined behind an unanswered request (kAnswer): at most
// kPipelineBytesMax and one read more, then reading pauses. Answers that the peer does not take hold requests back, too.
//
// Heads are parsed into the thread's scratch head: a waiting connection keeps none. An upgrade that its handler answers later
// is the exception (its answer needs the head); it is rare and short.
#include "http/connection.h"

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "http/forwarded.h"
#include "http/request_codec.h"
#include "http/response_codec.h"
#include "net/reactor.h"

namespace tidewire::http {
namespace {

namespace limits = base::limits;

constexpr std::size_t kBodyLimitDefault = 64 * 1024;
constexpr std::size_t kQueuedAnswersMax = 64 * 1024;  // bytes; then pipelined requests wait until the peer takes them

class StreamConnection;

// The head that this thread is serving at the moment, and the input it stands in.
struct Scratch {
  const StreamConnection* owner = nullptr;
  std::string_view input;
  RequestHead head;
};

Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

// What outlives the read that brought the head. Allocated only for bodies in several reads and upgrades answered later.
struct Partial {
  std::string head;
  std::string body;
  ChunkedDecoder decoder;
  std::uint64_t left = 0;           // of a body with Content-Length
  std::size_t window_bytes = 0;     // arrived since the timer was armed
  bool chunked = false;
  bool in_grace = true;
  std::unique_ptr<RequestHead> kept;  // of an upgrade answered later; views into `head`
};

class StreamConnection final : public net::StreamHandler, public Exchange {
 public:
  StreamConnection(net::Connection& stream, const Router& router, const ConnectionOptions& options)
      : stream_(stream), router_(router), options_(options) {
    arm(options_.head_ms);
  }
  ~StreamConnection() {
    if (scratch().owner == this) scratch().owner = nullptr;
  }

  // net::StreamHandler
  void on_bytes(net::Connection& stream, std::span<char> bytes) override;
  void on_drained(net::Connection& stream) override;
  void on_peer_finished(net::Connection& stream) override;
  void on_closed(net::Connection& stream, net::CloseCause cause) override;

  // Exchange
  const Request& request() const noexcept override;
  net::Connection& stream() noexcept override { return stream_; }
  void set_body_limit(std::size_t bytes) noexcept override { body_limit_ = bytes; }
  void add_response_header(std::string name, std::string value) override { append_header_line(header_lines_, name, value); }
  void respond(Response response) override;
  void respond_raw(base::Frame frame, bool close) override { finish(std::move(frame), close); }
  std::string_view response_header_lines() const noexcept override { return header_lines_; }
  void switch_protocol(base::Frame head, std::unique_ptr<net::StreamHandler> handler) override;
  net::DetachedConnection detach() override;

 private:
  enum class State : std::uint8_t { kHead, kBody, kAnswer, kOver };

  // Input. Each read_ function returns how many bytes it used.
  void serve(std::span<char> input, std::size_t known);
  bool can_serve() const noexcept;
  std::size_t read_head(std::string_view input, std::size_t known);
  std::size_t serve_request(const RequestHead& head, std::string_view input, std::size_t head_bytes);
  void begin_exchange(const RequestHead& head);
  std::size_t read_body(std::string_view input);
  void begin_body(const RequestHead& head);
  void end_body();
  void hold(std::span<const char> rest);
  void serve_held();
  void continue_later();
  void keep_upgrade(const RequestHead& head);
  void apply_forwarded(const Request& request);

  // Output and ends.
  void respond_status(int status) { respond({.status = status, .headers = {}, .body = {}}); }
  void finish(base::Frame frame, bool close);
  void refuse(int status);
  void refuse_body();
  void hand_on(std::span<char> rest);
  void abandon();
  void close();
  bool owed() const noexcept { return (state_ == State::kAnswer || state_ == State::kBody) && !answered_; }

  void arm(std::int64_t delay_ms) { stream_.reactor().timers().arm(timer_, stream_.reactor().now() + delay_ms); }
  void time_is_up(base::Milliseconds now);
  void check_body_rate();

  // For the whole life.
  net::Connection& stream_;
  const Router& router_;
  const ConnectionOptions& options_;
  base::MemberTimer<StreamConnection, &StreamConnection::time_is_up> timer_{this};
  std::string held_;
  std::unique_ptr<net::Address> proxy_;  // the peer's own address, if it is a trusted proxy

  // Of the present exchange.
  Handler* handler_ = nullptr;
  std::string header_lines_;                  // add_response_header()
  std::unique_ptr<Partial> partial_;
  std::unique_ptr<net::StreamHandler> next_;  // after switch_protocol(), until it has the stream
  std::size_t body_limit_ = kBodyLimitDefault;

  State state_ = State::kHead;
  bool head_begun_ : 1 = true;      // the timer is the head's; else it is the keep-alive's
  bool serving_ : 1 = false;        // serve() is on the stack
  bool waiting_ : 1 = false;        // held requests may be served soon: the timer, or on_drained()
  bool head_only_ : 1 = false;
  bool keep_alive_ : 1 = false;
  bool body_unread_ : 1 = false;    // an answer now must close: what follows is body
  bool postponed_ : 1 = false;      // detach() must wait until earlier answers have left
  bool peer_finished_ : 1 = false;  // while held requests were waiting
  bool trust_known_ : 1 = false;
};

// A parked poll is one of these and nothing else: keep it lean.
static_assert(sizeof(StreamConnection) <= 208);

// ---- input

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
  return state_ == State::kHead && stream_.out().bytes() < kQueuedAnswersMax;
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
  const bool at_hand = head.framing == BodyFraming::kNone ||
                       (head.framing == BodyFraming::kLength && head.content_length <= rest.size());
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

const Request& StreamConnection::request() const noexcept {
  static const Request kNone;
  if (partial_ != nullptr && partial_->kept != nullptr) return partial_->kept->request;
  return scratch().owner == this ? scratch().head.request : kNone;
}

// ---- output and ends

void StreamConnection::respond(Response response) {
  const bool close = response.close || !keep_alive_ || body_unread_;
  finish(encode_response(response, header_lines_, head_only_, close), close);
}

void StreamConnection::finish(base::Frame frame, bool close_after) {
  TW_ASSERT(owed());
  answered_ = true;
  watcher_ = nullptr;
  header_lines_.clear();
  stream_.send(std::move(frame));
  if (close_after || !keep_alive_ || body_unread_) {
    close();
    return;
  }
  state_ = State::kHead;
  head_begun_ = false;
  if (held_.empty()) {
    arm(options_.keep_alive_ms);
  } else if (!serving_) {
    continue_later();
  }
}

// An answer of our own that ends the connection; whoever keeps the exchange hears that it is over.
void StreamConnection::refuse(int status) {
  if (status == 405) append_header_line(header_lines_, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  const base::Frame frame = encode_answer({.status = status, .headers = {}, .header_lines = header_lines_, .close = true});
  abandon();
  stream_.send(frame);
  close();
}

void StreamConnection::refuse_body() {
  respond_status(413);
  handler_->on_body_refused(*this);
}

void StreamConnection::switch_protocol(base::Frame head, std::unique_ptr<net::StreamHandler> handler) {
  TW_ASSERT(owed());
  answered_ = true;
  watcher_ = nullptr;
  stream_.send(std::move(head));
  next_ = std::move(handler);
  if (serving_) return;  // serve() hands on
  if (held_.empty()) {
    hand_on({});
  } else {
    arm(0);  // not from inside the caller, who is still busy with the new handler
  }
}

void StreamConnection::hand_on(std::span<char> rest) {
  timer_.cancel();
  state_ = State::kOver;
  stream_.resume_reading();
  net::StreamHandler& handler = stream_.set_handler(std::move(next_));
  if (!rest.empty() && !stream_.closing()) handler.on_bytes(stream_, rest);
}

net::DetachedConnection StreamConnection::detach() {
  TW_ASSERT(owed() && scratch().owner == this);
  if (!stream_.out().empty()) {
    postponed_ = true;
    return {};
  }
  answered_ = true;
  watcher_ = nullptr;
  state_ = State::kOver;
  timer_.cancel();
  // The other shard asks the proxy's headers again.
  if (proxy_ != nullptr) stream_.set_peer(*proxy_);
  stream_.resume_reading();
  return stream_.reactor().detach(stream_, std::string(scratch().input));
}

void StreamConnection::abandon() {
  if (!owed()) return;
  answered_ = true;
  if (Watcher* watcher = std::exchange(watcher_, nullptr); watcher != nullptr) watcher->on_aborted(*this);
}

void StreamConnection::close() {
  state_ = State::kOver;
  timer_.cancel();
  held_ = {};
  stream_.close_after_flush();
}

void StreamConnection::on_drained(net::Connection&) {
  if (waiting_) serve_held();
}

// Half a connection is none for HTTP: who keeps an exchange would hold it for a peer that is most likely gone.
void StreamConnection::on_peer_finished(net::Connection&) {
  if (next_ != nullptr || waiting_) {
    peer_finished_ = true;
    return;
  }
  if (state_ == State::kOver) return;
  if (state_ == State::kBody || (state_ == State::kHead && !held_.empty())) {
    refuse(400);
    return;
  }
  abandon();
  close();
}

void StreamConnection::on_closed(net::Connection& stream, net::CloseCause cause) {
  timer_.cancel();
  if (next_ != nullptr) {
    next_->on_closed(stream, cause);
    return;
  }
  abandon();
  state_ = State::kOver;
}

// ---- time

void StreamConnection::time_is_up(base::Milliseconds) {
  if (next_ != nullptr) {
    std::string rest = std::exchange(held_, {});
    net::Connection& stream = stream_;
    const bool finished = peer_finished_;
    hand_on(rest);
    if (finished && !stream.closing()) stream.handler()->on_peer_finished(stream);
    return;
  }
  if (waiting_) {
    // A blocked peer wakes us by on_drained(), or is closed as slow.
    if (!stream_.blocked()) serve_held();
    return;
  }
  if (state_ == State::kBody) {
    check_body_rate();
  } else if (held_.empty()) {
    close();  // no byte of a request: nobody to tell
  } else {
    refuse(408);
  }
}

void StreamConnection::check_body_rate() {
  const auto due = limits::kBodyBytesPerSecondMin * static_cast<std::size_t>(options_.body_grace_ms) / 1000;
  if (!partial_->in_grace && partial_->window_bytes < due) {
    refuse(408);
    return;
  }
  partial_->in_grace = false;
  partial_->window_bytes = 0;
  arm(options_.body_grace_ms);
}

}  // namespace

std::unique_ptr<net::StreamHandler> make_connection(net::Connection& stream, const Router& router, const ConnectionOptions& options) {
  return std::make_unique<StreamConnection>(stream, router, options);
}

}  // namespace tidewire::http
