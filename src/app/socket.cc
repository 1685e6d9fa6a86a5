#include <algorithm>

#include "app/handles.h"
#include "base/limits.h"
#include "tidewire/socket.h"

namespace tidewire {

// ---- the handle

Socket::Socket(hub::Member& member) noexcept : member_(&member) { hub::MemberRef::retain(member); }
Socket::Socket(const Socket& other) noexcept : member_(other.member_) {
  if (member_ != nullptr) hub::MemberRef::retain(*member_);
}
Socket::Socket(Socket&& other) noexcept : member_(std::exchange(other.member_, nullptr)) {}
Socket& Socket::operator=(Socket other) noexcept {
  std::swap(member_, other.member_);
  return *this;
}
Socket::~Socket() {
  if (member_ != nullptr) hub::MemberRef::release(*member_);
}

std::string Socket::id() const { return member_->id_text(); }
bool Socket::connected() const noexcept { return member_->connected(); }
const std::string& Socket::namespace_name() const noexcept { return member_->home().name(); }
Namespace Socket::nsp() const { return Namespace(shard_of(*member_).core(), member_->home().shared_definition()); }

Handshake Socket::handshake() const {
  const hub::Member::Extras* extras = member_->extras_if_any();
  const hub::Sink* sink = member_->sink();
  return make_handshake(sink == nullptr ? hub::ConnectionFacts() : sink->facts(), extras == nullptr || extras->auth == nullptr ? std::string_view() : *extras->auth);
}

std::string Socket::address() const {
  const hub::Sink* sink = member_->sink();
  return sink == nullptr ? std::string() : sink->address();
}

std::string Socket::transport() const {
  const hub::Sink* sink = member_->sink();
  return sink == nullptr ? std::string() : sink->facts().transport;
}

std::size_t Socket::queued_bytes() const {
  const hub::Sink* sink = member_->sink();
  return sink == nullptr ? 0 : sink->queued_bytes();
}

std::string Socket::dialect() const { return std::string(member_->dialect().name()); }

std::shared_ptr<const Identity> identity_or_anonymous(std::shared_ptr<const Identity> identity) {
  static const auto anonymous = std::make_shared<const Identity>();
  return identity == nullptr ? anonymous : std::move(identity);
}

std::shared_ptr<const Identity> Socket::identity() const {
  const hub::Member::Extras* extras = member_->extras_if_any();
  return identity_or_anonymous(extras == nullptr ? nullptr : extras->identity);
}

void Socket::set_identity(Identity identity) const {
  shard_of(*member_).hub().set_identity(*member_, std::make_shared<const Identity>(std::move(identity)));
}

bool Socket::in_room(std::string_view room) const { return member_->home().is_in(*member_, room); }
std::size_t Socket::room_count() const { return member_->home().room_count_of(*member_); }
std::vector<std::string> Socket::rooms() const { return member_->home().rooms_of(*member_); }
Value& Socket::data() const { return member_->extras().data(); }

bool Socket::join(std::string_view room, bool beyond_bound) const {
  if (Core::current_shard() == &shard_of(*member_)) return member_->home().join(*member_, room, beyond_bound).ok();
  on_shard_of(*member_, [self = *this, room = std::string(room), beyond_bound] { self.join(room, beyond_bound); });
  return true;
}

void Socket::join(const std::vector<std::string>& rooms) const {
  on_shard_of(*member_, [self = *this, rooms] {
    for (const std::string& room : rooms) static_cast<void>(self.member_->home().join(*self.member_, room));
  });
}

void Socket::leave(std::string_view room) const {
  on_shard_of(*member_, [self = *this, room = std::string(room)] { self.member_->home().leave(*self.member_, room); });
}

// ---- emits

void Socket::emit_arguments(std::string_view event, const ArgumentsView& arguments, Mode mode) const {
  Shard& shard = shard_of(*member_);
  if (Core::current_shard() == &shard) {
    hub::Message message{.namespace_name = {}, .event = event, .arguments = arguments};
    message.is_volatile = mode.is_volatile;
    message.compress = mode.compress;
    shard.hub().emit(*member_, std::move(message));
    return;
  }
  shard.post_message([self = *this, event = std::string(event), arguments = arguments.copy(), mode,
                      charge = base::Charge(arguments.text().size())] {
    self.emit_arguments(event, arguments, mode);
  }, mode.is_volatile);
}

Later<Result<Arguments>> Socket::ask(std::string_view event, Arguments arguments, std::int64_t timeout_ms) const {
  using Answer = Later<Result<Arguments>>;
  return Answer([self = *this, event = std::string(event), arguments = std::move(arguments), timeout_ms](Answer::Callback done) mutable {
    on_shard_of(*self.member_, [self, event = std::move(event), arguments = std::move(arguments), timeout_ms,
                                done = std::move(done)]() mutable {
      hub::Message message{.namespace_name = {}, .event = event, .arguments = arguments};
      shard_of(*self.member_).hub().emit(*self.member_, std::move(message), [done = std::move(done)](Result<ArgumentsView> answer) {
        done(answer.ok() ? Result<Arguments>(answer->copy()) : Result<Arguments>(answer.status()));
      }, std::clamp<std::int64_t>(timeout_ms, 0, base::limits::kDelayMsMax));
    });
  });
}

BroadcastOperator Socket::broadcast() const {
  return BroadcastOperator(shard_of(*member_).core(), member_->home().shared_definition()).tenant(member_->home().key().tenant).except(id());
}

void Socket::disconnect(bool close_connection) const {
  on_shard_of(*member_, [self = *this, close_connection] {
    if (hub::Sink* sink = self.member_->sink()) sink->disconnect(*self.member_, {.connection = close_connection});
  });
}

void Socket::run(UniqueFunction<void(Socket&)> task) const {
  on_shard_of(*member_, [self = *this, task = std::move(task)]() mutable { task(self); });
}

void Socket::close(std::uint16_t code, std::string_view reason) const {
  on_shard_of(*member_, [self = *this, code, reason = std::string(reason)] {
    if (hub::Sink* sink = self.member_->sink()) sink->disconnect(*self.member_, {.connection = true, .code = code, .text = reason});
  });
}

// ---- listeners

ListenerId Socket::add_listener(std::string_view event, EventListener listener, bool once) const {
  hub::HandlerSet& set = member_->extras().handlers();
  const ListenerId id = set.next_id++;
  hub::HandlerSet::EventHandlers& list = set.listeners(event);
  if (!once) return list.add(wrap_listener(std::move(listener)), id);
  // The list outlives the call: it is the member's.
  return list.add([listener = std::move(listener), &list, id](hub::InboundEvent& inbound) {
    list.remove(id);
    Event wrapped(inbound);
    listener(wrapped);
  }, id);
}

void Socket::off(std::string_view event, ListenerId listener) const {
  if (auto* list = member_->extras().handlers().find(event)) list->remove(listener);
}
void Socket::off(std::string_view event) const {
  if (auto* list = member_->extras().handlers().find(event)) list->clear();
}

ListenerId Socket::on_any(EventListener listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  return set.any.add(wrap_listener(std::move(listener)), set.next_id++);
}
ListenerId Socket::prepend_any(EventListener listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  return set.any.add(wrap_listener(std::move(listener)), set.next_id++, true);
}
void Socket::off_any(ListenerId listener) const { member_->extras().handlers().any.remove(listener); }
void Socket::off_any() const { member_->extras().handlers().any.clear(); }
std::size_t Socket::any_count() const { return member_->extras().handlers().any.size(); }

namespace {

hub::OutgoingHandler wrap_outgoing(Socket::OutgoingListener listener) {
  return [listener = std::move(listener)](hub::Member& member, std::string_view event, const ArgumentsView& arguments) {
    Socket socket(member);
    listener(socket, event, arguments);
  };
}

}  // namespace

ListenerId Socket::on_any_outgoing(OutgoingListener listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  return set.any_outgoing.add(wrap_outgoing(std::move(listener)), set.next_id++);
}
ListenerId Socket::prepend_any_outgoing(OutgoingListener listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  return set.any_outgoing.add(wrap_outgoing(std::move(listener)), set.next_id++, true);
}
void Socket::off_any_outgoing(ListenerId listener) const { member_->extras().handlers().any_outgoing.remove(listener); }
void Socket::off_any_outgoing() const { member_->extras().handlers().any_outgoing.clear(); }

void Socket::use(UniqueFunction<void(Event&, Next)> middleware) const {
  hub::HandlerSet& set = member_->extras().handlers();
  set.event_middlewares.add([middleware = std::move(middleware)](hub::InboundEvent& inbound, hub::EventNext next) {
    Event event(inbound);
    middleware(event, make_next(std::move(next)));
  }, set.next_id++);
}
void Socket::on_error(UniqueFunction<void(Socket&, const Error&)> listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  set.error.add(wrap_error(std::move(listener)), set.next_id++);
}
void Socket::on_disconnecting(UniqueFunction<void(Socket&, DisconnectReason)> listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  set.disconnecting.add(wrap_disconnect(std::move(listener)), set.next_id++);
}
void Socket::on_disconnect(UniqueFunction<void(Socket&, DisconnectReason)> listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  set.disconnect.add(wrap_disconnect(std::move(listener)), set.next_id++);
}
void Socket::on_drain(UniqueFunction<void(Socket&)> listener) const {
  hub::HandlerSet& set = member_->extras().handlers();
  set.drained.add([listener = std::move(listener)](hub::Member& member) {
    Socket socket(member);
    listener(socket);
  }, set.next_id++);
}

// ---- Event and Ack

Event::Event(hub::InboundEvent& inbound) noexcept : inbound_(inbound), socket_(inbound.member()) {}
std::string_view Event::name() const noexcept { return inbound_.name(); }
const ArgumentsView& Event::arguments() const noexcept { return inbound_.arguments(); }
bool Event::wants_ack() const noexcept { return inbound_.wants_ack(); }
void Event::send_ack(const ArgumentsView& arguments) { inbound_.acknowledge(arguments); }
void Event::replace(std::string_view name, const ArgumentsView& arguments) noexcept { inbound_.replace(name, arguments); }
void Event::report(const Status& status) {
  hub::Member& member = inbound_.member();
  member.home().hub().report_error(member, {status.message(), {}});
}

struct Ack::State {
  hub::Reply reply;
};

Ack::Ack() noexcept = default;
Ack::Ack(Ack&&) noexcept = default;
Ack& Ack::operator=(Ack&&) noexcept = default;
Ack::~Ack() = default;

Ack Event::take_ack() {
  Ack ack;
  if (inbound_.wants_ack()) ack.state_ = std::make_unique<Ack::State>(Ack::State{inbound_.take_reply()});
  return ack;
}

void Ack::send(const ArgumentsView& arguments) {
  if (state_ == nullptr) return;
  hub::Reply reply = std::move(std::exchange(state_, nullptr)->reply);
  hub::Member* member = reply.member();
  if (member == nullptr) return;
  if (Core::current_shard() == &shard_of(*member)) {
    reply.send(arguments);
  } else {
    on_shard_of(*member, [reply = std::move(reply), arguments = arguments.copy()]() mutable { reply.send(arguments); });
  }
}

}  // namespace tidewire
