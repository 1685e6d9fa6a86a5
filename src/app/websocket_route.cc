#include "app/websocket_route.h"

#include <atomic>
#include <exception>
#include <utility>

#include "app/core.h"
#include "app/shard.h"
#include "http/cors.h"

namespace tidewire {

// What handles of one connection share. `connection` is the shard's; the flag is for everybody.
struct WebSocketPeer::State {
  State(Core& owner, std::uint32_t index, RawPeer* raw) : core(owner), shard(index), peer(raw) {}
  Core& core;
  const std::uint32_t shard;
  RawPeer* peer;  // null once closed; the shard's
  std::atomic<bool> open{true};
};

// The listener of one raw connection; ends itself when the connection has ended.
class RawPeer final : public websocket::Listener {
 public:
  RawPeer(WebSocketRoute::State& route, std::uint32_t shard)
      : route_(route), handle_(std::make_shared<WebSocketPeer::State>(route.core, shard, this)) {}

  // Joins the route's table: only now, since an upgrade may be refused.
  void opened(websocket::Connection& connection, const HttpRequest& request) {
    connection_ = &connection;
    auto& peers = peers_here();
    index_ = peers.size();
    peers.push_back(this);
    if (route_.handlers.on_open) guarded([&] { route_.handlers.on_open(handle_, request); });
  }
  void on_text(websocket::Connection&, std::span<char> message) override {
    if (route_.handlers.on_text) guarded([&] { route_.handlers.on_text(handle_, {message.data(), message.size()}); });
  }
  void on_binary(websocket::Connection&, std::span<char> message) override {
    if (route_.handlers.on_binary) guarded([&] { route_.handlers.on_binary(handle_, {message.data(), message.size()}); });
  }
  void on_drained(websocket::Connection& connection) override { connection.stream().resume_reading(); }
  void on_closed(websocket::Connection&, std::uint16_t code, std::string_view, bool) override {
    connection_ = nullptr;
    handle_state().open.store(false, std::memory_order_release);
    handle_state().peer = nullptr;
    auto& peers = peers_here();
    peers[index_] = peers.back();
    peers[index_]->index_ = index_;
    peers.pop_back();
    if (route_.handlers.on_close) guarded([&] { route_.handlers.on_close(handle_, code); });
    Core::current_shard()->reactor().defer([this] { delete this; });
  }

  void send(const base::Frame& frame) {
    if (connection_ == nullptr || connection_->closing()) return;
    const std::size_t queued = connection_->stream().out().bytes();
    const Options& options = route_.core.options;
    if (queued > options.queue_hard_bytes && queued > frame.size()) return connection_->close(websocket::kSlowConsumer, "slow consumer");
    connection_->send(frame);
    if (queued > options.queue_soft_bytes) connection_->stream().pause_reading();
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
    }
  }
  std::vector<RawPeer*>& peers_here() { return route_.peers_of_shard[shard()]; }
  WebSocketPeer::State& handle_state() { return handle_.state(); }

  WebSocketRoute::State& route_;
  WebSocketPeer handle_;
  websocket::Connection* connection_ = nullptr;
  std::size_t index_ = 0;
};

WebSocketRoute::State::State(Core& owner, std::string route_path, bool is_prefix, WebSocketHandlers route_handlers)
    : core(owner), path(std::move(route_path)), prefix(is_prefix), handlers(std::move(route_handlers)) {
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
  for (std::uint32_t shard = 0; shard < core.shard_count(); ++shard) {
    const Shard* here = Core::current_shard();
    if (here != nullptr && here->index() == shard) continue;
    core.post_to(shard, [&route, frame = frame.share(), shard] {
      for (RawPeer* peer : route.peers_of_shard[shard]) peer->send(frame);
    });
  }
  if (const Shard* here = Core::current_shard(); here != nullptr) {
    for (RawPeer* peer : route.peers_of_shard[here->index()]) peer->send(frame);
  }
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
  auto peer = std::make_unique<RawPeer>(route_, shard_);
  const HttpRequest request = make_request(exchange.request(), {}, exchange.stream().peer().ip_text());
  websocket::Connection* connection = websocket::accept(exchange, route_.options, peer.get());
  if (connection != nullptr) peer.release()->opened(*connection, request);
}

// accept() has answered already whatever reached on_head().
void WebSocketRouteHandler::on_request(http::Exchange&, std::string_view) {}

// ---- WebSocketPeer

namespace {

void on_peer(const WebSocketPeer& peer, UniqueFunction<void(RawPeer&)> action) {
  Core& core = peer.state().core;
  core.post_to(peer.state().shard, [peer, action = std::move(action)] {
    if (RawPeer* there = peer.state().peer) action(*there);
  });
}

}  // namespace

void WebSocketPeer::send_text(std::string_view text) const {
  on_peer(*this, [frame = websocket::encode_text(text).share()](RawPeer& peer) { peer.send(frame); });
}
void WebSocketPeer::send_binary(std::string_view bytes) const {
  on_peer(*this, [frame = websocket::encode_binary(bytes).share()](RawPeer& peer) { peer.send(frame); });
}
void WebSocketPeer::close(std::uint16_t code, std::string_view reason) const {
  on_peer(*this, [code, reason = std::string(reason.substr(0, 123))](RawPeer& peer) { peer.close(code, reason); });
}
bool WebSocketPeer::open() const noexcept { return state_->open.load(std::memory_order_acquire); }

}  // namespace tidewire
