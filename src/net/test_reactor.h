// net/test_reactor.h - a reactor without sockets, for the tests of what sits on a stream: feed bytes in, take bytes out.
//
//   TestReactor reactor;
//   auto peer = reactor.connect([&](net::Connection& stream) { return http::make_connection(stream, router, options); });
//   peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
//   EXPECT_THAT(peer.take(), StartsWith("HTTP/1.1 200"));
//
// A Peer is the far end. Each of its acts is one turn: deferred calls, flush, end of what was closed. Time moves by advance()
// only. A peer that does not read (stall()) leaves the connection blocked, as a full kernel buffer would.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/reactor.h"
#include "net/tls.h"

namespace tidewire::net {

class TestReactor final : public Reactor {
  struct End {
    Connection* connection = nullptr;  // null once closed
    std::string received;              // what the peer has got
    std::string unread;                // what arrived while reading was paused
    bool stalled = false;              // the peer takes no bytes
    bool finished = false;             // the peer got our FIN
    bool detached = false;
    CloseCause cause = CloseCause::kLocal;
  };

 public:
  class Peer {
   public:
    // The bytes arrive in one piece.
    void send(std::string_view bytes) {
      reactor_->deliver(*end_, bytes);
      reactor_->turn();
    }
    void send_byte_by_byte(std::string_view bytes) {
      for (std::size_t i = 0; i < bytes.size(); ++i) send(bytes.substr(i, 1));
    }
    // What has come since the last take().
    std::string take() { return std::exchange(end_->received, {}); }
    const std::string& received() const { return end_->received; }
    // Stops and continues taking bytes.
    void stall() { end_->stalled = true; }
    void drain() {
      end_->stalled = false;
      reactor_->unblock(*end_);
      reactor_->turn();
    }
    // FIN, and RST.
    void finish() {
      if (end_->connection != nullptr) end_->connection->handler()->on_peer_finished(*end_->connection);
      reactor_->turn();
    }
    void reset() {
      if (end_->connection != nullptr) reactor_->connection_aborted(*end_->connection, CloseCause::kPeerReset);
      reactor_->turn();
    }
    // Whether the stream is over, or going to be when the peer has answered our FIN.
    bool closed() const { return end_->connection == nullptr || end_->finished; }
    bool detached() const { return end_->detached; }
    bool reading_paused() const { return end_->connection != nullptr && end_->connection->reading_paused(); }
    // REQUIRES: the stream is not over.
    Connection& connection() const { return *end_->connection; }

   private:
    friend class TestReactor;
    Peer(TestReactor& reactor, std::shared_ptr<End> end) : reactor_(&reactor), end_(std::move(end)) {}
    TestReactor* reactor_;
    std::shared_ptr<End> end_;
  };

  explicit TestReactor(std::uint64_t seed = 1) {
    now_ = 1'000;
    timers_ = std::make_unique<base::TimerWheel>(now_);
    random_ = std::make_unique<base::SeededRandom>(seed);
  }
  ~TestReactor() override { close(); }

  Peer connect(const Acceptor& acceptor, std::string_view from = "127.0.0.1") {
    auto end = std::make_shared<End>();
    Connection& connection = open_connection(++last_descriptor_, Address::parse_ip(from, 4711).value());
    end->connection = &connection;
    ends_[last_descriptor_] = end;
    connection.set_handler(acceptor(connection));
    return Peer(*this, end);
  }

  // Time passes, in steps of the timer wheel's ticks; each step is a turn.
  void advance(base::Milliseconds ms) {
    const base::Milliseconds until = now_ + ms;
    while (now_ < until) {
      now_ = std::min(now_ + base::TimerWheel::kTickMs, until);
      turn();
    }
  }

  // One turn without input.
  void turn() {
    timers_->advance(now_);
    run_deferred();
    flush();
    free_closed();
    settle_memory();
  }

  // Reactor
  std::int64_t wall_clock_ms() const override { return 1'700'000'000'000 + now_; }
  std::string flush_name() const override { return "test"; }
  Result<std::uint16_t> listen(const ListenOptions&, Acceptor) override {
    return Status(StatusCode::kUnavailable, "a test reactor does not listen");
  }
  void stop_listening() override {}
  PostResult post(Task& task, bool) override {
    defer(std::move(task));
    return PostResult::kPosted;
  }
  DetachedConnection detach(Connection& connection, std::string unread) override {
    End& end = end_of(connection);
    DetachedConnection detached;
    detached.peer = connection.peer();
    detached.secure_by_proxy = connection.secure();
    detached.unread = std::move(unread) + end.unread;
    end.connection = nullptr;
    end.detached = true;
    park(std::move(connection.handler_));
    bury(connection, CloseCause::kLocal);
    return detached;
  }
  void adopt(DetachedConnection detached, Acceptor& acceptor) override {
    const Peer peer = connect(acceptor, detached.peer.ip_text());
    defer([this, end = peer.end_, unread = std::move(detached.unread)] { deliver(*end, unread); });
  }
  void run() override {}
  void stop() override {}
  void close() override { end_all({}); }

 private:
  void connection_paused(Connection& connection, bool paused) override {
    if (paused) return;
    const std::shared_ptr<End> end = ends_.at(connection.descriptor_);
    if (!end->unread.empty()) defer([this, end] { deliver(*end, std::exchange(end->unread, {})); });
  }
  // Its flush decides by itself: no stream here is slow, none lingers.
  void finish_stream(Connection&) override {}
  void watch(Connection&, base::Milliseconds) override {}
  void unwatch(Connection&) override {}
  void connection_aborted(Connection& connection, CloseCause cause) override {
    end_of(connection).connection = nullptr;
    end_of(connection).cause = cause;
    bury(connection, cause);
  }

  End& end_of(const Connection& connection) { return *ends_.at(connection.descriptor_); }

  void deliver(End& end, std::string_view bytes) {
    if (end.connection == nullptr || end.connection->closing()) return;
    if (end.connection->reading_paused()) {
      end.unread.append(bytes);
      return;
    }
    // Exactly as many bytes as arrived, on the heap: the sanitizer sees every step beyond them.
    const std::unique_ptr<char[]> buffer(new char[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), buffer.get());
    end.connection->handler()->on_bytes(*end.connection, {buffer.get(), bytes.size()});
  }

  void flush() {
    while (dirty_head_ != nullptr) {
      Connection& connection = *dirty_head_;
      dirty_head_ = connection.next_dirty_;
      connection.dirty_ = false;
      if (!connection.closed_) flush(connection);
    }
  }

  void flush(Connection& connection) {
    End& end = end_of(connection);
    while (!connection.out_.empty() && !end.stalled) {
      iovec part[1] = {};
      connection.out_.gather(part);
      end.received.append(static_cast<const char*>(part[0].iov_base), part[0].iov_len);
      connection.out_.consume(part[0].iov_len);
    }
    connection.blocked_ = !connection.out_.empty();
    if (connection.blocked_ || !connection.closing_) return;
    end.finished = true;
    end.connection = nullptr;
    bury(connection, connection.cause_);
  }

  void unblock(End& end) {
    if (end.connection == nullptr || !end.connection->blocked_) return;
    Connection& connection = *end.connection;
    connection.blocked_ = false;
    flush(connection);
    if (!connection.closed_ && connection.out_.empty()) connection.handler()->on_drained(connection);
  }

  int last_descriptor_ = 0;
  std::map<int, std::shared_ptr<End>> ends_;
};

}  // namespace tidewire::net
