#include "tidewire/broadcast.h"

#include <algorithm>
#include <iterator>

#include "app/handles.h"
#include "base/limits.h"
#include "hub/survey.h"

namespace tidewire {
namespace {

using hub::SharedNamespace;

// For a shard: calls `action(namespace, definition)` for the tenant's namespace, or for every child when a pattern or a predicate
// is meant.
template <typename Action>
net::Task for_namespaces(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, const std::string& tenant,
                         Action action) {
  return [&core, definition, tenant, action = std::move(action)]() mutable {
    hub::Hub& hub = Core::current_shard()->hub();
    const auto run = [&](const std::shared_ptr<hub::NamespaceDefinition>& each) {
      const hub::NamespaceKey key{tenant, each->name()};
      action(SharedNamespace(hub, key), each);
    };
    if (!definition->is_parent) {
      run(definition);
    } else {
      for (const auto& child : core.registry.children_of(*definition)) run(child);
    }
  };
}

template <typename Action>
void on_namespaces(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, const std::string& tenant, Action action) {
  core.on_any_shard(for_namespaces(core, definition, tenant, std::move(action)));
}

void add(BroadcastAnswers& all, BroadcastAnswers part) {
  if (!part.status.ok()) all.status = std::move(part.status);
  std::move(part.answers.begin(), part.answers.end(), std::back_inserter(all.answers));
}
void add(std::vector<RemoteSocket>& all, std::vector<RemoteSocket> part) {
  std::move(part.begin(), part.end(), std::back_inserter(all));
}

// The same for a question: `action(namespace, definition, answer)`. `done` hears all answers together, once: a pattern has any
// number of children.
template <typename Answer, typename Action>
void ask_namespaces(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, const std::string& tenant,
                    UniqueFunction<void(Answer)> done, Action action) {
  struct Total {
    explicit Total(UniqueFunction<void(Answer)> callback) : done(std::move(callback)) {}
    void come(Answer part) {
      add(all, std::move(part));
      if (--due == 0) done(std::move(all));
    }
    UniqueFunction<void(Answer)> done;
    Answer all = {};
    std::size_t due = 1;  // the question itself
  };
  if (!core.running()) return done({});
  auto total = std::make_shared<Total>(std::move(done));
  const auto ask_one = [total, action = std::move(action)](const SharedNamespace& space, const auto& its_definition) {
    ++total->due;
    action(space, its_definition, [total](Answer part) { total->come(std::move(part)); });
  };
  core.on_any_shard([total, ask = for_namespaces(core, definition, tenant, ask_one)] {
    ask();
    total->come({});
  });
}

// Runs `ask(namespace, done)` on a shard; answers `nothing` when a pattern is meant.
template <typename Callback, typename Nothing, typename Ask>
void on_one_namespace(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, const std::string& tenant,
                      Callback done, Nothing nothing, Ask ask) {
  if (!core.running()) return done(std::move(nothing));
  core.on_any_shard([definition, tenant, done = std::move(done), nothing = std::move(nothing), ask = std::move(ask)]() mutable {
    if (definition->is_parent) return done(std::move(nothing));
    const hub::NamespaceKey key{tenant, definition->name()};
    ask(SharedNamespace(Core::current_shard()->hub(), key), std::move(done));
  });
}

}  // namespace

BroadcastOperator BroadcastOperator::to(std::string_view room) const {
  BroadcastOperator next = *this;
  next.rooms_.emplace_back(room);
  return next;
}
BroadcastOperator BroadcastOperator::to(const std::vector<std::string>& rooms) const {
  BroadcastOperator next = *this;
  next.rooms_.insert(next.rooms_.end(), rooms.begin(), rooms.end());
  return next;
}
BroadcastOperator BroadcastOperator::except(std::string_view room) const {
  BroadcastOperator next = *this;
  next.except_.emplace_back(room);
  return next;
}
BroadcastOperator BroadcastOperator::except(const std::vector<std::string>& rooms) const {
  BroadcastOperator next = *this;
  next.except_.insert(next.except_.end(), rooms.begin(), rooms.end());
  return next;
}
BroadcastOperator BroadcastOperator::volatile_() const {
  BroadcastOperator next = *this;
  next.is_volatile_ = true;
  return next;
}
BroadcastOperator BroadcastOperator::compress(bool on) const {
  BroadcastOperator next = *this;
  next.compress_ = on;
  return next;
}
BroadcastOperator BroadcastOperator::local() const { return *this; }  // without an adapter there is nothing beyond this node
BroadcastOperator BroadcastOperator::tenant(std::string_view name) const {
  BroadcastOperator next = *this;
  next.tenant_ = name;
  return next;
}
BroadcastOperator BroadcastOperator::timeout(std::int64_t ms) const {
  BroadcastOperator next = *this;
  next.timeout_ms_ = std::clamp<std::int64_t>(ms, 0, base::limits::kDelayMsMax);
  return next;
}

void BroadcastOperator::emit_arguments(std::string_view event, const ArgumentsView& arguments) const {
  const auto send = [this](const SharedNamespace& space, std::string_view name, const ArgumentsView& values) {
    hub::Message message{.namespace_name = {}, .event = name, .arguments = values};
    message.is_volatile = is_volatile_;
    message.compress = compress_;
    hub::broadcast(space, {rooms_, except_}, std::move(message));
  };
  if (core_->here() != nullptr) {  // on a shard nothing is copied
    on_namespaces(*core_, space_, tenant_, [&](const SharedNamespace& space, const auto&) { send(space, event, arguments); });
    return;
  }
  auto later = [self = *this, event = std::string(event), arguments = arguments.copy(),
                charge = base::Charge(arguments.text().size())](const SharedNamespace& space, const auto&) {
    hub::Message message{.namespace_name = {}, .event = event, .arguments = arguments};
    message.is_volatile = self.is_volatile_;
    message.compress = self.compress_;
    hub::broadcast(space, {self.rooms_, self.except_}, std::move(message));
  };
  core_->post_message_to(0, for_namespaces(*core_, space_, tenant_, std::move(later)));
}

Later<BroadcastAnswers> BroadcastOperator::ask(std::string_view event, Arguments arguments) const {
  using Answer = Later<BroadcastAnswers>;
  return Answer([self = *this, event = std::string(event), arguments = std::move(arguments)](Answer::Callback done) mutable {
    const std::int64_t timeout_ms = self.timeout_ms_ > 0 ? self.timeout_ms_ : self.core_->options.ack_timeout_ms;
    ask_namespaces<BroadcastAnswers>(*self.core_, self.space_, self.tenant_, std::move(done),
                                     [self, event = std::move(event), arguments = std::move(arguments),
                                      timeout_ms](const SharedNamespace& space, const auto&, auto answer) {
      hub::Message message{.namespace_name = {}, .event = event, .arguments = arguments};
      message.compress = self.compress_;
      hub::broadcast_with_ack(space, {self.rooms_, self.except_}, std::move(message), timeout_ms,
                              [answer](hub::BroadcastAnswers answers) {
                                answer({std::move(answers.status), std::move(answers.answers)});
                              });
    });
  });
}

Later<std::vector<RemoteSocket>> BroadcastOperator::fetch_sockets() const {
  using Answer = Later<std::vector<RemoteSocket>>;
  return Answer([self = *this](Answer::Callback done) {
    ask_namespaces<std::vector<RemoteSocket>>(*self.core_, self.space_, self.tenant_, std::move(done),
                                              [self](const SharedNamespace& space, const auto& definition, auto answer) {
      hub::fetch_members(space, {self.rooms_, self.except_}, [self, definition, answer](std::vector<hub::MemberSnapshot> members) {
        std::vector<RemoteSocket> sockets;
        sockets.reserve(members.size());
        for (hub::MemberSnapshot& member : members) sockets.push_back(self.remote(member, definition));
        answer(std::move(sockets));
      });
    });
  });
}

RemoteSocket BroadcastOperator::remote(hub::MemberSnapshot& member, const std::shared_ptr<hub::NamespaceDefinition>& space) const {
  RemoteSocket socket(BroadcastOperator(*core_, space).tenant(tenant_));
  socket.id = member.rooms.front();
  socket.rooms = std::move(member.rooms);
  socket.data = std::move(member.data);
  socket.identity = identity_or_anonymous(std::move(member.identity));
  socket.dialect = member.dialect;
  socket.transport = member.facts.transport;
  socket.handshake = make_handshake(member.facts, member.auth);
  return socket;
}

Later<SocketsPage> BroadcastOperator::fetch_sockets(Page page) const {
  using Answer = Later<SocketsPage>;
  return Answer([self = *this, page = std::move(page)](Answer::Callback done) {
    on_one_namespace(*self.core_, self.space_, self.tenant_, std::move(done), SocketsPage{},
                     [self, page](const SharedNamespace& space, Answer::Callback answer) {
      hub::fetch_members(space, {self.rooms_, self.except_}, {page.after, page.prefix, page.limit},
                         [self, answer = std::move(answer)](hub::MembersPage found) {
        SocketsPage made;
        made.more = found.more;
        made.complete = found.complete;
        for (hub::MemberSnapshot& member : found.members) made.sockets.push_back(self.remote(member, self.space_));
        answer(std::move(made));
      });
    });
  });
}

Later<RoomsPage> BroadcastOperator::fetch_rooms(Page page) const {
  using Answer = Later<RoomsPage>;
  return Answer([self = *this, page = std::move(page)](Answer::Callback done) {
    on_one_namespace(*self.core_, self.space_, self.tenant_, std::move(done), RoomsPage{},
                     [page](const SharedNamespace& space, Answer::Callback answer) {
      hub::fetch_rooms(space, {page.after, page.prefix, page.limit}, [answer = std::move(answer)](hub::RoomsPage found) {
        RoomsPage made;
        made.more = found.more;
        made.complete = found.complete;
        for (hub::RoomCount& room : found.rooms) made.rooms.push_back({std::move(room.name), room.members});
        answer(std::move(made));
      });
    });
  });
}

namespace {

auto to_count(Later<SocketsCount>::Callback answer) {
  return [answer = std::move(answer)](hub::MemberCount found) { answer({found.count, found.complete}); };
}

}  // namespace

Later<SocketsCount> BroadcastOperator::count_sockets() const {
  using Answer = Later<SocketsCount>;
  return Answer([self = *this](Answer::Callback done) {
    on_one_namespace(*self.core_, self.space_, self.tenant_, std::move(done), SocketsCount{},
                     [self](const SharedNamespace& space, Answer::Callback answer) {
      hub::count_members(space, {self.rooms_, self.except_}, to_count(std::move(answer)));
    });
  });
}

Later<SocketsCount> BroadcastOperator::for_each(std::function<void(Socket&)> task) const {
  using Answer = Later<SocketsCount>;
  return Answer([self = *this, task = std::move(task)](Answer::Callback done) {
    on_one_namespace(*self.core_, self.space_, self.tenant_, std::move(done), SocketsCount{},
                     [self, task](const SharedNamespace& space, Answer::Callback answer) {
      hub::visit_members(space, {self.rooms_, self.except_}, [task](hub::Member& member) {
        Socket socket(member);
        task(socket);
      }, to_count(std::move(answer)));
    });
  });
}

void BroadcastOperator::sockets_join(std::vector<std::string> rooms) const {
  on_namespaces(*core_, space_, tenant_, [self = *this, rooms = std::move(rooms)](const SharedNamespace& space, const auto&) {
    hub::join_all(space, {self.rooms_, self.except_}, rooms);
  });
}
void BroadcastOperator::sockets_leave(std::vector<std::string> rooms) const {
  on_namespaces(*core_, space_, tenant_, [self = *this, rooms = std::move(rooms)](const SharedNamespace& space, const auto&) {
    hub::leave_all(space, {self.rooms_, self.except_}, rooms);
  });
}
void BroadcastOperator::end_sockets(bool close_connections, std::uint16_t code, std::string_view reason) const {
  on_namespaces(*core_, space_, tenant_, [self = *this, close_connections, code,
                                          reason = std::string(reason)](const SharedNamespace& space, const auto&) {
    hub::disconnect_all(space, {self.rooms_, self.except_}, close_connections, code, reason);
  });
}

}  // namespace tidewire
