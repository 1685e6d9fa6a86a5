// http/exchange.h - one request and its one answer; the seam between HTTP and who serves it.
//
//   head complete --> Handler::on_head(exchange): may respond(), upgrade or hand over at once, or sets the body limit
//   body complete --> Handler::on_request(exchange, body): responds now, or keeps the exchange and responds later
//   peer gone     --> Watcher::on_aborted(exchange): only while an answer is owed
//   answer gone   --> Watcher::on_answer_gone(exchange, lost): for who asked by watch_answer()
//
// A connection serves one exchange at a time; what the peer pipelines waits, bounded. So an Exchange is its connection's
// only one, and a reference to it is valid until respond(), detach(), hand_over() or on_aborted(); who watches the answer
// may use it for watch_answer() until on_answer_gone().
// Threads: its shard only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/connection.h"

namespace tidewire::http {

struct Header {
  std::string_view name;   // as received; compare with equals_ignoring_case()
  std::string_view value;  // without surrounding blanks
};

// Views into the head's bytes: valid during on_head() and on_request() only.
struct Request {
  std::string_view method;
  std::string_view target;  // as received
  std::string_view path;    // origin form, percent-escapes not decoded, without the query
  std::string_view query;   // without '?'
  int version_minor = 1;    // HTTP/1.0 or 1.1
  std::span<const Header> headers;
  std::string_view raw_head;  // the whole head as received, up to and including the empty line
  bool upgrade = false;       // Connection: upgrade and an Upgrade header

  // The first value of a header, empty if absent. Names compare without case.
  std::string_view header(std::string_view name) const noexcept;
  bool has_header(std::string_view name) const noexcept;
};

struct Response {
  int status = 200;
  // Values are checked: a control character in a name or value drops that header (nothing reflected splits an answer).
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view content_type = {};  // empty: no Content-Type header. REQUIRES: a literal
  bool close = false;                  // close the connection after this answer
};

class Exchange;

// Who keeps an exchange to answer it later learns here that nobody waits any more.
class Watcher {
 public:
  virtual void on_aborted(Exchange& exchange) = 0;
  // The answer that is watched has left; or it is `lost`: the stream ended before the kernel had taken all of it. Heard once,
  // but late: with the next request on this stream, or with its end.
  virtual void on_answer_gone(Exchange& exchange, bool lost) {
    static_cast<void>(exchange);
    static_cast<void>(lost);
  }

 protected:
  ~Watcher() = default;
};

class Exchange {
 public:
  // Valid during on_head() and on_request(); for an upgrade also later, until it is answered. Empty at other times.
  virtual const Request& request() const noexcept = 0;
  virtual net::Connection& stream() noexcept = 0;

  // Body bytes the handler will take, for on_head(); beyond it the peer gets the handler's body_refusal() and, if the body was not
  // read to its end, the connection closes; the handler hears on_body_refused(). Default: 64 KB.
  virtual void set_body_limit(std::size_t bytes) noexcept = 0;

  // Headers that every answer of this exchange carries, also error answers made by this layer (CORS).
  virtual void add_response_header(std::string name, std::string value) = 0;

  // Queues the answer and ends the exchange. Content-Length, Date-free, keep-alive according to the request; an answer given
  // before the body has come closes the connection. REQUIRES: not answered
  virtual void respond(Response response) = 0;
  // The same with bytes that are a complete HTTP answer already (response_codec.h), added headers included.
  virtual void respond_raw(base::Frame frame, bool close) = 0;
  // Header lines of add_response_header(), for who encodes an answer for respond_raw().
  virtual std::string_view response_header_lines() const noexcept { return {}; }
  bool answered() const noexcept { return answered_; }

  // Told when the peer goes away while the answer is owed. Null: not told.
  void set_watcher(Watcher* watcher) noexcept { watcher_ = watcher; }

  // Right after respond(): `watcher` hears what became of the answer, and requests pipelined behind it wait until then. Null:
  // who watched does not want to know any more.
  virtual void watch_answer(Watcher* watcher) noexcept = 0;

  // Ends HTTP on this stream: sends `head` (a complete 101 answer), gives the stream to `handler`, and delivers bytes that
  // the peer sent behind the request to it first. The exchange and the http::Connection die at the end of the turn.
  virtual void switch_protocol(base::Frame head, std::unique_ptr<net::StreamHandler> handler) = 0;

  // Takes the stream out of this reactor together with this request's bytes (head, and body as far as read), so that another
  // shard's http::Connection meets the request again from its first byte. For on_head() only. Empty (descriptor -1) while
  // answers to pipelined requests have not left: return, and on_head() comes again for this request when they have.
  virtual net::DetachedConnection detach() = 0;

 protected:
  ~Exchange() = default;
  bool answered_ = false;
  Watcher* watcher_ = nullptr;
};

class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_head(Exchange& exchange) { static_cast<void>(exchange); }
  // `body` is valid during the call.
  virtual void on_request(Exchange& exchange, std::string_view body) = 0;
  // The body went over its limit: the answer to that, a 413.
  virtual Response body_refusal(Exchange& exchange) {
    static_cast<void>(exchange);
    return {.status = 413, .headers = {}, .body = {}};
  }
  // It is on its way.
  virtual void on_body_refused(Exchange& exchange) { static_cast<void>(exchange); }
};

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace tidewire::http
