#include "net/connection.h"

#include <unistd.h>

#include <algorithm>

#include "net/reactor.h"
#include "net/tls.h"

namespace tidewire::net {

// The product is memory per idle connection: 88 bytes, 96 with malloc's header. A member more is a decision.
static_assert(sizeof(Connection) <= 88);

void StreamHandler::on_peer_finished(Connection& connection) { connection.close_after_flush(); }

DetachedConnection::DetachedConnection() = default;

DetachedConnection::DetachedConnection(DetachedConnection&& other) noexcept
    : descriptor(std::exchange(other.descriptor, -1)),
      simulated(std::move(other.simulated)),
      tls(std::move(other.tls)),
      peer(other.peer),
      secure_by_proxy(other.secure_by_proxy),
      place(std::move(other.place)),
      unread(std::move(other.unread)) {}

DetachedConnection& DetachedConnection::operator=(DetachedConnection&& other) noexcept {
  std::swap(descriptor, other.descriptor);
  std::swap(simulated, other.simulated);
  std::swap(tls, other.tls);
  std::swap(peer, other.peer);
  std::swap(secure_by_proxy, other.secure_by_proxy);
  std::swap(place, other.place);
  std::swap(unread, other.unread);
  return *this;
}

// A hand-over that never arrived (the other shard is stopping) ends the stream.
DetachedConnection::~DetachedConnection() {
  if (descriptor >= 0) ::close(descriptor);
}

Connection::Connection(Reactor& reactor, int descriptor, const Address& peer)
    : reactor_(&reactor), peer_(peer), descriptor_(descriptor) {}

Connection::~Connection() = default;

void Connection::send(base::Frame frame, base::Lane lane) {
  if (closing_ || closed_) return;
  out_.push(std::move(frame), lane);
  mark_dirty();
}

void Connection::mark_dirty() {
  // A blocked connection is enlisted when the kernel says that the peer takes bytes again; until then a send would be vain.
  if (!blocked_) enlist();
}

void Connection::enlist() noexcept {
  if (dirty_ || closed_) return;
  dirty_ = true;
  next_dirty_ = reactor_->dirty_head_;
  reactor_->dirty_head_ = this;
}

void Connection::pause_reading() {
  if (paused_ || closing_ || closed_) return;
  paused_ = true;
  reactor_->connection_paused(*this, true);
}

void Connection::resume_reading() {
  if (!paused_ || closed_) return;
  paused_ = false;
  reactor_->connection_paused(*this, false);
}

void Connection::close_after_flush(std::int64_t linger_ms) {
  if (closing_ || closed_) return;
  // What still arrives is read and thrown away, else the peer's FIN would not be seen.
  resume_reading();
  closing_ = true;
  cause_ = peer_finished_ ? CloseCause::kPeerClosed : CloseCause::kLocal;
  linger_ticks_ = static_cast<std::uint16_t>(std::clamp<std::int64_t>(linger_ms / base::TimerWheel::kTickMs, 0, 0xffff));
  mark_dirty();  // the flush sends what is left, then FIN: Reactor::sent_all()
}

void Connection::abort(CloseCause cause) {
  if (closed_) return;
  reactor_->connection_aborted(*this, cause);
}

StreamHandler& Connection::set_handler(std::unique_ptr<StreamHandler> handler) {
  if (handler_ != nullptr) reactor_->park(std::move(handler_));
  handler_ = std::move(handler);
  return *handler_;
}

}  // namespace tidewire::net
