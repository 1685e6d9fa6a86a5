#include "engineio/server.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "engineio/frame_writer.h"
#include "engineio/packet_codec.h"
#include "engineio/polling_response.h"
#include "engineio/request_check.h"
#include "engineio/session_impl.h"
#include "http/overload.h"
#include "http/request_codec.h"

namespace tidewire::engineio {
namespace {

websocket::Options websocket_options(const Options& options, std::size_t message_bytes_max) {
  return {.message_bytes_max = message_bytes_max, .deflate = options.deflate};
}

// The bound before the admission; never more than the one after it.
std::size_t first_bytes_max(const Options& options) {
  const std::size_t first = options.first_message_bytes_max;
  return first == 0 ? options.payload_bytes_max : std::min(first, options.payload_bytes_max);
}

class ServerImpl;

// A handshake that waits for allow_request's answer, owned by the callback that brings it.
class PendingHandshake final : public http::Watcher {
 public:
  PendingHandshake(ServerImpl& server, http::Exchange& exchange) : server_(&server), exchange_(&exchange) {}
  ~PendingHandshake();
  void decide(const http::Permission& permission);
  // The answer was not given at once: the request's bytes are about to go.
  void keep_request();
  bool waiting() const noexcept { return exchange_ != nullptr; }
  void server_gone();

 private:
  void on_aborted(http::Exchange& exchange) override;

  ServerImpl* server_;        // null once it is gone
  http::Exchange* exchange_;  // null once it is answered, or its peer gone
  std::string head_;
  std::unique_ptr<http::RequestHead> kept_;  // views into head_; null if the answer was given at once
};

// A session is its own key: a table of pointers, looked up by sid. A sid begins with random bytes, which need no mixing.
struct SessionHash {
  using is_transparent = void;
  std::size_t operator()(const Sid& sid) const noexcept {
    std::size_t bits;
    std::memcpy(&bits, sid.data(), sizeof bits);
    return bits;
  }
  std::size_t operator()(const std::unique_ptr<SessionImpl>& session) const noexcept { return (*this)(session->sid()); }
};
struct SessionEqual {
  using is_transparent = void;
  static const Sid& key(const Sid& sid) noexcept { return sid; }
  static const Sid& key(const std::unique_ptr<SessionImpl>& session) noexcept { return session->sid(); }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const noexcept {
    return key(a) == key(b);
  }
};

class ServerImpl final : public Server, private SessionOwner {
 public:
  ServerImpl(net::Reactor& reactor, const Options& options, Hooks hooks, std::uint32_t shard, std::uint32_t shard_count);
  ~ServerImpl() override;

  void on_head(http::Exchange& exchange) override;
  void on_request(http::Exchange& exchange, std::string_view body) override;
  void on_body_refused(http::Exchange& exchange) override;
  const Statistics& statistics() const noexcept override { return statistics_; }
  void gather_queues(std::size_t bytes_min, std::vector<base::ShedCandidate>& queues) override;
  void close_all(CloseReason reason, std::uint16_t websocket_code, std::string_view text) override;

  // `request`: as the exchange's own may be gone.
  void admit(http::Exchange& exchange, const http::Request& request, const http::Permission& permission);
  void forget(PendingHandshake& pending) { pending_.erase(&pending); }

 private:
  // What the checks found: a refusal, a session here or on another shard, or none of them for a handshake.
  struct Verdict {
    std::optional<Refusal> refusal = std::nullopt;
    SessionImpl* session = nullptr;
    std::optional<std::uint32_t> other_shard = std::nullopt;
  };
  Verdict check(const http::Request& request) const;
  Verdict check_session(const http::Request& request, const Query& query, const TransportKind& kind) const;

  void refuse(http::Exchange& exchange, Refusal refusal, std::string_view message = {});
  void upgrade(http::Exchange& exchange, SessionImpl& session);
  void handshake(http::Exchange& exchange);
  SessionImpl& make_session(const http::Request& request, const net::Connection& stream);
  void open_polling(http::Exchange& exchange, const http::Request& request);
  void open_websocket(http::Exchange& exchange, const http::Request& request);
  void opened(SessionImpl& session);
  void await_return(const SessionImpl& session);
  void drop_oldest_unreturned();
  bool waits_for_return(const Sid& sid) const;
  std::string open_packet(const SessionImpl& session) const;

  void session_closed(SessionImpl& session) override;
  void session_gone(SessionImpl& session) override;
  void session_upgraded(SessionImpl& session) override;
  void session_returned(SessionImpl& session) override;
  void session_slow(SessionImpl&) override { ++statistics_.slow; }

  const Options& options() const noexcept { return context_->options; }

  // Immutable after construction.
  std::unique_ptr<EngineContext> context_;
  const Hooks hooks_;
  const std::uint32_t shard_;
  const std::uint32_t shard_count_;
  // Shard-local.
  SidSource sids_;
  absl::flat_hash_set<std::unique_ptr<SessionImpl>, SessionHash, SessionEqual> sessions_;
  absl::flat_hash_set<PendingHandshake*> pending_;
  // Polling sessions in the order of their handshakes; those that have come back or ended leave when they are the oldest,
  // so it holds no more than the handshakes of first_request_ms.
  std::deque<Sid> unreturned_;
  std::size_t unreturned_bytes_ = 0;
  Statistics statistics_;
};

PendingHandshake::~PendingHandshake() {
  // Who drops the question has not said yes.
  decide({.allowed = false, .message = {}});
  if (server_ != nullptr) server_->forget(*this);
}

void PendingHandshake::keep_request() {
  head_ = exchange_->request().raw_head;
  kept_ = std::make_unique<http::RequestHead>();
  const http::HeadResult result = http::parse_head(head_, *kept_);
  TW_ASSERT(result.outcome == http::HeadResult::Outcome::kComplete);
  exchange_->set_watcher(this);
}

void PendingHandshake::on_aborted(http::Exchange&) { exchange_ = nullptr; }

void PendingHandshake::server_gone() {
  server_ = nullptr;
  if (exchange_ != nullptr) std::exchange(exchange_, nullptr)->set_watcher(nullptr);
}

void PendingHandshake::decide(const http::Permission& permission) {
  http::Exchange* exchange = std::exchange(exchange_, nullptr);
  if (exchange == nullptr) return;
  exchange->set_watcher(nullptr);
  server_->admit(*exchange, kept_ == nullptr ? exchange->request() : kept_->request, permission);
}

ServerImpl::ServerImpl(net::Reactor& reactor, const Options& options, Hooks hooks, std::uint32_t shard,
                       std::uint32_t shard_count)
    : context_(new EngineContext{
          .reactor = reactor,
          .options = options,
          .slow_peers = net::SlowPeerRule({options.queue_soft_bytes, options.queue_hard_bytes, options.queue_age_ms, options.budget}),
          .websocket_options = websocket_options(options, options.payload_bytes_max),
          .first_websocket_options = websocket_options(options, first_bytes_max(options)),
          .owner = *this,
          .ping = make_packet_frame(kPingPacket)}),
      hooks_(std::move(hooks)),
      shard_(shard),
      shard_count_(shard_count),
      sids_(reactor.random(), shard) {
  TW_ASSERT(shard < shard_count);
  TW_ASSERT(shard_count == 1 || hooks_.hand_over);
}

ServerImpl::~ServerImpl() {
  close_all(CloseReason::kServerShutdown, websocket::kGoingAway, {});
  for (PendingHandshake* pending : pending_) pending->server_gone();
  // Calls that sessions deferred in this turn still find them, and what they refer to.
  net::Reactor& reactor = context_->reactor;
  while (!sessions_.empty()) bury(reactor, std::move(sessions_.extract(sessions_.begin()).value()));
  bury(reactor, std::move(context_));
}

// Requests.

ServerImpl::Verdict ServerImpl::check(const http::Request& request) const {
  const Query query = parse_query(request.query);
  const bool upgrade = wants_websocket(request);
  const TransportKind* kind = find_transport(query.transport, options());
  if (kind == nullptr) return {.refusal = Refusal::kTransportUnknown};
  if (!origin_well_formed(request)) return {.refusal = Refusal::kBadRequest};
  if (!query.sid.empty()) return check_session(request, query, *kind);
  if (request.method != "GET") return {.refusal = Refusal::kBadHandshakeMethod};
  if (kind->by_upgrade != upgrade) return {.refusal = Refusal::kBadRequest};
  return {};
}

ServerImpl::Verdict ServerImpl::check_session(const http::Request& request, const Query& query,
                                              const TransportKind& kind) const {
  const std::optional<Sid> sid = parse_sid(query.sid);
  if (!sid || shard_of(*sid) >= shard_count_) return {.refusal = Refusal::kSessionUnknown};
  if (shard_of(*sid) != shard_) return {.other_shard = shard_of(*sid)};
  const auto found = sessions_.find(*sid);
  if (found == sessions_.end()) return {.refusal = Refusal::kSessionUnknown};
  SessionImpl& session = **found;
  const bool upgrade = wants_websocket(request);
  if (kind.by_upgrade != upgrade) return {.refusal = Refusal::kBadRequest};
  if (!upgrade && kind.name != session.transport_name()) return {.refusal = Refusal::kBadRequest};
  if (upgrade && !options().allow_upgrades) return {.refusal = Refusal::kBadRequest};
  if (query.version != "4") return {.refusal = Refusal::kBadRequest};
  return {.session = &session};
}

void ServerImpl::on_head(http::Exchange& exchange) {
  if (http::apply_cors(options().cors, exchange)) return;
  const http::Request& request = exchange.request();
  const Verdict verdict = check(request);
  if (verdict.refusal) {
    refuse(exchange, *verdict.refusal);
  } else if (verdict.other_shard) {
    net::DetachedConnection connection = exchange.detach();
    // Else earlier answers must leave first, and we meet the request again.
    if (exchange.answered()) hooks_.hand_over(*verdict.other_shard, std::move(connection));
  } else if (wants_websocket(request)) {
    if (!http::origin_allowed(options().cors, request.header("origin"))) {
      ++statistics_.refused[static_cast<std::size_t>(Refusal::kForbidden)];
      refuse_origin(exchange);
    } else if (verdict.session != nullptr) {
      upgrade(exchange, *verdict.session);
    } else {
      handshake(exchange);
    }
  } else if (verdict.session != nullptr) {
    verdict.session->request_seen();
    if (request.method == "GET" || request.method == "POST") {
      exchange.set_body_limit(options().payload_bytes_max);  // whatever the session's state
      verdict.session->transport().on_head(exchange);
    } else {
      exchange.respond({.status = 405, .headers = {{"Allow", "GET, POST"}}, .body = {}});
    }
  }
}

void ServerImpl::on_request(http::Exchange& exchange, std::string_view body) {
  if (wants_websocket(exchange.request())) return;  // its handshake waits for allow_request
  // Checked again: the session may have ended, or changed its transport, while the body came.
  const Verdict verdict = check(exchange.request());
  if (verdict.refusal) {
    refuse(exchange, *verdict.refusal);
  } else if (verdict.session != nullptr) {
    verdict.session->transport().on_request(exchange, body);
  } else {
    handshake(exchange);
  }
}

void ServerImpl::on_body_refused(http::Exchange& exchange) {
  const auto found = context_->posts.find(&exchange);
  if (found != context_->posts.end()) found->second->on_body_refused(exchange);
}

void ServerImpl::refuse(http::Exchange& exchange, Refusal refusal, std::string_view message) {
  ++statistics_.refused[static_cast<std::size_t>(refusal)];
  engineio::refuse(exchange, refusal, message);
}

void ServerImpl::upgrade(http::Exchange& exchange, SessionImpl& session) {
  websocket::Connection* connection = websocket::accept(exchange, session.websocket_options(), &ignoring_listener());
  if (connection == nullptr) return;
  session.request_seen();
  if (session.may_upgrade()) {
    session.begin_upgrade(*connection);
  } else {
    connection->close(websocket::kPolicyViolation, "upgraded already");
  }
}

// Handshakes.

void ServerImpl::handshake(http::Exchange& exchange) {
  if (options().budget != nullptr && options().budget->level() == base::Budget::Level::kRefusing) {
    ++statistics_.refused_overload;
    exchange.respond(http::overloaded_response(context_->reactor.random()));
    return;
  }
  if (!hooks_.allow_request) {
    admit(exchange, exchange.request(), {});
    return;
  }
  auto pending = std::make_shared<PendingHandshake>(*this, exchange);
  pending_.insert(pending.get());
  hooks_.allow_request(exchange.request(), exchange.stream(),
                       [pending](const http::Permission& permission) { pending->decide(permission); });
  if (pending->waiting()) pending->keep_request();
}

void ServerImpl::admit(http::Exchange& exchange, const http::Request& request, const http::Permission& permission) {
  if (!permission.allowed) {
    refuse(exchange, Refusal::kForbidden, permission.message);
  } else if (parse_query(request.query).version != "4") {
    refuse(exchange, Refusal::kUnsupportedVersion);
  } else if (wants_websocket(request)) {
    open_websocket(exchange, request);
  } else {
    open_polling(exchange, request);
  }
}

SessionImpl& ServerImpl::make_session(const http::Request& request, const net::Connection& stream) {
  Handshake said;
  said.head = std::string(request.raw_head);
  said.address = stream.peer();
  said.issued_ms = context_->reactor.wall_clock_ms();
  said.secure = stream.secure();
  const Sid sid = sids_.next();
  const auto [place, inserted] = sessions_.insert(std::make_unique<SessionImpl>(*context_, sid, std::move(said)));
  TW_ASSERT(inserted);
  return **place;
}

void ServerImpl::open_polling(http::Exchange& exchange, const http::Request& request) {
  SessionImpl& session = make_session(request, exchange.stream());
  session.begin_polling();
  ++statistics_.polling_sessions;
  http::Response response = payload_response(open_packet(session), http::Coding::kIdentity, options());
  if (!options().cookie_name.empty()) {
    response.headers.emplace_back("Set-Cookie",
                                  options().cookie_name + "=" + session.sid_text() + "; Path=/; HttpOnly; SameSite=Lax");
  }
  if (hooks_.initial_headers) hooks_.initial_headers(request, response.headers);
  exchange.respond(std::move(response));
  await_return(session);
  opened(session);
}

void ServerImpl::open_websocket(http::Exchange& exchange, const http::Request& request) {
  // Made first: the request's bytes may go with the switch.
  SessionImpl& session = make_session(request, exchange.stream());
  websocket::Connection* connection = websocket::accept(exchange, session.websocket_options(), &ignoring_listener());
  if (connection == nullptr) {
    sessions_.erase(sessions_.find(session.sid()));
    return;
  }
  session.begin_websocket(*connection);
  session.send(make_packet_frame(open_packet(session)), base::Lane::kNormal);
  opened(session);
}

void ServerImpl::opened(SessionImpl& session) {
  ++statistics_.handshakes;
  ++statistics_.sessions;
  if (hooks_.session_opened) hooks_.session_opened(session);
}

std::string ServerImpl::open_packet(const SessionImpl& session) const {
  const bool upgrades = session.on_polling() && options().allow_upgrades && options().websocket;
  return "0{\"sid\":\"" + session.sid_text() + "\",\"upgrades\":" + (upgrades ? "[\"websocket\"]" : "[]") +
         ",\"pingInterval\":" + std::to_string(options().ping_interval_ms) +
         ",\"pingTimeout\":" + std::to_string(options().ping_timeout_ms) +
         ",\"maxPayload\":" + std::to_string(options().payload_bytes_max) + "}";
}

// Sessions.

bool ServerImpl::waits_for_return(const Sid& sid) const {
  const auto found = sessions_.find(sid);
  return found != sessions_.end() && (*found)->open() && !(*found)->returned();
}

// The bound is on memory too: who sends long heads gets fewer sessions.
void ServerImpl::await_return(const SessionImpl& session) {
  while (!unreturned_.empty() && !waits_for_return(unreturned_.front())) unreturned_.pop_front();
  const std::size_t bytes_max = options().unreturned_max * base::limits::kUnreturnedSessionBytes;
  while (statistics_.unreturned != 0 &&
         (statistics_.unreturned >= options().unreturned_max || unreturned_bytes_ + session.idle_bytes() > bytes_max)) {
    drop_oldest_unreturned();
  }
  unreturned_.push_back(session.sid());
  ++statistics_.unreturned;
  unreturned_bytes_ += session.idle_bytes();
}

void ServerImpl::drop_oldest_unreturned() {
  while (!waits_for_return(unreturned_.front())) unreturned_.pop_front();
  const Sid oldest = unreturned_.front();
  unreturned_.pop_front();
  ++statistics_.unreturned_dropped;
  (*sessions_.find(oldest))->end_unreturned();
}

void ServerImpl::session_returned(SessionImpl& session) {
  --statistics_.unreturned;
  unreturned_bytes_ -= session.idle_bytes();
}

void ServerImpl::gather_queues(std::size_t bytes_min, std::vector<base::ShedCandidate>& queues) {
  for (const auto& session : sessions_) {
    const std::size_t bytes = session->queued_bytes();
    if (bytes < bytes_min || !session->stalled()) continue;
    queues.push_back({bytes, session.get(), [](void* owner) { static_cast<SessionImpl*>(owner)->give_up(); }});
  }
}

void ServerImpl::session_closed(SessionImpl& session) {
  if (!session.returned()) session_returned(session);
  --statistics_.sessions;
  if (session.on_polling()) --statistics_.polling_sessions;
}

void ServerImpl::session_gone(SessionImpl& session) {
  const auto found = sessions_.find(session.sid());
  TW_ASSERT(found != sessions_.end());
  bury(context_->reactor, std::move(sessions_.extract(found).value()));
}

void ServerImpl::session_upgraded(SessionImpl&) {
  ++statistics_.upgrades;
  --statistics_.polling_sessions;
}

void ServerImpl::close_all(CloseReason reason, std::uint16_t websocket_code, std::string_view text) {
  // A close may remove the session, and a listener may close others.
  std::vector<Sid> open;
  open.reserve(sessions_.size());
  for (const auto& session : sessions_) open.push_back(session->sid());
  for (const Sid& sid : open) {
    const auto found = sessions_.find(sid);
    if (found != sessions_.end()) (*found)->close(reason, websocket_code, text);
  }
}

}  // namespace

std::unique_ptr<Server> Server::make(net::Reactor& reactor, const Options& options, Hooks hooks, std::uint32_t shard,
                                     std::uint32_t shard_count) {
  return std::make_unique<ServerImpl>(reactor, options, std::move(hooks), shard, shard_count);
}

}  // namespace tidewire::engineio
