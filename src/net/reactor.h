// net/reactor.h - the turn of a shard: mailbox, timers, input, flush.
//
//   one turn:  1 posted tasks   2 due timers   3 readable connections -> handlers   4 deferred calls
//              5 flush: all frames of a connection in one send, the sends of all dirty connections together
//              6 free what was closed
//
// Everything above net/ sees only this interface; EpollReactor is the real one, SimulatedReactor drives several shards,
// their clients and faults from one seed in one thread.
// Threads: every member function from the reactor's own thread, except post() and stop(), which any thread may call.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "net/address_limit.h"
#include "net/connection.h"
#include "tidewire/function.h"
#include "tidewire/status.h"

namespace tidewire::net {

class TlsContext;

enum class FlushMode : std::uint8_t { kAuto, kSend, kUring };

using Task = UniqueFunction<void()>;

// What became of a task for another thread. In all but the first case it is untouched.
enum class PostResult : std::uint8_t {
  kPosted,
  kFull,  // the mailbox: later there may be room
  kGone,  // the reactor has stopped, and runs nothing any more
};

struct ReactorOptions {
  FlushMode flush = FlushMode::kAuto;
  std::int64_t slow_peer_ms = 10'000;  // the oldest unsent byte is older than this: close with kSlow
  base::LogSink* log = &base::null_log();
};

struct ListenOptions {
  std::string host = "127.0.0.1";  // an IP literal
  std::uint16_t port = 0;          // 0: the system chooses
  int backlog = 4096;
  bool alone = false;              // refuse a port that somebody else listens on, though he would share it
  std::size_t connections_max = 1'000'000;  // beyond: accepted and closed at once, counted as refused
  std::shared_ptr<AddressLimit> address_limit = {};  // beyond: closed at once, counted; none: no limit
  std::shared_ptr<TlsContext> tls = {};     // none: plain
  std::vector<Network> proxy_protocol_from = {};  // peers whose connections must begin with a PROXY v1 or v2 header
};

// Makes the handler of an accepted connection; null refuses it.
using Acceptor = std::function<std::unique_ptr<StreamHandler>(Connection&)>;

struct ReactorStatistics {
  std::uint64_t turns = 0;
  std::uint64_t accepted = 0;
  std::uint64_t accept_failures = 0;  // EMFILE and the like
  std::uint64_t refused = 0;          // over connections_max, or by the acceptor
  std::uint64_t refused_by_address = 0;
  std::uint64_t closed_slow = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t sends = 0;            // flushes of a connection; bytes_out / sends shows the joining
  std::size_t connections = 0;        // open now
};

class Reactor {
 public:
  virtual ~Reactor();

  // Monotonic milliseconds, read once per turn.
  base::Milliseconds now() const noexcept { return now_; }
  // Milliseconds since the epoch, for time stamps only (a clock that may jump).
  virtual std::int64_t wall_clock_ms() const = 0;
  base::TimerWheel& timers() noexcept { return *timers_; }
  base::Random& random() noexcept { return *random_; }
  base::LogSink& log() const noexcept { return *log_; }
  const ReactorStatistics& statistics() const noexcept { return statistics_; }
  // "send", "io_uring" or "simulated": what the start-up line shows.
  virtual std::string flush_name() const = 0;

  // Listens; `acceptor` is called for each connection. Several reactors may listen on one port (SO_REUSEPORT).
  // Returns the port.
  virtual Result<std::uint16_t> listen(const ListenOptions& options, Acceptor acceptor) = 0;
  // Stops accepting; open connections stay.
  virtual void stop_listening() = 0;

  // Runs `task` in a later turn on this reactor's thread, unless it stops before. From any thread. `beyond_bound`: a full
  // mailbox takes it too.
  [[nodiscard]] virtual PostResult post(Task& task, bool beyond_bound = false) = 0;
  // Runs `task` at step 4 of this turn (or of the next, when called in step 4). From the reactor's thread.
  void defer(Task task) { deferred_.push_back(std::move(task)); }

  // Takes a connection out of this reactor so that another can adopt() it. Queued frames must have left:
  // REQUIRES: connection.out().empty(). Its handler gets no further call and is parked until the end of the turn.
  // `unread` is what the handler has read and not used.
  virtual DetachedConnection detach(Connection& connection, std::string unread) = 0;
  // Continues a detached connection here, delivering its unread bytes first (in a later step of this turn).
  virtual void adopt(DetachedConnection connection, Acceptor& acceptor) = 0;

  // At the end of each turn the budget gets what this thread has taken and given back; when it is short, `on_pressure` is
  // called there. The budget must outlive the reactor.
  void set_budget(base::Budget& budget, Task on_pressure) {
    budget_ = &budget;
    on_pressure_ = std::move(on_pressure);
  }
  // Counts its connections together with those of other reactors: ListenOptions::connections_max then bounds them all. Before
  // the first connection; it must outlive the reactor.
  void set_open_total(std::atomic<std::size_t>& total) noexcept { open_total_ = &total; }
  // That step; earlier too, for who is about to ask the budget in the middle of a turn.
  void settle_memory() {
    if (budget_ != nullptr && budget_->settle()) on_pressure_();
  }

  // Runs turns until stop(); then close().
  virtual void run() = 0;
  // From any thread, also from a signal handler.
  virtual void stop() = 0;
  // The end: every connection is closed with kShutdown, tasks that wait die unrun, post() answers kGone. Once more changes
  // nothing. From the reactor's own thread, or while it has none.
  virtual void close() = 0;

 protected:
  friend class Connection;
  Reactor() = default;
  virtual void connection_paused(Connection& connection, bool paused) = 0;
  virtual void connection_aborted(Connection& connection, CloseCause cause) = 0;
  // Sends FIN.
  virtual void finish_stream(Connection& connection) = 0;
  // Ends the connection at the deadline: as slow, or as closed when FIN was sent. One deadline per connection.
  virtual void watch(Connection& connection, base::Milliseconds deadline) = 0;
  virtual void unwatch(Connection& connection) = 0;
  void park(std::unique_ptr<StreamHandler> handler) { parked_.push_back(std::move(handler)); }

  // Shared by the implementations; none of them touches a socket.
  Connection& open_connection(int descriptor, const Address& peer);
  // Takes the connection off the books; on_closed() and its end follow in free_closed(). REQUIRES: not closed yet
  void bury(Connection& connection, CloseCause cause);
  // Takes a connection's place under its address; false when there is none left. Given back in bury().
  bool take_place(const Connection& connection, AddressLimit* limit);
  // Moves that place to or from a connection that changes its shard.
  AddressPlace release_place(const Connection& connection);
  void keep_place(const Connection& connection, AddressPlace place);
  // The kernel has taken all that was queued: the handler hears of it, or a close goes on with FIN and its linger.
  void sent_all(Connection& connection);
  // FIN has come, behind the last byte.
  void finished_by_peer(Connection& connection);
  // Step 4 of the turn.
  void run_deferred();
  // Step 6: on_closed() for what was buried, then frees it and the parked handlers.
  void free_closed();
  // Buries every open connection with kShutdown, by way of connection_aborted().
  void abort_all();
  // close(): ends all connections, then what waits for a turn, here and in `posted`.
  void end_all(std::vector<Task> posted);

  base::Milliseconds now_ = 0;
  std::unique_ptr<base::TimerWheel> timers_;
  std::unique_ptr<base::Random> random_;
  base::LogSink* log_ = &base::null_log();
  ReactorStatistics statistics_;
  std::size_t open_connections() const noexcept {
    return open_total_ != nullptr ? open_total_->load(std::memory_order_relaxed) : statistics_.connections;
  }

  std::atomic<std::size_t>* open_total_ = nullptr;  // crosses threads
  Connection* open_head_ = nullptr;   // all open connections
  Connection* dirty_head_ = nullptr;  // connections to flush at the end of the turn, newest first
  std::vector<Connection*> closed_;   // buried in this turn
  std::vector<Task> deferred_;
  absl::flat_hash_map<const Connection*, AddressPlace> places_;  // empty without a limit
  base::Budget* budget_ = nullptr;
  Task on_pressure_;
  std::vector<std::unique_ptr<StreamHandler>> parked_;  // replaced handlers, freed at the end of the turn
};

// The real reactor: epoll, TCP, the flush chosen by `options.flush`. kUring fails where the kernel forbids it.
Result<std::unique_ptr<Reactor>> make_epoll_reactor(const ReactorOptions& options);

}  // namespace tidewire::net
