// http/stream_connection.h - the inside of make_connection(); connection_input.cc and connection_output.cc implement it.
//
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
// Heads are parsed into the thread's scratch head: a waiting connection keeps none. An upgrade that its handler answers
// later is the exception (its answer needs the head); it is rare and short.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/budget.h"
#include "base/timer_wheel.h"
#include "http/chunked_decoder.h"
#include "http/connection.h"
#include "http/request_codec.h"
#include "http/response_codec.h"
#include "net/reactor.h"

namespace tidewire::http {

inline constexpr std::uint32_t kBodyLimitDefault = 64 * 1024;

// What outlives the read that brought the head. Allocated only for bodies in several reads and upgrades answered later.
struct Partial {
  std::string head;
  std::string body;
  base::Charge charge;           // of the body
  ChunkedDecoder decoder;
  std::uint64_t left = 0;        // of a body with Content-Length
  std::size_t window_bytes = 0;  // arrived since the timer was armed
  bool chunked = false;
  bool in_grace = true;
  std::unique_ptr<RequestHead> kept;  // of an upgrade answered later; views into `head`
};

class StreamConnection;

// The head that this thread is serving at the moment, and the input it stands in. One per thread.
struct Scratch {
  const StreamConnection* owner = nullptr;
  std::string_view input;
  RequestHead head;
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
  void set_body_limit(std::size_t bytes) noexcept override;
  void add_response_header(std::string name, std::string value) override { append_header_line(header_lines_, name, value); }
  void respond(Response response) override;
  void respond_raw(base::Frame frame, bool close) override { finish(std::move(frame), close); }
  void watch_answer(Watcher* watcher) noexcept override {
    watcher_ = watcher;
    answer_watched_ = watcher != nullptr;
  }
  std::string_view response_header_lines() const noexcept override { return header_lines_; }
  void switch_protocol(base::Frame head, std::unique_ptr<net::StreamHandler> handler) override;
  net::DetachedConnection detach() override;

 private:
  enum class State : std::uint8_t { kHead, kBody, kAnswer, kOver };
  static Scratch& scratch();

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
  void answer_gone(bool lost);
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
  std::string header_lines_;  // add_response_header()
  std::unique_ptr<Partial> partial_;
  std::unique_ptr<net::StreamHandler> next_;  // after switch_protocol(), until it has the stream
  std::uint32_t body_limit_ = kBodyLimitDefault;
  State state_ = State::kHead;
  bool head_begun_ : 1 = true;  // the timer is the head's; else it is the keep-alive's
  bool serving_ : 1 = false;    // serve() is on the stack
  bool waiting_ : 1 = false;    // held requests may be served soon: the timer, or on_drained()
  bool head_only_ : 1 = false;
  bool keep_alive_ : 1 = false;
  bool body_unread_ : 1 = false;    // an answer now must close: what follows is body
  bool postponed_ : 1 = false;      // detach() must wait until earlier answers have left
  bool peer_finished_ : 1 = false;  // while held requests were waiting
  bool trust_known_ : 1 = false;
  bool answer_watched_ : 1 = false;  // watcher_ waits for the fate of the answer given last
};

// A parked poll is one of these and nothing else: keep it lean.
static_assert(sizeof(StreamConnection) <= 200);

}  // namespace tidewire::http
