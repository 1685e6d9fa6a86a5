#include "net/epoll_reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/assert.h"
#include "base/limits.h"
#include "net/proxy_gate.h"
#include "net/tls.h"
#include "net/uring_flush.h"

namespace tidewire::net {
namespace {

namespace limits = base::limits;

constexpr int kEventsMax = 512;
constexpr base::Milliseconds kSleepMaxMs = 60'000;
constexpr base::Milliseconds kSweepMs = 250;
constexpr base::Milliseconds kAcceptRestMs = 100;
constexpr std::uint32_t kInputEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;
// Events name a Connection, or with the lowest bit a Listener, or the eventfd.
constexpr std::uintptr_t kListenerTag = 1;
constexpr std::uintptr_t kWakeTag = 2;
// A TLS connection uses the back of the buffer for ciphertext and the front for plaintext.
constexpr std::size_t kPlainBytes = limits::kReceiveBufferBytes / 2 + Tls::kRecordBytes;
constexpr std::size_t kCipherBytes = limits::kReceiveBufferBytes - kPlainBytes;
static_assert(kPlainBytes >= kCipherBytes + Tls::kRecordBytes);
// One read of a full buffer is a connection's share of the turn.
static_assert(limits::kReceiveBufferBytes <= limits::kInputBytesPerTurn);
// A peer that makes us answer its handshake messages and takes no answer.
constexpr std::size_t kUnsentBytesMax = 256 * 1024;

base::Milliseconds read_clock_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::uintptr_t tag_of(const Connection& connection) { return reinterpret_cast<std::uintptr_t>(&connection); }
std::uintptr_t tag_of(const Listener& listener) { return reinterpret_cast<std::uintptr_t>(&listener) | kListenerTag; }

}  // namespace

EpollReactor::EpollReactor(const ReactorOptions& options, std::unique_ptr<Sender> sender)
    : slow_peer_ms_(options.slow_peer_ms),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      buffer_(new char[limits::kReceiveBufferBytes]),
      flush_(std::move(sender), {buffer_.get(), limits::kReceiveBufferBytes}, *this) {
  log_ = options.log;
  read_clock();
  timers_ = std::make_unique<base::TimerWheel>(now_);
  random_ = std::make_unique<base::SystemRandom>();
  // Edge-triggered, so its counter need never be read.
  if (ready()) add_to_epoll(wake_, EPOLLIN | EPOLLET, kWakeTag);
}

EpollReactor::~EpollReactor() {
  close();
  if (wake_ >= 0) ::close(wake_);
  if (epoll_ >= 0) ::close(epoll_);
}

void EpollReactor::read_clock() { now_ = read_clock_ms(CLOCK_MONOTONIC); }

std::int64_t EpollReactor::wall_clock_ms() const { return read_clock_ms(CLOCK_REALTIME); }

bool EpollReactor::add_to_epoll(int descriptor, std::uint32_t events, std::uintptr_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

// ---- The turn

void EpollReactor::run() {
  while (!stopping_.load(std::memory_order_relaxed)) turn();
  close();
}

void EpollReactor::close() {
  stop_listening();
  end_all(mailbox_.close());
  again_.clear();
  unread_.clear();
}

void EpollReactor::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the reactor is awake anyway.
  static_cast<void>(!::write(wake_, &one, sizeof one));
}

PostResult EpollReactor::post(Task& task, bool beyond_bound) {
  const base::PushResult pushed = mailbox_.push(task, beyond_bound);
  if (pushed == base::PushResult::kClosed) return PostResult::kGone;
  if (pushed == base::PushResult::kFull) return PostResult::kFull;
  if (pushed == base::PushResult::kQueuedWake) {
    posted_.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_, &one, sizeof one));
  }
  return PostResult::kPosted;
}

int EpollReactor::wait_ms() const {
  if (!again_.empty() || !deferred_.empty() || !closed_.empty() || dirty_head_ != nullptr) return 0;
  return static_cast<int>(timers_->next_wait(now_, kSleepMaxMs));
}

void EpollReactor::turn() {
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(epoll_, events, kEventsMax, wait_ms());
  read_clock();
  ++statistics_.turns;
  handshakes_left_ = limits::kTlsHandshakesPerTurn;
  run_posted();
  timers_->advance(now_);
  read_left_over();
  for (int i = 0; i < count; ++i) dispatch(events[i]);
  run_deferred();
  if (dirty_head_ != nullptr) flush_.run(dirty_head_, statistics_);
  if (!closed_.empty() || !parked_.empty()) {
    std::erase_if(again_, [](const Connection* connection) { return connection->closed_; });
    std::erase_if(unread_, [](const auto& each) { return each.first->closed_; });
    free_closed();
  }
  settle_memory();
}

void EpollReactor::run_posted() {
  if (!posted_.load(std::memory_order_acquire) || !posted_.exchange(false, std::memory_order_acquire)) return;
  std::vector<Task>& tasks = mailbox_.take();
  for (const Task& task : tasks) task();
  tasks.clear();  // not before the next mail only: they hold messages
}

void EpollReactor::dispatch(const epoll_event& event) {
  const auto tag = static_cast<std::uintptr_t>(event.data.u64);
  if (tag == kWakeTag) return;
  if ((tag & kListenerTag) != 0) {
    accept_some(*reinterpret_cast<Listener*>(tag & ~kListenerTag));
    return;
  }
  auto& connection = *reinterpret_cast<Connection*>(tag);
  if (connection.closed_) return;
  if ((event.events & EPOLLOUT) != 0 && connection.blocked_) connection.enlist();
  const bool hung_up = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (connection.paused_) {
    if (hung_up) hung_up_while_paused(connection, (event.events & EPOLLERR) != 0);
  } else if (hung_up || (event.events & EPOLLIN) != 0) {
    read(connection, hung_up);
  }
}

void EpollReactor::read_left_over() {
  if (again_.empty()) return;
  std::vector<Connection*> connections;
  connections.swap(again_);
  for (Connection* connection : connections) connection->again_ = false;
  for (Connection* connection : connections) {
    // To the end: the event that told of a FIN may be long gone.
    if (!connection->closed_ && !connection->paused_) read(*connection, true);
  }
}

void EpollReactor::read_in_next_turn(Connection& connection) {
  if (connection.again_ || connection.closed_) return;
  connection.again_ = true;
  again_.push_back(&connection);
}

// ---- Accepting

Result<std::uint16_t> EpollReactor::listen(const ListenOptions& options, Acceptor acceptor) {
  Result<std::unique_ptr<Listener>> opened = Listener::open(options, std::move(acceptor));
  if (!opened.ok()) return opened.status();
  Listener& listener = **listeners_.insert(listeners_.end(), std::move(opened).value());
  if (!add_to_epoll(listener.descriptor(), EPOLLIN, tag_of(listener))) {
    listener.close();
    return Status(StatusCode::kInternal, std::string("epoll_ctl: ") + std::strerror(errno));
  }
  return listener.port();
}

void EpollReactor::stop_listening() {
  for (const auto& listener : listeners_) listener->close();
  listen_timer_.cancel();
  accepting_rests_ = false;
}

void EpollReactor::accept_some(Listener& listener) {
  Address peer;
  for (std::size_t i = 0; i < limits::kAcceptsPerTurn && listener.descriptor() >= 0; ++i) {
    const int descriptor = listener.accept(peer);
    if (descriptor >= 0) {
      accept_one(listener, descriptor, peer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      out_of_descriptors(listener);
      return;
    } else if (errno == EAGAIN) {
      return;
    }
    // Anything else (ECONNABORTED, a network error of the new connection) concerns that one only.
  }
}

void EpollReactor::accept_one(Listener& listener, int descriptor, const Address& peer) {
  if (open_connections() >= listener.options().connections_max) {
    ++statistics_.refused;
    close_with_reset(descriptor);
    return;
  }
  Connection& connection = open_connection(descriptor, peer);
  if (!add_to_epoll(descriptor, kInputEvents, tag_of(connection))) {
    ++statistics_.accept_failures;
    connection.abort();
    return;
  }
  ++statistics_.accepted;
  if (!listener.options().proxy_protocol_from.empty() && listener.behind_proxy(peer)) {
    connection.set_handler(std::make_unique<ProxyGate>(connection, [this, &listener](Connection& opened, std::string rest) {
      establish(opened, listener);
      for (std::span<char> left(rest); !left.empty() && !opened.closed_;) {
        const std::span<char> piece = left.first(std::min(left.size(), kCipherBytes));
        left = left.subspan(piece.size());
        deliver(opened, piece);
      }
    }));
  } else {
    establish(connection, listener);
  }
}

void EpollReactor::establish(Connection& connection, Listener& listener) {
  if (!take_place(connection, listener.options().address_limit.get())) {
    connection.abort();
    return;
  }
  if (listener.options().tls != nullptr) connection.tls_ = listener.options().tls->accept();
  std::unique_ptr<StreamHandler> handler = listener.acceptor()(connection);
  if (handler == nullptr) {
    ++statistics_.refused;
    connection.abort();
    return;
  }
  connection.set_handler(std::move(handler));
}

void EpollReactor::out_of_descriptors(const Listener& listener) {
  statistics_.accept_failures += std::max<std::size_t>(reserve_.cut(listener, limits::kAcceptsPerTurn), 1);
  if (accepting_rests_) return;
  accepting_rests_ = true;
  log_->write(base::LogLevel::kWarn, "out of file descriptors: new connections are refused", {});
  for (const auto& each : listeners_) {
    if (each->descriptor() >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, each->descriptor(), nullptr);
  }
  timers_->arm(listen_timer_, now_ + kAcceptRestMs);
}

void EpollReactor::listen_again(base::Milliseconds) {
  accepting_rests_ = false;
  for (const auto& each : listeners_) {
    if (each->descriptor() >= 0) add_to_epoll(each->descriptor(), EPOLLIN, tag_of(*each));
  }
}

// ---- Input

void EpollReactor::read(Connection& connection, bool to_the_end) {
  const bool sealed = connection.tls_ != nullptr;
  char* const begin = buffer_.get() + (sealed ? kPlainBytes : 0);
  const std::size_t room = sealed ? kCipherBytes : limits::kReceiveBufferBytes;
  if (connection.unread_) {
    std::string unread = take_unread(connection);
    connection.handler_->on_bytes(connection, unread);
    if (connection.closed_ || connection.paused_) return;
  }
  for (;;) {
    if (sealed && !connection.tls_->handshake_done() && !connection.closing_) {
      if (handshakes_left_ == 0) return read_in_next_turn(connection);
      --handshakes_left_;
    }
    const ssize_t count = ::recv(connection.descriptor_, begin, room, 0);
    if (count > 0) {
      const auto size = static_cast<std::size_t>(count);
      statistics_.bytes_in += size;
      deliver(connection, {begin, size});
      if (connection.closed_ || connection.paused_) return;
      if (size == room) return read_in_next_turn(connection);
      // A short read has emptied the socket; the next bytes come with a new event.
      if (!to_the_end) return;
    } else if (count == 0) {
      return finished_by_peer(connection);
    } else if (errno != EINTR) {
      if (errno != EAGAIN) connection.abort(connection.finished_ ? connection.cause_ : CloseCause::kPeerReset);
      return;
    }
  }
}

std::string EpollReactor::take_unread(Connection& connection) {
  const auto place = std::find_if(unread_.begin(), unread_.end(), [&](const auto& each) { return each.first == &connection; });
  TW_ASSERT(place != unread_.end());
  std::string unread = std::move(place->second);
  unread_.erase(place);
  connection.unread_ = false;
  return unread;
}

void EpollReactor::deliver(Connection& connection, std::span<char> bytes) {
  if (connection.closing_) return;
  if (connection.tls_ == nullptr) {
    connection.handler_->on_bytes(connection, bytes);
  } else {
    deliver_sealed(connection, bytes);
  }
}

void EpollReactor::deliver_sealed(Connection& connection, std::span<const char> ciphertext) {
  const std::span<char> plain(buffer_.get(), kPlainBytes);
  Tls& tls = *connection.tls_;
  const Tls::Fed fed = tls.feed(ciphertext, plain);
  // Answers of the handshake, and frames that had to wait for its end.
  if (!tls.unsent().empty() || !connection.out_.empty()) connection.mark_dirty();
  if (fed.plain_bytes > 0) connection.handler_->on_bytes(connection, plain.first(fed.plain_bytes));
  if (connection.closed_) return;
  if (fed.outcome == Tls::Outcome::kError) {
    // The alert says why, if there is room for it; nobody waits for it to arrive.
    if (!connection.blocked_) ::send(connection.descriptor_, tls.unsent().data(), tls.unsent().size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    connection.abort(CloseCause::kTls);
  } else if (fed.outcome == Tls::Outcome::kClosed) {
    finished_by_peer(connection);
  } else if (tls.unsent().size() > kUnsentBytesMax) {
    connection.abort(CloseCause::kSlow);
  }
}

void EpollReactor::hung_up_while_paused(Connection& connection, bool error) {
  char byte;
  const ssize_t count = error ? -1 : ::recv(connection.descriptor_, &byte, 1, MSG_PEEK);
  if (count == 0) finished_by_peer(connection);
  if (count < 0 && (error || errno != EAGAIN)) connection.abort(CloseCause::kPeerReset);
}

// ---- Output

void EpollReactor::flushed(Connection& connection) { sent_all(connection); }

void EpollReactor::finish_stream(Connection& connection) { ::shutdown(connection.descriptor_, SHUT_WR); }

void EpollReactor::fell_short(Connection& connection, bool progress) {
  if (connection.blocked_ && !progress) return;
  connection.blocked_ = true;
  connection.out_.set_blocked_since(now_);
  watch(connection, now_ + slow_peer_ms_);
  if (connection.write_events_) return;
  connection.write_events_ = true;
  epoll_event event{};
  event.events = kInputEvents | EPOLLOUT;
  event.data.u64 = tag_of(connection);
  // Modifying looks at the socket anew: room made since the send is reported.
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.descriptor_, &event);
}

void EpollReactor::send_failed(Connection& connection, CloseCause cause) { connection.abort(cause); }

void EpollReactor::watch(Connection& connection, base::Milliseconds deadline) {
  if (connection.slot_ != 0) {
    watched_[connection.slot_ - 1].deadline = deadline;
    return;
  }
  watched_.push_back({&connection, deadline});
  connection.slot_ = static_cast<std::uint32_t>(watched_.size());
  if (!sweep_timer_.armed()) timers_->arm(sweep_timer_, now_ + kSweepMs);
}

void EpollReactor::unwatch(Connection& connection) {
  if (connection.slot_ == 0) return;
  Watched& place = watched_[connection.slot_ - 1];
  place = watched_.back();
  place.connection->slot_ = connection.slot_;
  watched_.pop_back();
  connection.slot_ = 0;
}

void EpollReactor::sweep(base::Milliseconds now) {
  // Backwards: closing one puts the last in its place, which has been looked at.
  for (std::size_t i = watched_.size(); i-- > 0;) {
    if (watched_[i].deadline > now) continue;
    Connection& connection = *watched_[i].connection;
    if (!connection.finished_) ++statistics_.closed_slow;
    connection.abort(connection.finished_ ? connection.cause_ : CloseCause::kSlow);
  }
  if (!watched_.empty()) timers_->arm(sweep_timer_, now + kSweepMs);
}

// ---- Called by Connection

void EpollReactor::connection_paused(Connection& connection, bool paused) {
  // Pausing needs nothing: events are looked at and passed over. Bytes that came meanwhile make no new event.
  if (!paused) read_in_next_turn(connection);
}

void EpollReactor::connection_aborted(Connection& connection, CloseCause cause) {
  // With everything sent and FIN exchanged, or nothing owed, an orderly close; else a reset tells the peer of the loss.
  const bool owes = !connection.out_.empty() || (connection.tls_ != nullptr && !connection.tls_->unsent().empty());
  if (owes && cause != CloseCause::kTls) {
    close_with_reset(connection.descriptor_);
  } else {
    ::close(connection.descriptor_);
  }
  unwatch(connection);
  bury(connection, cause);
  connection.out_.clear();
  // A descriptor is free: no need to wait for the timer.
  if (accepting_rests_) timers_->arm(listen_timer_, now_);
}

// ---- Hand-over

DetachedConnection EpollReactor::detach(Connection& connection, std::string unread) {
  TW_ASSERT(connection.out_.empty());
  TW_ASSERT(!connection.closed_ && !connection.closing_);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.descriptor_, nullptr);
  DetachedConnection detached;
  detached.descriptor = connection.descriptor_;
  detached.tls = std::move(connection.tls_);
  detached.peer = connection.peer_;
  detached.secure_by_proxy = connection.secure_by_proxy_;
  detached.place = release_place(connection);
  detached.unread = std::move(unread);
  if (connection.unread_) detached.unread += take_unread(connection);
  unwatch(connection);
  park(std::move(connection.handler_));
  bury(connection, CloseCause::kLocal);
  return detached;
}

void EpollReactor::adopt(DetachedConnection detached, Acceptor& acceptor) {
  Connection& connection = open_connection(std::exchange(detached.descriptor, -1), detached.peer);
  connection.tls_ = std::move(detached.tls);
  connection.secure_by_proxy_ = detached.secure_by_proxy;
  keep_place(connection, std::move(detached.place));
  std::unique_ptr<StreamHandler> handler = acceptor(connection);
  if (handler == nullptr || !add_to_epoll(connection.descriptor_, kInputEvents, tag_of(connection))) {
    connection.abort();
    return;
  }
  if (connection.closed_) return;
  connection.set_handler(std::move(handler));
  if (connection.tls_ != nullptr && !connection.tls_->unsent().empty()) connection.enlist();
  if (detached.unread.empty()) return;
  connection.unread_ = true;
  unread_.emplace_back(&connection, std::move(detached.unread));
  read_in_next_turn(connection);
}

// ---- The choice

Result<std::unique_ptr<Reactor>> make_epoll_reactor(const ReactorOptions& options) {
  std::unique_ptr<Sender> sender;
  if (options.flush != FlushMode::kSend) sender = make_uring_sender(options.flush);
  if (sender == nullptr && options.flush == FlushMode::kUring) {
    return Status(StatusCode::kUnavailable, "io_uring is not available here: " + std::string(std::strerror(errno)));
  }
  if (sender == nullptr) sender = std::make_unique<PlainSender>();
  auto reactor = std::make_unique<EpollReactor>(options, std::move(sender));
  if (!reactor->ready()) return Status(StatusCode::kInternal, std::string("epoll: ") + std::strerror(errno));
  return Result<std::unique_ptr<Reactor>>(std::move(reactor));
}

}  // namespace tidewire::net
