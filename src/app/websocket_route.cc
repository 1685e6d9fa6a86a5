#include "app/websocket_route.h"

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include "app/core.h"
#include "app/shard.h"
#include "http/cors.h"
#include "http/overload.h"

namespace tidewire {

// What handles of one connection share. `connection` is the shard's; the flag is for everybody.
struct WebSocketPeer::State {
  State(Core& owner, std::uint32_t index, RawPeer* raw) : core(owner), shard(index), peer(raw) {}
  Core& core;
  const std::uint32_t shard;
  RawPeer* peer;  // null once closed; the shard's
  std::atomic<bool> open{true};
};

// The listener of one raw connection; ends itself when the connection has ended. Its timer: the age of what waits for a peer
// over the soft limit.
class RawPeer final : public websocket::Listener, private base::Timer {
 public:
  RawPeer(WebSocketRoute::State& route, std::uint32_t shard)
      : route_(route), handle_(std::make_shared<WebSocketPeer::State>(route.core, shard, this)) {}

  // Joins the route's table: only now, since an upgrade may be refused.
  void opened(websocket::Connection& connection, const HttpRequest& request) {
    connection_ = &connection;
    index_ = here().peers.size();
    here().peers.push_back(this);
    if (route_.handlers.on_open) guarded([&] { route_.handlers.on_open(handle_, request); });
  }
  void on_text(websocket::Connection&, std::span<char> message) override {
    if (route_.handlers.on_text) guarded([&] { route_.handlers.on_text(handle_, {message.data(), message.size()}); });
  }
  void on_binary(websocket::Connection&, std::span<char> message) override {
    if (route_.handlers.on_binary) guarded([&] { route_.handlers.on_binary(handle_, {message.data(), message.size()}); });
  }
  void on_drained(websocket::Connection& connection) override {
    cancel();
    if (!connection.closing()) connection.stream().resume_reading();
  }
  void on_closed(websocket::Connection& connection, std::uint16_t code, std::string_view, bool) override {
    net::Reactor& reactor = connection.stream().reactor();
    cancel();
    connection_ = nullptr;
    handle_state().open.store(false, std::memory_order_release);
    handle_state().peer = nullptr;
    auto& peers = here().peers;
    peers[index_] = peers.back();
    peers[index_]->index_ = index_;
    peers.pop_back();
    if (route_.handlers.on_close) guarded([&] { route_.handlers.on_close(handle_, code); });
    reactor.defer([owned = std::unique_ptr<RawPeer>(this)] {});
  }

  void send(const base::Frame& frame) {
    if (ending()) return;
    connection_->send(frame);
    if (queued_bytes() > route_.slow_peers.soft_bytes()) [[unlikely]] over_soft_limit(frame.size());
  }
  std::size_t queued_bytes() const { return connection_->stream().out().bytes(); }
  bool stalled() const { return !ending() && connection_->stream().blocked(); }
  // Closes it with 4008, at the end of the turn.
  void give_up() {
    if (std::exchange(slow_, true)) return;
    connection_->stream().reactor().defer([this] { end_slow(); });  // before what on_closed() may defer
  }
  void close(std::uint16_t code, std::string_view reason) {
    if (connection_ != nullptr) connection_->close(code, reason);
  }
  std::uint32_t shard() const noexcept { return handle_.state().shard; }

 private:
  template <typename Call>
  void guarded(Call&& call) {
    try {
      call();
    } catch (const std::exception& failure) {
      route_.core.log.write(base::LogLevel::kError, "a WebSocket handler threw; its connection is closed",
                            {{"path", route_.path}, {"what", failure.what()}});
      close(websocket::kInternalError, {});
    } catch (...) {
      route_.core.log.write(base::LogLevel::kError, "a WebSocket handler threw; its connection is closed", {{"path", route_.path}});
      close(websocket::kInternalError, {});
    }
  }
  bool ending() const { return connection_ == nullptr || slow_ || connection_->closing(); }
  void over_soft_limit(std::size_t frame_bytes) {
    net::Connection& stream = connection_->stream();
    const base::Milliseconds now = stream.reactor().now();
    const net::Pace pace = route_.slow_peers.judge(net::backlog_of(stream), frame_bytes, now);
    if (pace == net::Pace::kGiveUp) {
      give_up();
    } else if (pace == net::Pace::kPaused && !armed()) {
      stream.pause_reading();
      watch_age(now);
    }
  }
  void watch_age(base::Milliseconds now) {
    net::Connection& stream = connection_->stream();
    stream.reactor().timers().arm(*this, route_.slow_peers.deadline(stream.out().blocked_since(), now + route_.core.options.queue_age_ms));
  }
  void expired(base::Milliseconds now) override {
    if (ending()) return;
    if (!route_.slow_peers.too_old(connection_->stream().out().blocked_since(), now)) return watch_age(now);
    slow_ = true;
    end_slow();
  }
  void end_slow() {
    if (connection_ == nullptr || connection_->closing()) return;
    ++here().slow;
    net::Connection& stream = connection_->stream();
    const bool cut = route_.slow_peers.drop_queue(stream);
    stream.resume_reading();  // the close handshake needs it
    connection_->close(websocket::kSlowConsumer, "slow consumer");
    if (cut) stream.abort(net::CloseCause::kSlow);
  }
  WebSocketRoute::State::OfShard& here() { return route_.of_shard[shard()]; }
  WebSocketPeer::State& handle_state() { return handle_.state(); }

  WebSocketRoute::State& route_;
  WebSocketPeer handle_;
  websocket::Connection* connection_ = nullptr;
  std::size_t index_ = 0;
  bool slow_ = false;  // end_slow() is deferred, or has run
};

WebSocketRoute::State::State(Core& owner, std::string route_path, bool is_prefix, WebSocketHandlers route_handlers)
    : core(owner), path(std::move(route_path)), prefix(is_prefix), handlers(std::move(route_handlers)),
      slow_peers({owner.options.queue_soft_bytes, owner.options.queue_hard_bytes, owner.options.queue_age_ms, &owner.budget}) {
  options.message_bytes_max = handlers.message_bytes_max;
  options.fragments_max = handlers.fragments_max;
  options.deflate = owner.engine_deflate();
  options.deflate.enabled = handlers.deflate;
}

WebSocketRoute::WebSocketRoute(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
WebSocketRoute::~WebSocketRoute() = default;

namespace {

void broadcast(WebSocketRoute::State& route, const base::Frame& frame) {
  Core& core = route.core;
  const Shard* here = core.here();
  for (std::uint32_t shard = 0; shard < core.shard_count(); ++shard) {
    if (here != nullptr && here->index() == shard) continue;
    core.post_message_to(shard, [&route, frame = frame.share(), shard] {
      for (RawPeer* peer : route.of_shard[shard].peers) peer->send(frame);
    });
  }
  if (here == nullptr) return;
  for (RawPeer* peer : route.of_shard[here->index()].peers) peer->send(frame);
}

}  // namespace

void WebSocketRoute::broadcast_text(std::string_view text) { broadcast(*state_, websocket::encode_text(text)); }
void WebSocketRoute::broadcast_binary(std::string_view bytes) { broadcast(*state_, websocket::encode_binary(bytes)); }

void WebSocketRouteHandler::on_head(http::Exchange& exchange) {
  if (!http::origin_allowed(route_.core.engine_cors(), exchange.request().header("Origin"))) {
    http::Response refusal;
    refusal.status = 403;
    exchange.respond(std::move(refusal));
    return;
  }
  if (route_.core.budget.level() == base::Budget::Level::kRefusing) {
    ++route_.of_shard[shard_].refused_overload;
    exchange.respond(http::overloaded_response(exchange.stream().reactor().random()));
    return;
  }
  auto peer = std::make_unique<RawPeer>(route_, shard_);
  const HttpRequest request = make_request(exchange.request(), {}, exchange.stream().peer().ip_text());
  websocket::Connection* connection = websocket::accept(exchange, route_.options, peer.get());
  if (connection != nullptr) peer.release()->opened(*connection, request);
}

// accept() has answered already whatever reached on_head().
void WebSocketRouteHandler::on_request(http::Exchange&, std::string_view) {}

void gather_queues(WebSocketRoute::State& route, std::uint32_t shard, std::size_t bytes_min,
                   std::vector<base::ShedCandidate>& queues) {
  for (RawPeer* peer : route.of_shard[shard].peers) {
    if (!peer->stalled() || peer->queued_bytes() < bytes_min) continue;
    queues.push_back({peer->queued_bytes(), peer, [](void* owner) { static_cast<RawPeer*>(owner)->give_up(); }});
  }
}

void close_peers(WebSocketRoute::State& route, std::uint32_t shard, std::uint16_t code, std::string_view reason) {
  for (RawPeer* peer : route.of_shard[shard].peers) peer->close(code, reason);
}

// ---- WebSocketPeer

namespace {

template <typename Action>
net::Task on_peer(const WebSocketPeer& peer, Action action) {
  return [peer, action = std::move(action)] {
    if (RawPeer* there = peer.state().peer) action(*there);
  };
}

void send(const WebSocketPeer& peer, const base::Frame& frame) {
  peer.state().core.post_message_to(peer.state().shard, on_peer(peer, [frame = frame.share()](RawPeer& there) { there.send(frame); }));
}

}  // namespace

void WebSocketPeer::send_text(std::string_view text) const { send(*this, websocket::encode_text(text)); }
void WebSocketPeer::send_binary(std::string_view bytes) const { send(*this, websocket::encode_binary(bytes)); }
void WebSocketPeer::close(std::uint16_t code, std::string_view reason) const {
  state_->core.post_to(state_->shard, on_peer(*this, [code, reason = std::string(reason)](RawPeer& peer) {
    peer.close(code, reason);
  }));
}
bool WebSocketPeer::open() const noexcept { return state_->open.load(std::memory_order_acquire); }

}  // namespace tidewire
