// net/epoll_reactor.h - the real reactor: epoll for readiness, one receive buffer, one flush.
//
// Events are edge-triggered: a connection is registered once and costs no epoll_ctl for pausing or resuming. The price is
// a list of connections that have input left without a new event (`again_`): whose turn's budget was used up, who resumed
// reading, or whose TLS handshake must wait. They are read in the next turn, which then does not sleep.
// Interest in EPOLLOUT is added at a connection's first blocked write and stays: edge-triggered it costs nothing.
//
// Stale events: a descriptor closed in this turn may be named by a later event of the same batch. Its Connection lives,
// marked closed, until the end of the turn, so the event finds the mark and never a new owner of the memory.
//
// Watched connections (blocked: since when without progress; finished: since when without the peer's FIN) stand in one
// vector with their deadlines, swept four times a second while there are any. No connection holds a timer.
//
// Threads: see reactor.h.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/flush.h"
#include "net/listener.h"
#include "net/reactor.h"

struct epoll_event;

namespace tidewire::net {

class EpollReactor final : public Reactor, private Flush::Owner {
 public:
  EpollReactor(const ReactorOptions& options, std::unique_ptr<Sender> sender);
  ~EpollReactor() override;
  // Whether the kernel gave what a reactor needs; else errno says what is missing.
  bool ready() const noexcept { return epoll_ >= 0 && wake_ >= 0; }

  std::int64_t wall_clock_ms() const override;
  std::string flush_name() const override { return std::string(flush_.sender_name()); }
  Result<std::uint16_t> listen(const ListenOptions& options, Acceptor acceptor) override;
  void stop_listening() override;
  PostResult post(Task& task, bool beyond_bound = false) override;
  DetachedConnection detach(Connection& connection, std::string unread) override;
  void adopt(DetachedConnection connection, Acceptor& acceptor) override;
  void run() override;
  void stop() override;
  void close() override;

 private:
  struct Watched {
    Connection* connection;
    base::Milliseconds deadline;
  };

  // The turn and its steps.
  void turn();
  int wait_ms() const;
  void run_posted();
  void dispatch(const epoll_event& event);
  void read_left_over();

  // Accepting.
  void accept_some(Listener& listener);
  void accept_one(Listener& listener, int descriptor, const Address& peer);
  void establish(Connection& connection, Listener& listener);
  void out_of_descriptors(const Listener& listener);
  void listen_again(base::Milliseconds now);

  // Input.
  void read(Connection& connection, bool to_the_end);
  void deliver(Connection& connection, std::span<char> bytes);
  std::string take_unread(Connection& connection);
  void deliver_sealed(Connection& connection, std::span<const char> ciphertext);
  void hung_up_while_paused(Connection& connection, bool error);
  void read_in_next_turn(Connection& connection);

  // Output: Flush::Owner.
  void flushed(Connection& connection) override;
  void fell_short(Connection& connection, bool progress) override;
  void send_failed(Connection& connection, CloseCause cause) override;

  void finish_stream(Connection& connection) override;
  void watch(Connection& connection, base::Milliseconds deadline) override;
  void unwatch(Connection& connection) override;
  void sweep(base::Milliseconds now);

  // Called by Connection.
  void connection_paused(Connection& connection, bool paused) override;
  void connection_aborted(Connection& connection, CloseCause cause) override;

  bool add_to_epoll(int descriptor, std::uint32_t events, std::uintptr_t tag);
  void read_clock();

  // Immutable after construction.
  const std::int64_t slow_peer_ms_;
  const int epoll_;
  const int wake_;
  const std::unique_ptr<char[]> buffer_;  // input during the turn, scratch of the flush at its end

  // Shared with other threads.
  base::Mailbox<Task> mailbox_;
  std::atomic<bool> posted_{false};    // the mailbox has something
  std::atomic<bool> stopping_{false};  // stop() was called

  // The reactor's thread only.
  Flush flush_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // never shrinks: connections behind a proxy refer to theirs
  ReserveDescriptor reserve_;
  bool accepting_rests_ = false;
  std::size_t handshakes_left_ = 0;                   // of this turn
  std::vector<Connection*> again_;
  std::vector<std::pair<Connection*, std::string>> unread_;  // of adopted connections; few at any time
  std::vector<Watched> watched_;
  base::MemberTimer<EpollReactor, &EpollReactor::sweep> sweep_timer_{this};
  base::MemberTimer<EpollReactor, &EpollReactor::listen_again> listen_timer_{this};
};

}  // namespace tidewire::net
