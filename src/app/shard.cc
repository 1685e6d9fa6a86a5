#include "app/shard.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "app/core.h"
#include "tidewire/task.h"

namespace tidewire {
namespace {

constexpr std::int64_t kShutdownMs = 2'000;  // for what is queued to leave
constexpr std::int64_t kShutdownCheckMs = 20;
constexpr std::size_t kUnreturnedShare = 10;  // of connections_max

std::vector<net::Network> networks(const std::vector<std::string>& texts, base::LogSink& log) {
  std::vector<net::Network> list;
  for (const std::string& text : texts) {
    if (const auto parsed = net::Network::parse(text)) {
      list.push_back(*parsed);
    } else {
      log.write(base::LogLevel::kError, "not a network, ignored", {{"network", text}});
    }
  }
  return list;
}

hub::HubOptions hub_options(const Options& options) {
  return {options.cleanup_empty_child_namespaces, options.ack_timeout_ms, options.identity_warning_ms};
}

}  // namespace

// Closing sessions have their last frames queued: they leave with this turn's flush, slow peers get a little longer.
struct Shard::StopTimer final : base::Timer {
  StopTimer(net::Reactor& owner, base::Milliseconds by) : reactor(owner), deadline(by) {}
  ~StopTimer() = default;
  void expired(base::Milliseconds now) override {
    if (now < deadline && reactor.statistics().connections > 0) {
      reactor.timers().arm(*this, now + kShutdownCheckMs);
    } else {
      reactor.stop();
    }
  }
  net::Reactor& reactor;
  const base::Milliseconds deadline;
};

Shard::Shard(Core& core, std::uint32_t index, std::uint32_t count, std::unique_ptr<net::Reactor> reactor)
    : core_(core),
      index_(index),
      count_(count),
      reactor_(std::move(reactor)),
      hub_(hub_options(core.options),
           hub::HubContext{reactor_->timers(), reactor_->random(), core.log, *this, core.registry,
                           [this] { return reactor_->now(); },
                           [this](UniqueFunction<void()> task) { reactor_->defer(std::move(task)); }, authenticate(),
                           [this] { return reactor_->wall_clock_ms(); }, &core.rooms}),
      socketio_{hub_, core.socketio_dialect,
                {.connect_timeout_ms = core.options.connect_timeout_ms,
                 .attachments_max = core.options.attachments_max,
                 .attachment_bytes_max = core.options.payload_bytes_max * core.options.attachments_max,
                 .json_depth = core.options.json_depth}} {
  for (std::uint32_t other = 0; other < count; ++other) {
    spills_.push_back(std::make_unique<Spill>(Spill::Context{
        .reactor = *reactor_,
        .budget = core.budget,
        .dropped = core.dropped_messages,
        .deliver = [&core, other](net::Task& task) { return core.shard(other).reactor_->post(task); },
        .loss = [&core, other] { core.shard(other).close_all_for_loss(); }}));
  }
  http_options_.trusted_proxies = networks(core.options.trusted_proxies, core.log);
  acceptor_ = [this](net::Connection& stream) { return http::make_connection(stream, router_, http_options_); };
  if (core.options.serve_socketio) make_socketio();
  if (core.options.serve_plain) make_plain();
  add_routes();
  make_shed();
}

void Shard::end() {
  reactor_->close();
  std::exchange(delayed_, {}).clear();
  for (const auto& spill : spills_) spill->drop_all();
  hub_.drop_questions();
}

Shard::~Shard() {
  stop_timer_.reset();
  delayed_.clear();
  // Connections and sessions call into the hub as they end.
  engineio_.reset();
  shed_.reset();
  spills_.clear();
  reactor_.reset();
}

// The application's authenticator in the words of the hub; none when there is none.
hub::Authenticate Shard::authenticate() {
  if (!core_.authenticate) return {};
  return [this](const hub::Credentials& credentials, UniqueFunction<void(hub::Verdict)> answer) {
    core_.authenticate(Credentials(credentials), Verdict([reach = core_.reach, index = index_,
                                                          answer = std::move(answer)](hub::Verdict&& verdict) mutable {
      reach->post_to(index, [answer = std::move(answer), verdict = std::move(verdict)]() mutable { answer(std::move(verdict)); });
    }));
  };
}

// The application's allow_request in the words of the layers; none when there is none.
http::AllowRequest Shard::permission() {
  if (!core_.allow_request) return {};
  return [this](const http::Request& request, const net::Connection& stream, std::function<void(http::Permission)> answer) {
    const auto answered = [answer = std::move(answer)](std::string refusal) {
      const bool allowed = refusal.empty();
      answer({allowed, std::move(refusal)});
    };
    try {
      core_.allow_request(make_request(request, {}, stream.peer().ip_text()), answered);
    } catch (...) {
      report_task_failure(std::current_exception());  // and nobody has said yes
    }
  };
}

void Shard::make_socketio() {
  const Options& options = core_.options;
  engineio::Options engine;
  engine.path = options.path;
  engine.ping_interval_ms = options.ping_interval_ms;
  engine.ping_timeout_ms = options.ping_timeout_ms;
  engine.upgrade_timeout_ms = options.upgrade_timeout_ms;
  engine.payload_bytes_max = options.payload_bytes_max;
  engine.packets_per_payload_max = options.packets_per_payload_max;
  engine.polling = options.polling;
  engine.websocket = options.websocket;
  engine.allow_upgrades = options.allow_upgrades;
  engine.http_compression = options.http_compression;
  engine.queue_soft_bytes = options.queue_soft_bytes;
  engine.queue_hard_bytes = options.queue_hard_bytes;
  engine.queue_age_ms = options.queue_age_ms;
  engine.cookie_name = options.cookie_name;
  engine.cors = core_.engine_cors();
  engine.deflate = core_.engine_deflate();
  engine.first_message_bytes_max = base::limits::kFirstMessageBytesMax;
  engine.unreturned_max = std::max<std::size_t>(options.connections_max / kUnreturnedShare / count_, 1);
  engine.budget = &core_.budget;

  engineio::Server::Hooks hooks;
  hooks.session_opened = [this](engineio::Session& session) { socketio::Client::attach(socketio_, session); };
  hooks.hand_over = [this](std::uint32_t shard, net::DetachedConnection connection) {
    hand_over(shard, std::move(connection));
  };
  hooks.allow_request = permission();
  if (core_.initial_headers) {
    hooks.initial_headers = [this](const http::Request& request, std::vector<std::pair<std::string, std::string>>& headers) {
      try {
        core_.initial_headers(make_request(request, {}, {}), headers);
      } catch (...) {
        report_task_failure(std::current_exception());
      }
    };
  }
  engineio_ = engineio::Server::make(*reactor_, engine, std::move(hooks), index_, count_);
  router_.add(engine.path, http::Router::Match::kPrefix, *engineio_);
  router_.add_upgrade(engine.path, http::Router::Match::kPrefix, *engineio_);
}

void Shard::make_plain() {
  const Options& options = core_.options;
  plain::Options plain;
  plain.message_bytes_max = options.payload_bytes_max;
  plain.ping_interval_ms = options.ping_interval_ms;
  plain.ping_timeout_ms = options.ping_timeout_ms;
  plain.queue_soft_bytes = options.queue_soft_bytes;
  plain.queue_hard_bytes = options.queue_hard_bytes;
  plain.queue_age_ms = options.queue_age_ms;
  plain.admission_timeout_ms = options.connect_timeout_ms;
  plain.json_depth = options.json_depth;
  plain.cors = core_.engine_cors();
  plain.deflate = core_.engine_deflate();
  plain.budget = &core_.budget;
  plain_ = std::make_unique<plain::Endpoint>(hub_, core_.plain_flat, core_.plain_data, *reactor_, std::move(plain));
  for (const std::string& path : options.plain_paths) {
    const plain::Dialect& dialect = path == "/" ? core_.plain_flat : core_.plain_data;
    auto acceptor = std::make_unique<plain::Acceptor>(*plain_, dialect, permission());
    router_.add_upgrade(path, http::Router::Match::kExact, *acceptor);
    handlers_.push_back(std::move(acceptor));
  }
}

void Shard::add_routes() {
  // Routes of one path share a handler, which answers 405 when no method fits.
  std::vector<std::pair<const HttpRoute*, HttpRouteHandler*>> by_path;
  for (const HttpRoute& route : core_.http_routes) {
    const auto known = std::find_if(by_path.begin(), by_path.end(), [&](const auto& entry) {
      return entry.first->path == route.path && entry.first->prefix == route.prefix;
    });
    if (known != by_path.end()) {
      known->second->add(route);
      continue;
    }
    auto handler = std::make_unique<HttpRouteHandler>(core_, index_);
    handler->add(route);
    router_.add(route.path, route.prefix ? http::Router::Match::kPrefix : http::Router::Match::kExact, *handler);
    by_path.emplace_back(&route, handler.get());
    handlers_.push_back(std::move(handler));
  }
  for (const auto& route : core_.websocket_routes) {
    WebSocketRoute::State& state = route->state();
    auto handler = std::make_unique<WebSocketRouteHandler>(state, index_);
    const auto match = state.prefix ? http::Router::Match::kPrefix : http::Router::Match::kExact;
    router_.add_upgrade(state.path, match, *handler);
    // Requests that are no proper upgrade learn why, unless the path has an HTTP route of its own.
    const auto same_path = [&](const HttpRoute& http) { return http.path == state.path && http.prefix == state.prefix; };
    if (std::none_of(core_.http_routes.begin(), core_.http_routes.end(), same_path)) router_.add(state.path, match, *handler);
    handlers_.push_back(std::move(handler));
  }
  if (!core_.static_files.empty()) {
    auto handler = std::make_unique<http::StaticFiles>(core_.static_files);
    for (const http::StaticFile& file : core_.static_files) {
      router_.add(std::string(file.path), http::Router::Match::kExact, *handler);
    }
    handlers_.push_back(std::move(handler));
  }
}

void Shard::make_shed() {
  shed_ = std::make_unique<Shed>(Shed::Context{
      .reactor = *reactor_,
      .budget = core_.budget,
      .board = core_.shed_board,
      .shard = index_,
      .shard_count = count_,
      .soft_bytes = core_.options.queue_soft_bytes,
      .gather =
          [this](std::size_t bytes_min, std::vector<base::ShedCandidate>& queues) {
            if (engineio_ != nullptr) engineio_->gather_queues(bytes_min, queues);
            if (plain_ != nullptr) plain_->gather_queues(bytes_min, queues);
            for (const auto& route : core_.websocket_routes) gather_queues(route->state(), index_, bytes_min, queues);
          },
      .wake =
          [this](std::uint32_t shard) {
            Shard& target = core_.shard(shard);
            target.post_task([&target] { target.shed_->begin(); });
          }});
  reactor_->set_budget(core_.budget, [this] { shed_->begin(); });
  reactor_->set_open_total(core_.open_connections);
}

Result<std::uint16_t> Shard::listen(std::uint16_t port) {
  net::ListenOptions listen_options;
  listen_options.host = core_.options.host;
  listen_options.port = port;
  listen_options.alone = index_ == 0;  // the other shards share the first one's port
  listen_options.connections_max = core_.options.connections_max;
  listen_options.address_limit = core_.address_limit;
  listen_options.tls = core_.tls;
  listen_options.proxy_protocol_from = networks(core_.options.proxy_protocol_from, core_.log);
  return reactor_->listen(listen_options, acceptor_);
}

void Shard::run() { reactor_->run(); }

void Shard::shut_down() {
  reactor_->stop_listening();
  close_all(DisconnectReason::kServerShutdown, engineio::CloseReason::kServerShutdown, websocket::kGoingAway,
            "the server is stopping");
  if (stop_timer_ != nullptr) return;
  stop_timer_ = std::make_unique<StopTimer>(*reactor_, reactor_->now() + kShutdownMs);
  reactor_->timers().arm(*stop_timer_, reactor_->now() + kShutdownCheckMs);
}

void Shard::close_all(DisconnectReason reason, engineio::CloseReason session_reason, std::uint16_t code, std::string_view text) {
  if (engineio_ != nullptr) engineio_->close_all(session_reason, code, text);
  if (plain_ != nullptr) plain_->close_all(reason, code, text);
  for (const auto& route : core_.websocket_routes) close_peers(route->state(), index_, code, text);
}

// Waits for its time in delayed_.
struct Shard::Delayed final : base::Timer {
  Delayed(Shard& its_shard, net::Task work) : shard(its_shard), task(std::move(work)) {}
  ~Delayed() = default;
  void expired(base::Milliseconds) override {
    const auto self = shard.delayed_.extract(this);
    try {
      task();
    } catch (...) {
      report_task_failure(std::current_exception());
    }
  }
  Shard& shard;
  net::Task task;
};

void Shard::after(std::int64_t delay_ms, net::Task task) {
  auto delayed = std::make_unique<Delayed>(*this, std::move(task));
  reactor_->timers().arm(*delayed, reactor_->now() + std::clamp<std::int64_t>(delay_ms, 0, base::limits::kDelayMsMax));
  delayed_.emplace(delayed.get(), std::move(delayed));
}

// ---- between shards

void Shard::post(std::uint32_t shard, hub::HubTask task) {
  Shard& target = core_.shard(shard);
  target.post_task([&target, task = std::move(task)] { task(target.hub_); });
}

bool Shard::post_message(std::uint32_t shard, hub::HubTask task, bool is_volatile) {
  Shard& target = core_.shard(shard);
  return target.post_message([&target, task = std::move(task)] { task(target.hub_); }, is_volatile);
}

void Shard::post_task(net::Task task) {
  if (const Shard* sender = core_.here()) return sender->spills_[index_]->post(std::move(task));
  settle_for_outsider();
  static_cast<void>(reactor_->post(task, true));
}

bool Shard::post_message(net::Task task, bool is_volatile) {
  if (const Shard* sender = core_.here()) return sender->spills_[index_]->post_message(std::move(task), is_volatile);
  settle_for_outsider();
  net::PostResult posted = reactor_->post(task);
  if (posted == net::PostResult::kFull) {
    if (core_.budget.level() == base::Budget::Level::kRefusing) {
      core_.dropped_messages.fetch_add(1, std::memory_order_relaxed);
      if (!is_volatile && !outsiders_end_with_loss_.exchange(true)) post_task([this] { outsider_lost(); });
      return false;
    }
    posted = reactor_->post(task, true);
  }
  outsiders_end_with_loss_.store(false);
  return posted == net::PostResult::kPosted;
}

// A thread without turns, which may end at any time: what it has made is counted when it posts it, to the last byte.
void Shard::settle_for_outsider() {
  if (base::unsettled_bytes == 0 || !core_.budget.settle_now() || core_.shed_board.active(index_)) return;
  net::Task look = [this] { shed_->begin(); };
  static_cast<void>(reactor_->post(look));  // a shard with a full mailbox comes to it by itself
}

// It may have been a broadcast, on its way to every shard.
void Shard::outsider_lost() {
  for (std::uint32_t shard = 0; shard < count_; ++shard) {
    core_.post_to(shard, [&target = core_.shard(shard)] { target.close_all_for_loss(); });
  }
}

void Shard::close_all_for_loss() {
  close_all(DisconnectReason::kForcedClose, engineio::CloseReason::kForcedClose, websocket::kTryAgainLater, "messages were lost");
}

void Shard::hand_over(std::uint32_t shard, net::DetachedConnection connection) {
  Shard& target = core_.shard(shard);
  auto moved = std::make_shared<net::DetachedConnection>(std::move(connection));
  target.post_task([&target, moved] { target.reactor_->adopt(std::move(*moved), target.acceptor_); });
}

void Shard::add_to(ServerStatistics& total) {
  const net::ReactorStatistics& net = reactor_->statistics();
  total.connections += net.connections;
  total.accepted += net.accepted;
  total.bytes_in += net.bytes_in;
  total.bytes_out += net.bytes_out;
  total.sends += net.sends;
  total.slow_consumers += net.closed_slow;
  total.shed_queues += shed_->count();
  total.refused_connections += net.refused;
  total.refused_by_address += net.refused_by_address;
  total.dropped_messages = core_.dropped_messages.load(std::memory_order_relaxed);
  for (const auto& route : core_.websocket_routes) {
    const WebSocketRoute::State::OfShard& raw = route->state().of_shard[index_];
    total.slow_consumers += raw.slow;
    total.refused_by_memory += raw.refused_overload;
  }
  total.held_bytes = core_.budget.used_bytes();
  total.held_bytes_max = core_.budget.limit_bytes();
  const hub::HubStatistics& hub = hub_.statistics();
  total.sockets += hub.members;
  total.events_in += hub.events_in;
  total.deliveries += hub.deliveries;
  total.listener_failures += hub.listener_failures;
  total.volatile_dropped += hub.volatile_dropped;
  total.refused_namespaces += hub.refused_namespaces;
  total.refused_rooms += hub.refused_rooms;
  total.protocol_errors += socketio_.statistics.protocol_errors;
  if (plain_ != nullptr) {
    total.plain_peers += plain_->statistics.peers;
    total.plain_handshakes += plain_->statistics.opened;
    total.protocol_errors += plain_->statistics.invalid_messages;
    total.slow_consumers += plain_->statistics.slow;
    total.refused_by_memory += plain_->statistics.refused_overload;
  }
  if (engineio_ != nullptr) {
    total.sessions += engineio_->statistics().sessions;
    total.polling_sessions += engineio_->statistics().polling_sessions;
    total.handshakes += engineio_->statistics().handshakes;
    total.upgrades += engineio_->statistics().upgrades;
    total.slow_consumers += engineio_->statistics().slow;
    total.refused_by_memory += engineio_->statistics().refused_overload;
    total.sessions_not_begun += engineio_->statistics().unreturned;
    total.sessions_given_up += engineio_->statistics().unreturned_dropped;
  }
}

}  // namespace tidewire
