#include "socketio/client.h"

#include <algorithm>

#include "base/budget.h"
#include "base/json_reader.h"
#include "base/json_scanner.h"
#include "base/placeholders.h"

namespace tidewire::socketio {

static_assert(sizeof(Client) <= 72, "an idle client pays for every byte");

namespace {
constexpr std::uint16_t kProtocolErrorCode = 1002;  // RFC 6455 7.4.1
constexpr std::size_t kNamedOctetsFactor = 4;
}

// A namespace that the peer asked for and the hub has not answered yet.
struct Client::Entry final : hub::Admission {
  Entry(Client& owner, std::string_view name) : client(&owner), namespace_name(name) {}
  void admitted(hub::Member& member) override { client->admitted(*this, member); }
  void refused(const hub::Refusal& refusal) override;
  void settled(hub::Member& member) override;

  Client* client;
  const std::string namespace_name;
  // Packets that came before the answer.
  struct Waiting {
    std::string text;
    std::vector<Bytes> attachments;
  };
  // False when there is no room for one more.
  bool wait(std::string_view text, std::span<const Bytes> attachments) {
    std::size_t bytes = charge.bytes() + text.size();
    for (const Bytes& attachment : attachments) bytes += attachment.size();
    if (waiting.size() >= base::limits::kPacketsBeforeConnectMax || bytes > base::limits::kMessageBytesBeforeAdmission) return false;
    charge.set(bytes);
    waiting.push_back({std::string(text), {attachments.begin(), attachments.end()}});
    return true;
  }

  std::vector<Waiting> waiting;
  base::Charge charge;  // of what waits
};

// A binary packet whose attachments are on their way.
struct Client::Reassembly final : base::Timer {
  explicit Reassembly(Client& owner) : client(owner) {}
  ~Reassembly() = default;
  void expired(base::Milliseconds) override { client.violation("attachments did not arrive in time"); }

  Client& client;
  std::string text;  // the packet's own bytes; `packet` has views into them
  PacketView packet;
  std::vector<Bytes> attachments;
  std::size_t bytes = 0;
  base::Charge charge;  // of the text and the attachments
};

struct Client::Rare {
  struct Left {
    std::string namespace_name;
    base::Milliseconds until;
  };
  explicit Rare(Client* owner) : connect_timer(owner) {}
  base::MemberTimer<Client, &Client::connect_timed_out> connect_timer;
  std::vector<std::shared_ptr<Entry>> entering;
  std::unique_ptr<Reassembly> reassembly;
  std::vector<Left> left;  // packets for these may still be in flight
  const engineio::Session* departed = nullptr;  // while the members leave
};

void Client::attach(Endpoint& endpoint, engineio::Session& session) { session.set_listener(new Client(endpoint, session)); }

Client::Client(Endpoint& endpoint, engineio::Session& session) : endpoint_(endpoint), session_(&session) {
  ++endpoint_.statistics.clients;
  endpoint_.hub.timers().arm(rare().connect_timer, endpoint_.hub.now() + endpoint_.options.connect_timeout_ms);
}

Client::~Client() = default;

Client::Rare& Client::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>(this);
  return *rare_;
}

void Client::drop_rare_if_idle() {
  if (rare_ != nullptr && !rare_->connect_timer.armed() && rare_->entering.empty() && rare_->reassembly == nullptr &&
      rare_->left.empty()) {
    rare_.reset();
  }
}

void Client::connect_timed_out(base::Milliseconds) {
  ++endpoint_.statistics.connect_timeouts;
  close_all(DisconnectReason::kForcedServerClose);
}

hub::Member* Client::find(std::string_view namespace_name) const noexcept {
  for (const hub::MemberRef& member : members_) {
    if (member->home().name() == namespace_name) return member.get();
  }
  return nullptr;
}

// ---- packets in

void Client::on_text(engineio::Session&, std::span<char> message) {
  ++endpoint_.statistics.packets_in;
  const std::string_view text(message.data(), message.size());
  if (rare_ != nullptr && rare_->reassembly != nullptr) return violation("got a text packet while attachments are due");
  PacketView packet;
  if (const PacketError error = parse_packet(text, endpoint_.options.attachments_max, packet); error != PacketError::kOk) {
    return violation(packet_error_text(error));
  }
  switch (packet.type) {
    case PacketType::kEvent:
    case PacketType::kAck: return deliver(packet, text, {});
    case PacketType::kConnect: return handle_connect(packet);
    case PacketType::kDisconnect: return handle_disconnect(packet);
    case PacketType::kBinaryEvent:
    case PacketType::kBinaryAck: return begin_binary(packet, text);
    case PacketType::kConnectError: return violation("a client may not send CONNECT_ERROR");
  }
}

void Client::handle_connect(const PacketView& packet) {
  if (!packet.data.empty()) {
    const base::JsonLimits limits{.depth = endpoint_.options.json_depth, .nodes = base::limits::kJsonNodesBeforeConnectMax};
    if (base::scan_json(packet.data, limits) != base::JsonError::kOk ||
        base::json_kind(packet.data) != base::JsonKind::kObject) {
      return violation("invalid payload");
    }
  }
  const auto same = [&](const auto& entry) { return entry->namespace_name == packet.namespace_name; };
  const auto& entering = rare().entering;
  if (find(packet.namespace_name) != nullptr || std::any_of(entering.begin(), entering.end(), same)) {
    return violation("already connected to this namespace");
  }
  if (members_.size() + entering.size() >= base::limits::kNamespacesPerConnectionMax) return violation("too many namespaces");
  std::erase_if(rare_->left, [&](const Rare::Left& left) { return left.namespace_name == packet.namespace_name; });

  auto entry = std::make_shared<Entry>(*this, packet.namespace_name);
  rare_->entering.push_back(entry);
  endpoint_.hub.admit(entry->namespace_name, *this, endpoint_.dialect, std::string(packet.data), entry);
}

void Client::admitted(Entry& entry, hub::Member& member) {
  members_.emplace_back(member);
  rare().connect_timer.cancel();
  session_->set_admitted();
  session_->send(encode_connect(entry.namespace_name, member.id_text()));
}

void Client::Entry::refused(const hub::Refusal& refusal) {
  Client& owner = *client;
  owner.session_->send(encode_connect_error(namespace_name, refusal.message, refusal.data));
  std::erase_if(owner.rare_->entering, [this](const auto& entry) { return entry.get() == this; });
  owner.drop_rare_if_idle();
}

void Client::Entry::settled(hub::Member&) {
  Client& owner = *client;
  const auto keep = std::move(*std::find_if(owner.rare_->entering.begin(), owner.rare_->entering.end(),
                                            [this](const auto& entry) { return entry.get() == this; }));
  std::erase(owner.rare_->entering, nullptr);
  owner.drop_rare_if_idle();
  for (const Waiting& late : waiting) {
    if (owner.session_ == nullptr) return;
    PacketView packet;
    static_cast<void>(parse_packet(late.text, owner.endpoint_.options.attachments_max, packet));
    owner.deliver(packet, late.text, late.attachments);
  }
}

void Client::handle_disconnect(const PacketView& packet) {
  if (!packet.data.empty()) return violation("invalid payload");
  if (hub::Member* member = find(packet.namespace_name)) {
    const hub::MemberRef keep(*member);
    remove(*member);
    endpoint_.hub.leave(*member, DisconnectReason::kClientNamespaceDisconnect);
    return;
  }
  // Perhaps the peer changed its mind while it was entering: dropping the entry is the refusal.
  const auto same = [&](const auto& entry) { return entry->namespace_name == packet.namespace_name; };
  if (rare_ != nullptr && std::erase_if(rare_->entering, same) > 0) return;
  if (!just_left(packet.namespace_name)) violation("not connected to this namespace");
}

// Packets for a namespace that one side has just left may still be on their way.
bool Client::just_left(std::string_view namespace_name) {
  if (rare_ == nullptr) return false;
  const base::Milliseconds now = endpoint_.hub.now();
  std::erase_if(rare_->left, [now](const Rare::Left& left) { return left.until < now; });
  return std::any_of(rare_->left.begin(), rare_->left.end(),
                     [&](const Rare::Left& left) { return left.namespace_name == namespace_name; });
}

// ---- events and acknowledgements

hub::Member* Client::addressee(const PacketView& packet, std::string_view text, std::span<const Bytes> attachments) {
  if (hub::Member* member = find(packet.namespace_name)) return member;
  if (rare_ != nullptr) {
    for (const auto& entry : rare_->entering) {
      if (entry->namespace_name != packet.namespace_name) continue;
      if (entry->wait(text, attachments)) return nullptr;
      break;
    }
  }
  if (!just_left(packet.namespace_name)) violation("not connected to this namespace");
  return nullptr;
}

void Client::deliver(const PacketView& packet, std::string_view text, std::span<const Bytes> attachments) {
  hub::Member* member = addressee(packet, text, attachments);
  if (member == nullptr || packet.data.empty()) return;  // without data it is nothing, as for the reference server
  const bool is_event = packet.type == PacketType::kEvent || packet.type == PacketType::kBinaryEvent;
  if (is_event) {
    deliver_event(*member, packet, attachments);
  } else {
    deliver_ack(*member, packet, attachments);
  }
}

void Client::deliver_event(hub::Member& member, const PacketView& packet, std::span<const Bytes> attachments) {
  base::EventArray event;
  const base::JsonLimits limits{.depth = endpoint_.options.json_depth};
  if (const base::JsonError error = base::scan_event(packet.data, limits, event); error != base::JsonError::kOk) {
    return violation(base::json_error_text(error));
  }
  std::string scratch;
  const std::string_view name = event.name_has_escapes || event.name_is_number ? base::event_name(event, scratch) : event.name;
  if (is_reserved_event(name)) return violation("invalid payload");
  const ArgumentsView arguments(event.arguments.text, event.arguments.count, attachments);
  if (!packet.has_ack_id) return endpoint_.hub.dispatch(member, name, arguments, nullptr);
  const hub::AckKey key{packet.ack_id, {}};
  endpoint_.hub.dispatch(member, name, arguments, &key);
}

void Client::deliver_ack(hub::Member& member, const PacketView& packet, std::span<const Bytes> attachments) {
  base::ArgumentsText arguments;
  const base::JsonLimits limits{.depth = endpoint_.options.json_depth};
  if (const base::JsonError error = base::scan_arguments(packet.data, limits, arguments); error != base::JsonError::kOk) {
    return violation(base::json_error_text(error));
  }
  if (!packet.has_ack_id) return;
  endpoint_.hub.acknowledged(member, packet.ack_id, ArgumentsView(arguments.text, arguments.count, attachments));
}

// ---- binary packets

// A member, on its way, or left so lately that packets may be in flight.
bool Client::knows(std::string_view namespace_name) const noexcept {
  if (find(namespace_name) != nullptr) return true;
  if (rare_ == nullptr) return false;
  const auto same = [namespace_name](const auto& entry) { return entry->namespace_name == namespace_name; };
  const auto left = [namespace_name](const Rare::Left& entry) { return entry.namespace_name == namespace_name; };
  return std::any_of(rare_->entering.begin(), rare_->entering.end(), same) ||
         std::any_of(rare_->left.begin(), rare_->left.end(), left);
}

void Client::begin_binary(const PacketView& packet, std::string_view text) {
  if (!knows(packet.namespace_name)) return violation("not connected to this namespace");
  const base::JsonLimits limits{.depth = endpoint_.options.json_depth};
  if (const base::JsonError error = base::scan_json(packet.data, limits); error != base::JsonError::kOk) {
    return violation(base::json_error_text(error));
  }
  if (base::validate_placeholders(packet.data, packet.attachments) != base::PlaceholderError::kOk) return violation("illegal attachments");
  auto reassembly = std::make_unique<Reassembly>(*this);
  reassembly->text = text;
  static_cast<void>(parse_packet(reassembly->text, endpoint_.options.attachments_max, reassembly->packet));
  endpoint_.hub.timers().arm(*reassembly, endpoint_.hub.now() + base::limits::kAttachmentsCompletionMs);
  rare().reassembly = std::move(reassembly);
}

void Client::on_binary(engineio::Session&, std::span<char> message) {
  if (rare_ == nullptr || rare_->reassembly == nullptr) return violation("got binary data when not reconstructing a packet");
  Reassembly& reassembly = *rare_->reassembly;
  reassembly.bytes += message.size();
  // Little is taken from who is no member yet.
  const std::size_t bytes_max = members_.empty() ? base::limits::kMessageBytesBeforeAdmission : endpoint_.options.attachment_bytes_max;
  if (reassembly.bytes > bytes_max) return violation("attachments too big");
  reassembly.charge.set(reassembly.text.size() + reassembly.bytes);
  reassembly.attachments.emplace_back(std::string_view(message.data(), message.size()));
  if (reassembly.attachments.size() < reassembly.packet.attachments) return;
  const auto complete = std::move(rare_->reassembly);
  complete->cancel();
  drop_rare_if_idle();
  // Whoever writes them out pays for each time they are named.
  const std::size_t octets_max = kNamedOctetsFactor * endpoint_.options.attachment_bytes_max;
  if (base::validate_placeholders(complete->packet.data, complete->attachments, octets_max) != base::PlaceholderError::kOk) {
    return violation("illegal attachments");
  }
  deliver(complete->packet, complete->text, complete->attachments);
}

// ---- the end

void Client::remove(hub::Member& member) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const auto& entry) { return entry.get() == &member; });
  if (found == members_.end()) return;
  members_.erase(found);
  rare().left.push_back({member.home().name(), endpoint_.hub.now() + base::limits::kLateNamespacePacketMs});
  if (rare_->left.size() > base::limits::kNamespacesPerConnectionMax) rare_->left.erase(rare_->left.begin());
}

void Client::disconnect(hub::Member& member, const hub::Ending& ending) {
  if (session_ == nullptr) return;
  if (ending.connection) return close_all(DisconnectReason::kServerNamespaceDisconnect, ending);
  const hub::MemberRef keep(member);
  session_->send(encode_disconnect(member.home().name()));
  remove(member);
  // It may be that it was not admitted yet, or that its connection listeners still run.
  std::erase_if(rare().entering, [&](const auto& entry) { return entry->namespace_name == member.home().name(); });
  endpoint_.hub.leave(member, DisconnectReason::kServerNamespaceDisconnect);
}

void Client::violation(std::string_view what) {
  if (session_ == nullptr) return;
  ++endpoint_.statistics.protocol_errors;
  const hub::Refusal error{std::string(what), {}};
  const auto members = members_;
  for (const hub::MemberRef& member : members) endpoint_.hub.report_error(*member, error);
  if (session_ != nullptr) session_->close(engineio::CloseReason::kForcedClose, kProtocolErrorCode, what);
}

void Client::close_all(DisconnectReason reason, const hub::Ending& ending) {
  while (!members_.empty()) {
    const hub::MemberRef member = members_.back();
    members_.pop_back();
    // With a code the stream's end says why, and the client may come back: DISCONNECT would tell it to stay away.
    if (session_ != nullptr && ending.code == 0) session_->send(encode_disconnect(member->home().name()));
    endpoint_.hub.leave(*member, reason);
  }
  if (session_ == nullptr) return;
  if (ending.code == 0) {
    session_->close(engineio::CloseReason::kForcedClose);
  } else {
    session_->close(engineio::CloseReason::kForcedClose, ending.code, ending.text);
  }
}

void Client::on_closed(engineio::Session& session, engineio::CloseReason reason) {
  static constexpr DisconnectReason kReasons[] = {
      DisconnectReason::kTransportError, DisconnectReason::kTransportClose, DisconnectReason::kForcedClose,
      DisconnectReason::kPingTimeout,    DisconnectReason::kParseError,     DisconnectReason::kServerShutdown,
      DisconnectReason::kSlowConsumer};
  session_ = nullptr;
  session.set_listener(nullptr);
  --endpoint_.statistics.clients;
  rare_.reset();  // entries under way lose their Admission, timers their slot
  rare().departed = &session;  // it is over, yet listeners may still ask for its address
  while (!members_.empty()) {
    const hub::MemberRef member = members_.back();
    members_.pop_back();
    endpoint_.hub.leave(*member, kReasons[static_cast<std::size_t>(reason)]);
  }
  endpoint_.hub.after_dispatch([owned = std::unique_ptr<Client>(this)] {});
}

// ---- hub::Sink

void Client::send(const base::Frame& frame, base::Lane lane) {
  if (session_ != nullptr) session_->send(frame, lane);
}

bool Client::writable() const noexcept { return session_ != nullptr && session_->writable(); }

std::size_t Client::queued_bytes() const noexcept { return session_ == nullptr ? 0 : session_->queued_bytes(); }

void Client::on_drained(engineio::Session&) {
  const auto members = members_;
  for (const hub::MemberRef& member : members) endpoint_.hub.drained(*member);
}

// Also while it ends: listeners may ask for its address.
const engineio::Session* Client::known_session() const noexcept {
  return session_ != nullptr ? session_ : rare_ != nullptr ? rare_->departed : nullptr;
}

std::string Client::address() const {
  const engineio::Session* session = known_session();
  return session == nullptr ? std::string() : session->handshake().address.ip_text();
}

hub::ConnectionFacts Client::facts() const {
  const engineio::Session* session = known_session();
  if (session == nullptr) return {};
  const engineio::Handshake& handshake = session->handshake();
  return {handshake.address.ip_text(), std::string(session->transport_name()), handshake.head, handshake.issued_ms, handshake.secure};
}

}  // namespace tidewire::socketio
