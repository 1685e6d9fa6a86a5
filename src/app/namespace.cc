#include "tidewire/namespace.h"

#include "app/handles.h"

namespace tidewire {

const std::string& Namespace::name() const noexcept { return definition_->name(); }

void Namespace::use(UniqueFunction<void(Socket&, Next)> middleware) const {
  definition_->middlewares.add([middleware = std::move(middleware)](hub::Member& member, hub::Next next) {
    Socket socket(member);
    middleware(socket, make_next(std::move(next)));
  }, definition_->handlers.next_id++);
}

void Namespace::add_connection_listener(UniqueFunction<void(Socket&)> listener) const {
  definition_->connection.add([listener = std::move(listener)](hub::Member& member) {
    Socket socket(member);
    listener(socket);
  }, definition_->handlers.next_id++);
}

void Namespace::add_listener(std::string_view event, EventListener listener) const {
  hub::HandlerSet& set = definition_->handlers;
  set.listeners(event).add(wrap_listener(std::move(listener)), set.next_id++);
}

void Namespace::on_any(EventListener listener) const {
  hub::HandlerSet& set = definition_->handlers;
  set.any.add(wrap_listener(std::move(listener)), set.next_id++);
}
void Namespace::on_unheard(EventListener listener) const {
  hub::HandlerSet& set = definition_->handlers;
  set.unheard.add(wrap_listener(std::move(listener)), set.next_id++);
}
void Namespace::on_error(UniqueFunction<void(Socket&, const Error&)> listener) const {
  hub::HandlerSet& set = definition_->handlers;
  set.error.add(wrap_error(std::move(listener)), set.next_id++);
}
void Namespace::on_disconnecting(UniqueFunction<void(Socket&, DisconnectReason)> listener) const {
  hub::HandlerSet& set = definition_->handlers;
  set.disconnecting.add(wrap_disconnect(std::move(listener)), set.next_id++);
}
void Namespace::on_disconnect(UniqueFunction<void(Socket&, DisconnectReason)> listener) const {
  hub::HandlerSet& set = definition_->handlers;
  set.disconnect.add(wrap_disconnect(std::move(listener)), set.next_id++);
}

// One node: there are no other servers to hear it or to answer.
void Namespace::emit_to_servers(std::string_view, Arguments) const {}
Later<BroadcastAnswers> Namespace::ask_servers(std::string_view, Arguments) const {
  return Later<BroadcastAnswers>([core = core_](Later<BroadcastAnswers>::Callback done) {
    if (!core->running()) return done({});
    core->on_any_shard([done = std::move(done)] { done({}); });
  });
}

}  // namespace tidewire
