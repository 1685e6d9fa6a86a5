#include "tidewire/broadcast.h"

#include <algorithm>
#include <iterator>

#include "app/handles.h"

namespace tidewire {
namespace {

// For a shard: calls `action(namespace)` for the namespace, or for every child when a pattern or a predicate is meant.
template <typename Action>
net::Task for_namespaces(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, Action action) {
  return [&core, definition, action = std::move(action)]() mutable {
    hub::Hub& hub = Core::current_shard()->hub();
    const auto run = [&](const std::shared_ptr<hub::NamespaceDefinition>& each) {
      if (hub::Namespace* space = hub.open({std::string(), each->name()})) action(*space);
    };
    if (!definition->is_parent) {
      run(definition);
    } else {
      for (const auto& child : core.registry.children_of(*definition)) run(child);
    }
  };
}

template <typename Action>
void on_namespaces(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, Action action) {
  core.on_any_shard(for_namespaces(core, definition, std::move(action)));
}

void add(BroadcastAnswers& all, BroadcastAnswers part) {
  if (!part.status.ok()) all.status = std::move(part.status);
  std::move(part.answers.begin(), part.answers.end(), std::back_inserter(all.answers));
}
void add(std::vector<RemoteSocket>& all, std::vector<RemoteSocket> part) {
  std::move(part.begin(), part.end(), std::back_inserter(all));
}

// The same for a question: `action(namespace, answer)`. `done` hears all answers together, once: a pattern has any number of
// children.
template <typename Answer, typename Action>
void ask_namespaces(Core& core, const std::shared_ptr<hub::NamespaceDefinition>& definition, UniqueFunction<void(Answer)> done,
                    Action action) {
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
  auto total = std::make_shared<Total>(std::move(done));
  core.on_any_shard([total, ask = for_namespaces(core, definition, [total, action = std::move(action)](hub::Namespace& space) {
                       ++total->due;
                       action(space, [total](Answer part) { total->come(std::move(part)); });
                     })] {
    ask();
    total->come({});
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
BroadcastOperator BroadcastOperator::timeout(std::int64_t ms) const {
  BroadcastOperator next = *this;
  next.timeout_ms_ = ms;
  return next;
}

void BroadcastOperator::emit_arguments(std::string_view event, const ArgumentsView& arguments) const {
  const auto send = [this](hub::Namespace& space, std::string_view name, const ArgumentsView& values) {
    hub::Message message{.namespace_name = {}, .event = name, .arguments = values};
    message.is_volatile = is_volatile_;
    message.compress = compress_;
    hub::broadcast(space, {rooms_, except_}, std::move(message));
  };
  if (core_->here() != nullptr) {  // on a shard nothing is copied
    on_namespaces(*core_, space_, [&](hub::Namespace& space) { send(space, event, arguments); });
    return;
  }
  core_->post_message_to(0, for_namespaces(*core_, space_, [self = *this, event = std::string(event), arguments = arguments.copy(),
                                                            charge = base::Charge(arguments.text().size())](hub::Namespace& space) {
    hub::Message message{.namespace_name = {}, .event = event, .arguments = arguments};
    message.is_volatile = self.is_volatile_;
    message.compress = self.compress_;
    hub::broadcast(space, {self.rooms_, self.except_}, std::move(message));
  }));
}

Later<BroadcastAnswers> BroadcastOperator::ask(std::string_view event, Arguments arguments) const {
  using Answer = Later<BroadcastAnswers>;
  return Answer([self = *this, event = std::string(event), arguments = std::move(arguments)](Answer::Callback done) mutable {
    const std::int64_t timeout_ms = self.timeout_ms_ > 0 ? self.timeout_ms_ : self.core_->options.ack_timeout_ms;
    ask_namespaces<BroadcastAnswers>(*self.core_, self.space_, std::move(done),
                                     [self, event = std::move(event), arguments = std::move(arguments),
                                      timeout_ms](hub::Namespace& space, auto answer) {
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
    ask_namespaces<std::vector<RemoteSocket>>(*self.core_, self.space_, std::move(done), [self](hub::Namespace& space, auto answer) {
      hub::fetch_members(space, {self.rooms_, self.except_},
                         [self, space = space.shared_definition(), answer](std::vector<hub::MemberSnapshot> members) {
        std::vector<RemoteSocket> sockets;
        sockets.reserve(members.size());
        for (hub::MemberSnapshot& member : members) {
          RemoteSocket socket(BroadcastOperator(*self.core_, space));
          socket.id = member.rooms.front();
          socket.rooms = std::move(member.rooms);
          socket.data = std::move(member.data);
          socket.handshake = make_handshake(member.facts, member.auth);
          sockets.push_back(std::move(socket));
        }
        answer(std::move(sockets));
      });
    });
  });
}

void BroadcastOperator::sockets_join(std::vector<std::string> rooms) const {
  on_namespaces(*core_, space_, [self = *this, rooms = std::move(rooms)](hub::Namespace& space) {
    hub::join_all(space, {self.rooms_, self.except_}, rooms);
  });
}
void BroadcastOperator::sockets_leave(std::vector<std::string> rooms) const {
  on_namespaces(*core_, space_, [self = *this, rooms = std::move(rooms)](hub::Namespace& space) {
    hub::leave_all(space, {self.rooms_, self.except_}, rooms);
  });
}
void BroadcastOperator::disconnect_sockets(bool close_connections) const {
  on_namespaces(*core_, space_, [self = *this, close_connections](hub::Namespace& space) {
    hub::disconnect_all(space, {self.rooms_, self.except_}, close_connections);
  });
}

}  // namespace tidewire
