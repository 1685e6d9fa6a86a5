#include "net/simulated_reactor.h"

#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "net/tls.h"

namespace tidewire::net {
namespace {

constexpr base::Milliseconds kSleepMaxMs = 60'000;
constexpr base::Milliseconds kSweepMs = 250;
constexpr std::int64_t kEpochMs = 1'700'000'000'000;

}  // namespace

SimulatedReactor::SimulatedReactor(SimulatedWorld& world, const ReactorOptions& options, int number)
    : world_(world),
      slow_peer_ms_(options.slow_peer_ms),
      mailbox_(world.options().mailbox_items_max),
      wake_at_(world.now() + kSleepMaxMs) {
  log_ = options.log;
  now_ = world.now();
  timers_ = std::make_unique<base::TimerWheel>(now_);
  random_ = std::make_unique<base::SeededRandom>(world.options().seed * 257 + static_cast<std::uint64_t>(number));
}

SimulatedReactor::~SimulatedReactor() {
  close();
  world_.forget(*this);
}

std::int64_t SimulatedReactor::wall_clock_ms() const { return kEpochMs + now_; }

// ---- The turn

void SimulatedReactor::run() {
  while (!stopped()) world_.step(world_.now() + kSleepMaxMs);
}

base::Milliseconds SimulatedReactor::wake_at() {
  if (stopped_.load()) return INT64_MAX;
  if (posted_.exchange(false)) {
    tasks_wait_ = true;
    wake(world_.now() + world_.turn_delay());
  }
  if (stopping_.load()) wake(world_.now());
  return std::max(wake_at_, stalled_until_);
}

void SimulatedReactor::turn() {
  scope_ ? scope_([this] { take_turn(); }) : take_turn();
}

void SimulatedReactor::take_turn() {
  if (stopping_.load()) return close();
  now_ = world_.now();
  ++statistics_.turns;
  world_.record(Happening::kTurn, 0, {});
  if (std::exchange(tasks_wait_, false)) {
    std::vector<Task>& tasks = mailbox_.take();
    for (const Task& task : tasks) task();
    tasks.clear();
  }
  timers_->advance(now_);
  for (Arrival& arrival : std::exchange(arrivals_, {})) accept(std::move(arrival));
  look_at_ready_streams();
  run_deferred();
  flush();
  free_closed();
  settle_memory();
  const bool busy = !ready_.empty() || !deferred_.empty() || !closed_.empty() || dirty_head_ != nullptr || !arrivals_.empty();
  // A timer that is due now has fired: the next tick at the earliest.
  wake_at_ = now_ + (busy ? world_.turn_delay() : std::max<base::Milliseconds>(timers_->next_wait(now_, kSleepMaxMs), 1));
}

void SimulatedReactor::close() {
  if (stopped_.exchange(true)) return;
  stop_listening();
  for (Arrival& arrival : std::exchange(arrivals_, {})) arrival.stream->reset(Side::kServer);
  end_all(mailbox_.close());
  ready_.clear();
}

PostResult SimulatedReactor::post(Task& task, bool beyond_bound) {
  const base::PushResult pushed = mailbox_.push(task, beyond_bound);
  if (pushed == base::PushResult::kClosed) return PostResult::kGone;
  if (pushed == base::PushResult::kFull) return PostResult::kFull;
  if (pushed == base::PushResult::kQueuedWake) posted_.store(true);
  return PostResult::kPosted;
}

// ---- Accepting

Result<std::uint16_t> SimulatedReactor::listen(const ListenOptions& options, Acceptor acceptor) {
  if (options.tls != nullptr || !options.proxy_protocol_from.empty()) {
    return Status(StatusCode::kUnavailable, "the simulated network has neither TLS nor proxies");
  }
  return world_.listen(*this, options, std::move(acceptor));
}

void SimulatedReactor::stop_listening() { world_.stop_listening(*this); }

void SimulatedReactor::connected(Arrival arrival) {
  arrivals_.push_back(std::move(arrival));
  wake(world_.now() + world_.turn_delay());
}

void SimulatedReactor::accept(Arrival arrival) {
  if (open_connections() >= arrival.connections_max) {
    ++statistics_.refused;
    arrival.stream->reset(Side::kServer);
    return;
  }
  ++statistics_.accepted;
  DetachedConnection detached;
  detached.peer = Address::parse_ip("127.0.0.1", static_cast<std::uint16_t>(arrival.stream->number())).value();
  Connection& connection = open_connection(arrival.stream->number(), detached.peer);
  Stream& entry = streams_.insert({connection.descriptor_, {std::move(arrival.stream), &connection}}).first->second;
  entry.stream->attach(Side::kServer, this);
  if (!take_place(connection, arrival.address_limit.get())) {
    connection.abort();
    return;
  }
  std::unique_ptr<StreamHandler> handler = arrival.acceptor(connection);
  if (handler == nullptr) {
    ++statistics_.refused;
    connection.abort();
    return;
  }
  // Also when the acceptor has closed it: the handler must hear of the end.
  connection.set_handler(std::move(handler));
  if (!connection.closed_) ready(entry);
}

// ---- Input

void SimulatedReactor::stream_changed(SimulatedStream& stream) {
  ready(streams_.at(stream.number()));
}

void SimulatedReactor::ready(Stream& entry) {
  wake(world_.now() + world_.turn_delay());
  if (std::exchange(entry.ready, true)) return;
  ready_.push_back(entry.stream->number());
}

void SimulatedReactor::look_at_ready_streams() {
  std::vector<int> numbers = std::exchange(ready_, {});
  for (std::size_t i = numbers.size(); i > 1; --i) std::swap(numbers[i - 1], numbers[world_.luck().below(i)]);
  for (const int number : numbers) {
    const auto place = streams_.find(number);
    if (place == streams_.end()) continue;
    Stream& entry = place->second;
    entry.ready = false;
    Connection& connection = *entry.connection;
    if (entry.stream->was_reset(Side::kServer)) {
      connection.abort(connection.finished_ ? connection.cause_ : CloseCause::kPeerReset);
      continue;
    }
    if (connection.blocked_) connection.enlist();
    read(entry);
  }
}

void SimulatedReactor::read(Stream& entry) {
  Connection& connection = *entry.connection;
  if (!connection.paused_ && !entry.unread.empty()) {
    deliver(connection, std::exchange(entry.unread, {}));
    if (connection.closed_) return;
  }
  if (!connection.paused_ && entry.stream->readable(Side::kServer)) {
    std::string bytes = entry.stream->read(Side::kServer, base::limits::kReceiveBufferBytes);
    statistics_.bytes_in += bytes.size();
    deliver(connection, std::move(bytes));
    if (connection.closed_) return;
  }
  if (entry.unread.empty() && entry.stream->ended(Side::kServer)) finished_by_peer(connection);
}

void SimulatedReactor::deliver(Connection& connection, std::string bytes) {
  if (connection.closing_) return;
  // Exactly as many bytes as arrived, on the heap: the sanitizer sees every step beyond them.
  const std::unique_ptr<char[]> buffer(new char[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), buffer.get());
  connection.handler_->on_bytes(connection, {buffer.get(), bytes.size()});
}

// ---- Output

void SimulatedReactor::flush() {
  while (dirty_head_ != nullptr) {
    Connection& connection = *dirty_head_;
    dirty_head_ = std::exchange(connection.next_dirty_, nullptr);
    connection.dirty_ = false;
    if (!connection.closed_) flush(entry_of(connection));
  }
}

void SimulatedReactor::flush(Stream& entry) {
  Connection& connection = *entry.connection;
  const bool was_blocked = connection.blocked_;
  if (connection.out_.empty()) return sent_all(connection);
  // As much as there is room for, joined: where it is cut again is the network's business.
  std::string joined;
  const std::size_t room = entry.stream->room(Side::kServer);
  while (!connection.out_.empty() && joined.size() < room) {
    iovec part[1] = {};
    connection.out_.gather(part);
    const std::size_t count = std::min(part[0].iov_len, room - joined.size());
    joined.append(static_cast<const char*>(part[0].iov_base), count);
    connection.out_.consume(count);
  }
  const std::size_t taken = entry.stream->write(Side::kServer, joined, !connection.out_.empty());
  ++statistics_.sends;
  statistics_.bytes_out += taken;
  if (connection.out_.empty()) return sent_all(connection);
  if (was_blocked && taken == 0) return;
  connection.blocked_ = true;
  connection.out_.set_blocked_since(now_);
  watch(connection, now_ + slow_peer_ms_);
}

void SimulatedReactor::finish_stream(Connection& connection) { entry_of(connection).stream->finish(Side::kServer); }

void SimulatedReactor::watch(Connection& connection, base::Milliseconds deadline) {
  entry_of(connection).deadline = deadline;
  if (!sweep_timer_.armed()) timers_->arm(sweep_timer_, now_ + kSweepMs);
}

void SimulatedReactor::unwatch(Connection& connection) { entry_of(connection).deadline = 0; }

void SimulatedReactor::sweep(base::Milliseconds now) {
  std::vector<Connection*> late;
  bool more = false;
  for (const auto& [number, entry] : streams_) {
    if (entry.deadline == 0) continue;
    more = true;
    if (entry.deadline <= now) late.push_back(entry.connection);
  }
  for (Connection* connection : late) {
    if (connection->closed_) continue;
    if (!connection->finished_) ++statistics_.closed_slow;
    connection->abort(connection->finished_ ? connection->cause_ : CloseCause::kSlow);
  }
  if (more) timers_->arm(sweep_timer_, now + kSweepMs);
}

// ---- Called by Connection

void SimulatedReactor::connection_paused(Connection& connection, bool paused) {
  if (!paused) ready(entry_of(connection));
}

void SimulatedReactor::connection_aborted(Connection& connection, CloseCause cause) {
  const auto place = streams_.find(connection.descriptor_);
  SimulatedStream& stream = *place->second.stream;
  if (stream.was_reset(Side::kServer)) {
    stream.attach(Side::kServer, nullptr);
  } else if (!connection.out_.empty()) {
    stream.reset(Side::kServer);
  } else {
    stream.close(Side::kServer);
  }
  streams_.erase(place);
  bury(connection, cause);
  connection.out_.clear();
}

// ---- Hand-over

DetachedConnection SimulatedReactor::detach(Connection& connection, std::string unread) {
  TW_ASSERT(connection.out_.empty());
  TW_ASSERT(!connection.closed_ && !connection.closing_);
  const auto place = streams_.find(connection.descriptor_);
  DetachedConnection detached;
  SimulatedStream* stream = place->second.stream.get();
  stream->attach(Side::kServer, nullptr);
  // Whoever holds it last without having adopted it ends the stream.
  detached.simulated = std::shared_ptr<SimulatedStream>(stream, [kept = place->second.stream](SimulatedStream* left) {
    if (!left->attended(Side::kServer)) left->close(Side::kServer);
  });
  detached.peer = connection.peer_;
  detached.secure_by_proxy = connection.secure_by_proxy_;
  detached.place = release_place(connection);
  detached.unread = std::move(unread) + place->second.unread;
  streams_.erase(place);
  park(std::move(connection.handler_));
  bury(connection, CloseCause::kLocal);
  return detached;
}

void SimulatedReactor::adopt(DetachedConnection detached, Acceptor& acceptor) {
  ++adopted_;
  auto* stream = static_cast<SimulatedStream*>(detached.simulated.get());
  Connection& connection = open_connection(stream->number(), detached.peer);
  connection.secure_by_proxy_ = detached.secure_by_proxy;
  keep_place(connection, std::move(detached.place));
  Stream& entry = streams_.insert({stream->number(), {stream->shared_from_this(), &connection}}).first->second;
  entry.unread = std::move(detached.unread);
  stream->attach(Side::kServer, this);
  std::unique_ptr<StreamHandler> handler = acceptor(connection);
  if (handler == nullptr) {
    connection.abort();
    return;
  }
  if (connection.closed_) return;
  connection.set_handler(std::move(handler));
  ready(entry);
}

}  // namespace tidewire::net
