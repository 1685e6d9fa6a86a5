// What the peer gets: answers, refusals, another protocol, and the end; and what time does to all of them.
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "http/stream_connection.h"

namespace tidewire::http {

namespace limits = base::limits;

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
  respond(handler_->body_refusal(*this));
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

void StreamConnection::answer_gone(bool lost) {
  if (!answer_watched_) return;
  answer_watched_ = false;
  std::exchange(watcher_, nullptr)->on_answer_gone(*this, lost);
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
  answer_gone(stream.bytes_lost());
  abandon();
  state_ = State::kOver;
}

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

std::unique_ptr<net::StreamHandler> make_connection(net::Connection& stream, const Router& router,
                                                    const ConnectionOptions& options) {
  return std::make_unique<StreamConnection>(stream, router, options);
}

}  // namespace tidewire::http
