#include "net/reactor.h"

#include <utility>

#include "base/assert.h"
#include "net/tls.h"

namespace tidewire::net {

Reactor::~Reactor() = default;

Connection& Reactor::open_connection(int descriptor, const Address& peer) {
  auto* connection = new Connection(*this, descriptor, peer);
  connection->next_ = open_head_;
  if (open_head_ != nullptr) open_head_->previous_ = connection;
  open_head_ = connection;
  ++statistics_.connections;
  if (open_total_ != nullptr) open_total_->fetch_add(1, std::memory_order_relaxed);
  return *connection;
}

void Reactor::bury(Connection& connection, CloseCause cause) {
  TW_ASSERT(!connection.closed_);
  connection.closed_ = true;
  connection.bytes_lost_ = !connection.out_.empty() || (connection.tls_ != nullptr && !connection.tls_->unsent().empty());
  if (!places_.empty()) places_.erase(&connection);
  connection.cause_ = cause;
  (connection.previous_ != nullptr ? connection.previous_->next_ : open_head_) = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  connection.previous_ = connection.next_ = nullptr;
  --statistics_.connections;
  if (open_total_ != nullptr) open_total_->fetch_sub(1, std::memory_order_relaxed);
  closed_.push_back(&connection);
}

bool Reactor::take_place(const Connection& connection, AddressLimit* limit) {
  if (limit == nullptr) return true;
  AddressPlace place = limit->take(connection.peer_);
  if (place == nullptr) {
    ++statistics_.refused_by_address;
    return false;
  }
  keep_place(connection, std::move(place));
  return true;
}

AddressPlace Reactor::release_place(const Connection& connection) {
  const auto found = places_.find(&connection);
  if (found == places_.end()) return nullptr;
  AddressPlace place = std::move(found->second);
  places_.erase(found);
  return place;
}

void Reactor::keep_place(const Connection& connection, AddressPlace place) {
  if (place != nullptr) places_[&connection] = std::move(place);
}

void Reactor::sent_all(Connection& connection) {
  const bool was_blocked = connection.blocked_;
  if (was_blocked) {
    connection.blocked_ = false;
    unwatch(connection);
  }
  if (!connection.closing_) {
    if (was_blocked) connection.handler_->on_drained(connection);
    return;
  }
  if (connection.finished_) return;
  connection.finished_ = true;
  if (connection.peer_finished_) {
    connection.abort(connection.cause_);
  } else {
    finish_stream(connection);
    watch(connection, now_ + connection.linger_ticks_ * base::TimerWheel::kTickMs);
  }
}

void Reactor::finished_by_peer(Connection& connection) {
  const bool first = !connection.peer_finished_;
  connection.peer_finished_ = true;
  if (connection.finished_) {
    connection.abort(connection.cause_);
  } else if (first && !connection.closing_) {
    connection.handler_->on_peer_finished(connection);
  }
}

void Reactor::run_deferred() {
  if (deferred_.empty()) return;
  // What these defer waits for the next turn, else two of them could keep the shard for themselves.
  std::vector<Task> tasks;
  tasks.swap(deferred_);
  for (const Task& task : tasks) task();
}

void Reactor::end_all(std::vector<Task> posted) {
  while (open_head_ != nullptr || !closed_.empty() || !parked_.empty()) {
    abort_all();
    free_closed();
  }
  // Only now: a task's destructor may answer, and finds that nobody is left. It may defer, too.
  posted.clear();
  while (!deferred_.empty()) std::exchange(deferred_, {}).clear();
}

void Reactor::free_closed() {
  // By index: on_closed() may close others, which then join the list.
  for (std::size_t i = 0; i < closed_.size(); ++i) {
    Connection& connection = *closed_[i];
    if (connection.handler_ != nullptr) {
      connection.handler_->on_closed(connection, connection.cause_);
      park(std::move(connection.handler_));
    }
    if (!connection.dirty_) continue;
    Connection** link = &dirty_head_;
    while (*link != &connection) link = &(*link)->next_dirty_;
    *link = connection.next_dirty_;
  }
  // Handlers before connections: a destructor may still hold a reference to its stream.
  while (!parked_.empty()) {
    std::vector<std::unique_ptr<StreamHandler>> dying;
    dying.swap(parked_);
  }
  // A handler's destructor may have closed further ones; those wait for the next turn, with on_closed() still owed.
  std::size_t kept = 0;
  for (Connection* connection : closed_) {
    if (connection->handler_ != nullptr) {
      closed_[kept++] = connection;
    } else {
      delete connection;
    }
  }
  closed_.resize(kept);
}

void Reactor::abort_all() {
  while (open_head_ != nullptr) connection_aborted(*open_head_, CloseCause::kShutdown);
}

}  // namespace tidewire::net
