// net/simulated_reactor.h - a reactor of a SimulatedWorld: the same turn as the real one, on virtual streams and time.
//
// It takes its turns when the world says so (SimulatedWorld::step); run() only steps the world until stop() was obeyed.
// Of what is ready in a turn, the seed chooses the order, as the kernel would. TLS and the PROXY protocol are not simulated.
// Threads: see simulated_world.h.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/simulated_stream.h"
#include "net/simulated_world.h"

namespace tidewire::net {

class SimulatedReactor final : public Reactor, private SimulatedEnd {
 public:
  SimulatedReactor(SimulatedWorld& world, const ReactorOptions& options, int number);
  ~SimulatedReactor() override;

  std::int64_t wall_clock_ms() const override;
  std::string flush_name() const override { return "simulated"; }
  Result<std::uint16_t> listen(const ListenOptions& options, Acceptor acceptor) override;
  void stop_listening() override;
  PostResult post(Task& task, bool beyond_bound = false) override;
  DetachedConnection detach(Connection& connection, std::string unread) override;
  void adopt(DetachedConnection connection, Acceptor& acceptor) override;
  void run() override;
  void stop() override { stopping_.store(true); }
  void close() override;

  // Called around every turn, for what a thread would know of itself (which shard it is).
  using TurnScope = std::function<void(const std::function<void()>& turn)>;
  void set_turn_scope(TurnScope scope) { scope_ = std::move(scope); }
  bool stopped() const noexcept { return stopped_.load(); }
  // How many connections came from other reactors.
  std::uint64_t adopted() const noexcept { return adopted_; }
  // A fault: no turn before that time, as a thread that gets no processor.
  void stall_until(base::Milliseconds time) noexcept { stalled_until_ = time; }

 private:
  friend class SimulatedWorld;
  struct Stream {
    std::shared_ptr<SimulatedStream> stream;
    Connection* connection;
    std::string unread = {};          // of an adopted connection: before what the stream has
    base::Milliseconds deadline = 0;  // blocked, or finished: until when the peer may let us wait; 0: not at all
    bool ready = false;               // in ready_
  };
  struct Arrival {
    std::shared_ptr<SimulatedStream> stream;
    Acceptor acceptor;
    std::size_t connections_max;
    std::shared_ptr<AddressLimit> address_limit;
  };

  // Called by the world.
  base::Milliseconds wake_at();
  void turn();
  void connected(Arrival arrival);

  void wake(base::Milliseconds at) noexcept { wake_at_ = std::min(wake_at_, at); }
  void take_turn();
  void accept(Arrival arrival);
  void look_at_ready_streams();
  void read(Stream& entry);
  void deliver(Connection& connection, std::string bytes);
  void ready(Stream& entry);
  void flush();
  void flush(Stream& entry);
  void sweep(base::Milliseconds now);

  // SimulatedEnd
  void stream_changed(SimulatedStream& stream) override;
  // Called by Connection.
  void connection_paused(Connection& connection, bool paused) override;
  void connection_aborted(Connection& connection, CloseCause cause) override;
  void finish_stream(Connection& connection) override;
  void watch(Connection& connection, base::Milliseconds deadline) override;
  void unwatch(Connection& connection) override;

  Stream& entry_of(const Connection& connection) { return streams_.at(connection.descriptor_); }

  // Immutable after construction.
  SimulatedWorld& world_;
  const std::int64_t slow_peer_ms_;

  // Shared with other threads.
  base::Mailbox<Task> mailbox_;
  std::atomic<bool> posted_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> stopped_{false};

  // The world's thread only.
  TurnScope scope_;
  base::Milliseconds wake_at_;
  base::Milliseconds stalled_until_ = 0;
  bool tasks_wait_ = false;
  std::vector<Arrival> arrivals_;
  std::map<int, Stream> streams_;  // open connections by the number of their stream
  std::vector<int> ready_;
  std::uint64_t adopted_ = 0;
  base::MemberTimer<SimulatedReactor, &SimulatedReactor::sweep> sweep_timer_{this};
};

}  // namespace tidewire::net
