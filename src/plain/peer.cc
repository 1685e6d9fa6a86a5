#include "plain/peer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "http/query.h"
#include "websocket/close_code.h"

namespace tidewire::plain {

namespace limits = base::limits;

static_assert(sizeof(Peer) <= 160, "an idle peer pays for every byte");

namespace {

constexpr std::uint16_t kNoPongCode = 4012;
constexpr base::Milliseconds kLogIntervalMs = 1'000;

DisconnectReason reason_of(std::uint16_t code, bool by_us) noexcept {
  if (!by_us) return DisconnectReason::kTransportClose;
  switch (code) {
    case websocket::kSlowConsumer: return DisconnectReason::kSlowConsumer;
    case websocket::kGoingAway: return DisconnectReason::kServerShutdown;
    default: return DisconnectReason::kTransportError;
  }
}

// ?namespace=/chat; empty if the name can be nobody's.
std::string namespace_of(std::string_view query) {
  std::string name = http::Query(query).value("namespace");
  if (name.empty() || name.front() != '/') name.insert(name.begin(), '/');
  if (name.size() > limits::kNamespaceNameBytesMax || !base::valid_utf8(name)) return {};
  return name;
}

// Data that names a code is an error in our own shape; all other data are details of a plain refusal.
base::Frame encode_refusal(const Dialect& dialect, const hub::Refusal& refusal) {
  if (refusal.message == hub::kInvalidNamespaceText) return dialect.encode_error("invalid_namespace", refusal.message, {});
  const Value data = refusal.data.empty() ? Value() : Value::parse(refusal.data).value_or(Value());
  const auto code = data["code"].as_string();
  if (!code) return dialect.encode_error("refused", refusal.message, refusal.data);
  const Value& details = data["details"];
  return dialect.encode_error(*code, data["message"].as_string().value_or(refusal.message), details.is_null() ? "" : details.to_json());
}

}  // namespace

struct Peer::Entry final : hub::Admission {
  Entry(Peer& owner, base::Milliseconds latest) : peer(owner), due(latest) {}
  void admitted(hub::Member& member) override {
    peer.member_ = hub::MemberRef(member);
    if (peer.connection_ != nullptr) peer.connection_->set_options(peer.endpoint_.websocket);
  }
  void refused(const hub::Refusal& refusal) override { peer.refused(refusal); }
  void settled(hub::Member&) override { peer.deliver_waiting(); }

  struct Waiting {
    std::string bytes;
    bool binary;
  };
  // False when there is no room for one more.
  bool wait(std::span<const char> message, bool binary) {
    if (waiting.size() >= limits::kPacketsBeforeConnectMax || waiting_bytes + message.size() > bytes_max()) return false;
    waiting_bytes += message.size();
    waiting.push_back({std::string(message.data(), message.size()), binary});
    return true;
  }
  std::size_t bytes_max() const noexcept { return peer.endpoint_.first_websocket.message_bytes_max; }

  Peer& peer;
  const base::Milliseconds due;
  std::vector<Waiting> waiting;
  std::size_t waiting_bytes = 0;
};

void Peer::open(Endpoint& endpoint, const Dialect& dialect, http::Exchange& exchange) {
  // Made first: the request's bytes may go with the switch.
  std::unique_ptr<Peer> peer(new Peer(endpoint, dialect, exchange.request()));
  const std::string namespace_name = namespace_of(exchange.request().query);
  peer->connection_ = websocket::accept(exchange, endpoint.first_websocket, peer.get());
  if (peer->connection_ == nullptr) return;
  endpoint.peers.insert(peer.get());
  ++endpoint.statistics.opened;
  ++endpoint.statistics.peers;
  peer.release()->enter(namespace_name);
}

Peer::Peer(Endpoint& endpoint, const Dialect& dialect, const http::Request& request)
    : endpoint_(endpoint), dialect_(dialect), head_(request.raw_head), issued_ms_(endpoint.reactor.wall_clock_ms()) {}

void Peer::enter(const std::string& namespace_name) {
  due_ = endpoint_.hub.now() + endpoint_.options.ping_interval_ms;
  if (namespace_name.empty()) return refused({std::string(hub::kInvalidNamespaceText), {}});
  entry_ = std::make_shared<Entry>(*this, endpoint_.hub.now() + endpoint_.options.admission_timeout_ms);
  arm();
  // The entry may be gone, and with it this reference, when the call returns.
  const std::shared_ptr<hub::Admission> admission = entry_;
  endpoint_.hub.admit(namespace_name, *this, dialect_, {}, admission);
}

void Peer::refused(const hub::Refusal& refusal) {
  ++endpoint_.statistics.refused;
  send(encode_refusal(dialect_, refusal), base::Lane::kNormal);
  end(DisconnectReason::kForcedServerClose, refusal.close_code == 0 ? std::uint16_t{websocket::kPolicyViolation} : refusal.close_code,
      refusal.close_code == 0 ? "refused" : std::string_view(refusal.message));
}

void Peer::deliver_waiting() {
  const std::shared_ptr<Entry> entry = std::move(entry_);
  for (Entry::Waiting& message : entry->waiting) {
    if (ended_) return;
    if (message.binary) {
      take_binary(message.bytes);
    } else {
      take_text(message.bytes);
    }
  }
}

// ---- messages in

void Peer::on_text(websocket::Connection&, std::span<char> message) {
  ++endpoint_.statistics.messages_in;
  if (entry_ == nullptr) return take_text(message);
  wait(message, false);
}

void Peer::on_binary(websocket::Connection&, std::span<char> message) {
  ++endpoint_.statistics.messages_in;
  if (entry_ == nullptr) return take_binary({message.data(), message.size()});
  wait(message, true);
}

void Peer::wait(std::span<const char> message, bool binary) {
  if (entry_->wait(message, binary)) return;
  end(DisconnectReason::kForcedClose, websocket::kPolicyViolation, "too much before the admission");
}

void Peer::take_text(std::span<char> message) {
  Envelope envelope;
  if (const EnvelopeError error = envelope.parse(message, endpoint_.options.json_depth); error != EnvelopeError::kOk) {
    return reject(envelope, error);
  }
  switch (envelope.kind()) {
    case Envelope::Kind::kEvent: break;
    case Envelope::Kind::kJoin:
    case Envelope::Kind::kLeave: return change_room(envelope);
    case Envelope::Kind::kPing: return send(encode_pong(envelope.id()), base::Lane::kNormal);
    case Envelope::Kind::kAck: return take_ack(envelope);
    case Envelope::Kind::kError:  // an answer could go round for ever
      ++endpoint_.statistics.invalid_messages;
      return;
  }
  dispatch(envelope);
}

void Peer::dispatch(const Envelope& envelope) {
  const ArgumentsView arguments(envelope.arguments(), envelope.argument_count(), envelope.attachments());
  if (envelope.id().empty()) return endpoint_.hub.dispatch(*member_, envelope.type(), arguments, nullptr);
  const hub::AckKey key{0, std::string(envelope.id())};
  endpoint_.hub.dispatch(*member_, envelope.type(), arguments, &key);
}

void Peer::take_binary(std::string_view message) {
  const Bytes attachment(message);
  endpoint_.hub.dispatch(*member_, "message", ArgumentsView(R"({"_placeholder":true,"num":0})", 1, {&attachment, 1}), nullptr);
}

void Peer::change_room(const Envelope& envelope) {
  const std::optional<std::string> room = envelope.room();
  if (!room) return reject(envelope, EnvelopeError::kBadRoom);
  // Whoever listens to these events has rights to look after, and the same ones for every dialect.
  if (endpoint_.hub.hears(*member_, envelope.type())) return dispatch(envelope);
  hub::Namespace& space = member_->home();
  if (envelope.kind() == Envelope::Kind::kLeave) {
    space.leave(*member_, *room);
  } else if (space.room_count_of(*member_) >= limits::kRoomsPerMemberMax && !space.is_in(*member_, *room)) {
    return reject(envelope, EnvelopeError::kTooManyRooms);
  } else if (!space.join(*member_, *room).ok()) {
    return reject(envelope, EnvelopeError::kRoomLimit);
  }
  acknowledge(envelope.id());
}

void Peer::acknowledge(std::string_view id) {
  if (id.empty()) return;
  send(dialect_.encode_ack({}, {0, std::string(id)}, ArgumentsView(R"({"ok":true})", 1)), base::Lane::kNormal);
}

void Peer::take_ack(const Envelope& envelope) {
  const std::optional<std::uint64_t> number = envelope.ack_number();
  if (!number) return reject(envelope, EnvelopeError::kBadAck);
  endpoint_.hub.acknowledged(*member_, *number,
                             ArgumentsView(envelope.arguments(), envelope.argument_count(), envelope.attachments()));
}

// `details` tells which message is meant, or what is wrong with the JSON.
void Peer::reject(const Envelope& envelope, EnvelopeError error) {
  ++endpoint_.statistics.invalid_messages;
  log_invalid(error);
  std::string details;
  if (error == EnvelopeError::kInvalidJson) {
    details = "{\"reason\":";
    base::append_json_string(details, base::json_error_text(envelope.json_error()));
    details.push_back('}');
  } else if (!envelope.id().empty()) {
    details.append("{\"id\":").append(envelope.id()).push_back('}');
  }
  send(dialect_.encode_error(envelope_error_code(error), envelope_error_text(error), details), base::Lane::kNormal);
}

void Peer::log_invalid(EnvelopeError error) {
  const base::Milliseconds now = endpoint_.hub.now();
  if (now < endpoint_.next_log_ms) {
    ++endpoint_.unlogged;
    return;
  }
  endpoint_.next_log_ms = now + kLogIntervalMs;
  base::LogSink& log = endpoint_.hub.log();
  if (!log.enabled(base::LogLevel::kInfo)) return;
  log.write(base::LogLevel::kInfo, "invalid message from a plain client",
            {{"code", std::string(envelope_error_code(error))},
             {"address", connection_->stream().peer().ip_text()},
             {"unlogged", std::to_string(std::exchange(endpoint_.unlogged, 0))}});
}

// ---- frames out

void Peer::send(const base::Frame& frame, base::Lane lane) {
  if (ended_ || slow_) return;
  connection_->send(frame, lane);
  if (queued_bytes() > endpoint_.options.queue_soft_bytes) [[unlikely]] over_soft_limit(frame.size());
}

bool Peer::writable() const noexcept {
  return !ended_ && !slow_ && !connection_->stream().blocked() && queued_bytes() <= endpoint_.options.queue_soft_bytes;
}

std::size_t Peer::queued_bytes() const noexcept { return connection_ == nullptr ? 0 : connection_->stream().out().bytes(); }

void Peer::over_soft_limit(std::size_t frame_bytes) {
  net::Connection& stream = connection_->stream();
  const net::Pace pace = endpoint_.slow_peers.judge(net::backlog_of(stream), frame_bytes, endpoint_.hub.now());
  if (pace == net::Pace::kGiveUp) {
    give_up();
  } else if (pace == net::Pace::kPaused && !std::exchange(over_soft_, true)) {
    stream.pause_reading();
    arm();
  }
}

bool Peer::stalled() const noexcept { return !ended_ && !slow_ && connection_->stream().blocked(); }

void Peer::give_up() {
  if (slow_) return;
  slow_ = true;
  endpoint_.hub.after_dispatch([this] { end_slow(); });  // runs before what end() defers, or not at all
}

void Peer::end_slow() {
  if (ended_) return;
  ++endpoint_.statistics.slow;
  net::Connection& stream = connection_->stream();
  const bool cut = endpoint_.slow_peers.drop_queue(stream);
  end(DisconnectReason::kSlowConsumer, websocket::kSlowConsumer, "slow consumer");
  if (cut) stream.abort(net::CloseCause::kSlow);
}

void Peer::on_drained(websocket::Connection& connection) {
  if (!std::exchange(over_soft_, false)) return;
  connection.stream().resume_reading();
  if (member_) endpoint_.hub.drained(*member_);
}

hub::ConnectionFacts Peer::facts() const {
  if (connection_ == nullptr) return {};
  const net::Connection& stream = connection_->stream();
  return {stream.peer().ip_text(), "websocket", head_, issued_ms_, stream.secure()};
}

std::string Peer::address() const { return connection_ == nullptr ? std::string() : connection_->stream().peer().ip_text(); }

// ---- time

void Peer::arm() {
  const base::Milliseconds due = entry_ == nullptr ? due_ : std::min(due_, entry_->due);
  endpoint_.hub.timers().arm(*this, endpoint_.slow_peers.deadline(connection_->stream().out().blocked_since(), due));
}

void Peer::expired(base::Milliseconds now) {
  if (endpoint_.slow_peers.too_old(connection_->stream().out().blocked_since(), now)) return end_slow();
  if (entry_ != nullptr && now >= entry_->due) {
    ++endpoint_.statistics.not_admitted;
    return end(DisconnectReason::kForcedServerClose, websocket::kPolicyViolation, "not admitted in time");
  }
  if (now >= due_) heartbeat(now);
  if (!ended_) arm();
}

// Whom we do not read cannot be heard: its time begins when we read again.
void Peer::heartbeat(base::Milliseconds now) {
  const Options& options = endpoint_.options;
  const bool alive = connection_->take_heard() || connection_->stream().reading_paused();
  if (!pinged_) {
    pinged_ = true;
    due_ = now + options.ping_timeout_ms;
    connection_->ping({});
  } else if (alive) {
    pinged_ = false;
    due_ = now + std::max<std::int64_t>(options.ping_interval_ms - options.ping_timeout_ms, 0);
  } else {
    ++endpoint_.statistics.silent;
    end(DisconnectReason::kPingTimeout, kNoPongCode, "no pong");
  }
}

// ---- the end

void Peer::end(DisconnectReason reason, std::uint16_t close_code, std::string_view text) {
  if (ended_) return;
  ended_ = true;
  connection_->set_listener(nullptr);
  connection_->close(close_code, text);
  depart(reason);
}

// A connection of one member ends with its membership.
void Peer::disconnect(hub::Member&, const hub::Ending& ending) {
  end(DisconnectReason::kServerNamespaceDisconnect, ending.code == 0 ? std::uint16_t{websocket::kNormal} : ending.code,
      ending.code == 0 ? "disconnected by the server" : ending.text);
}

void Peer::on_closed(websocket::Connection&, std::uint16_t code, std::string_view, bool by_us) {
  if (ended_) return;
  ended_ = true;
  depart(reason_of(code, by_us));
}

void Peer::depart(DisconnectReason reason) {
  cancel();
  endpoint_.peers.erase(this);
  --endpoint_.statistics.peers;
  entry_.reset();
  // The connection is over, yet listeners may still ask for its address.
  if (member_) endpoint_.hub.leave(*std::exchange(member_, hub::MemberRef()), reason);
  connection_ = nullptr;
  endpoint_.hub.after_dispatch([owned = std::unique_ptr<Peer>(this)] {});
}

void Endpoint::gather_queues(std::size_t bytes_min, std::vector<base::ShedCandidate>& queues) {
  for (Peer* peer : peers) {
    const std::size_t bytes = peer->queued_bytes();
    if (bytes < bytes_min || !peer->stalled()) continue;
    queues.push_back({bytes, peer, [](void* owner) { static_cast<Peer*>(owner)->give_up(); }});
  }
}

void Endpoint::close_all(DisconnectReason reason, std::uint16_t websocket_code, std::string_view text) {
  // An end may be the cause of another one.
  const std::vector<Peer*> all(peers.begin(), peers.end());
  for (Peer* peer : all) {
    if (peers.contains(peer)) peer->end(reason, websocket_code, text);
  }
}

}  // namespace tidewire::plain
