#include "hub/hub.h"

#include <exception>

namespace tidewire::hub {
namespace {

constexpr base::Milliseconds kTellAgainMs = 60'000;

}  // namespace

// An admission under way. Continuations hold it; the dialect's Admission is held weakly: when it is gone, so is the wish.
// Each continuation belongs to one step: a second call of it, or a late one, finds that the step has passed.
struct Hub::Entry {
  NamespaceKey key;
  Sink* sink;
  const Dialect* dialect;
  std::string auth;
  std::weak_ptr<Admission> admission;
  std::shared_ptr<const Identity> identity;
  std::shared_ptr<NamespaceDefinition> definition;
  MemberRef member;
  std::size_t step = 0;

  bool pass(std::size_t expected) noexcept { return step == expected && ++step != 0; }
};

Admission::~Admission() {
  if (entering_) entering_->home().hub().leave(*entering_, DisconnectReason::kTransportClose);
}

Hub::Hub(const HubOptions& options, HubContext context)
    : options_(options),
      context_(std::move(context)),
      identities_({.timers = context_.timers,
                   .now = context_.now,
                   .wall_clock_ms = context_.wall_clock_ms,
                   .warning_ms = options.expiry_warning_ms,
                   .warn = [this](Member& member) { warn_of_expiry(member); },
                   .end = [this](Member& member) { expire(member); }}) {}

Hub::~Hub() = default;

Namespace* Hub::find(const NamespaceKey& key) const {
  const auto found = namespaces_.find(key);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

Namespace& Hub::open(const NamespaceKey& key, const std::shared_ptr<NamespaceDefinition>& definition) {
  auto& slot = namespaces_[key];
  if (slot == nullptr) slot.reset(new Namespace(*this, key, context_.registry.hold(definition), past_totals_.take(key)));
  return *slot;
}

std::vector<Namespace*> Hub::namespaces() const {
  std::vector<Namespace*> list;
  list.reserve(namespaces_.size());
  for (const auto& [key, space] : namespaces_) list.push_back(space.get());
  return list;
}

// ---- admission

void Hub::admit(std::string_view namespace_name, Sink& sink, const Dialect& dialect, std::string auth,
                const std::shared_ptr<Admission>& admission) {
  auto entry = std::make_shared<Entry>(
      Entry{{{}, std::string(namespace_name)}, &sink, &dialect, std::move(auth), admission, {}, nullptr, MemberRef()});
  if (context_.authenticate) {
    authenticate(entry);
  } else {
    judged(entry, {});
  }
}

void Hub::authenticate(const std::shared_ptr<Entry>& entry) {
  const auto answered = [this, entry, step = entry->step](Verdict verdict) {
    if (entry->admission.expired() || !entry->pass(step)) return;
    judged(entry, std::move(verdict));
  };
  try {
    context_.authenticate({entry->key.name, *entry->sink, entry->auth}, answered);
  } catch (const std::exception& failure) {
    log().write(base::LogLevel::kError, "an authenticator threw; that counts as no",
                {{"namespace", entry->key.name}, {"what", failure.what()}});
    answered({.refusal = Refusal{"internal error"}});
  } catch (...) {
    log().write(base::LogLevel::kError, "an authenticator threw; that counts as no", {{"namespace", entry->key.name}});
    answered({.refusal = Refusal{"internal error"}});
  }
}

void Hub::judged(const std::shared_ptr<Entry>& entry, Verdict verdict) {
  if (verdict.refusal) return refuse(entry, *verdict.refusal);
  if (!verdict.keep_auth) entry->auth.clear();
  entry->identity = std::move(verdict.identity);
  if (entry->identity != nullptr) entry->key.tenant = entry->identity->tenant;
  if (const Namespace* known = find(entry->key)) {
    enter(entry, known->shared_definition());
  } else if (auto definition = context_.registry.find(entry->key.name)) {
    enter(entry, definition);
  } else {
    find_definition(entry, 0);
  }
}

void Hub::find_definition(const std::shared_ptr<Entry>& entry, std::size_t parent_index) {
  const std::vector<const NamespaceParent*> parents = context_.registry.parents();
  if (parent_index >= parents.size()) {
    refuse(entry, {std::string(kInvalidNamespaceText), {}});
    return;
  }
  const NamespaceParent* parent = parents[parent_index];
  const auto answered = [this, entry, parent, parent_index, step = entry->step](bool allowed) {
    if (entry->admission.expired() || !entry->pass(step)) return;
    if (allowed) {
      enter_child(entry, *parent);
    } else {
      find_definition(entry, parent_index + 1);
    }
  };
  try {
    parent->matches(entry->key.name, entry->auth, answered);
  } catch (...) {
    log().write(base::LogLevel::kError, "a namespace predicate threw; that counts as no", {{"namespace", entry->key.name}});
    answered(false);
  }
}

void Hub::enter_child(const std::shared_ptr<Entry>& entry, const NamespaceParent& parent) {
  // Another shard may be making it: then its thread tells, and we go on here.
  auto later = [this, entry, &relay = relay(), shard = relay().shard()](const std::shared_ptr<NamespaceDefinition>& made) {
    relay.post(shard, [this, entry, made](Hub&) {
      if (!entry->admission.expired()) enter(entry, made);
    });
  };
  const auto child = context_.registry.child(entry->key.name, parent, std::move(later));
  if (!child.ok()) {
    count_refused(statistics_.refused_namespaces, namespaces_told_, "too many dynamic namespaces: nobody gets into a new one");
    refuse(entry, {std::string(kTooManyNamespacesText), std::string(kTooManyNamespacesData), kTryAgainLaterCode});
  } else if (*child != nullptr) {
    enter(entry, *child);
  }
}

void Hub::enter(const std::shared_ptr<Entry>& entry, const std::shared_ptr<NamespaceDefinition>& definition) {
  Namespace& space = open(entry->key, definition);
  const auto admission = entry->admission.lock();
  if (admission == nullptr) return drop_if_empty(space);  // the listener to its making ended the connection
  entry->definition = space.shared_definition();
  entry->member = MemberRef(*new Member(space, *entry->sink, *entry->dialect, new_id()));
  if (!entry->auth.empty()) entry->member->extras().auth = std::make_unique<const std::string>(std::move(entry->auth));
  if (entry->identity != nullptr) entry->member->extras().identity = std::move(entry->identity);
  ++space.admitting_;
  admission->entering_ = entry->member;
  run_middlewares(entry, 0);
}

void Hub::run_middlewares(const std::shared_ptr<Entry>& entry, std::size_t index) {
  // The parent's chain first, then the namespace's own.
  NamespaceDefinition* parent = entry->definition->parent();
  const std::size_t inherited = parent == nullptr ? 0 : parent->middlewares.size();
  ConnectMiddleware* middleware =
      index < inherited ? parent->middlewares.at(index) : entry->definition->middlewares.at(index - inherited);
  if (middleware == nullptr) {
    finish(entry);
    return;
  }
  guarded(*entry->member, [&] {
    (*middleware)(*entry->member, [this, entry, index, step = entry->step](const Refusal* refusal) {
      if (entry->admission.expired() || !entry->pass(step)) return;
      if (refusal != nullptr) {
        refuse(entry, *refusal);
      } else {
        run_middlewares(entry, index + 1);
      }
    });
  });
}

void Hub::finish(const std::shared_ptr<Entry>& entry) {
  const auto admission = entry->admission.lock();
  if (admission == nullptr || entry->member->sink_ == nullptr) return;  // the peer left meanwhile
  Member& member = *entry->member;
  const MemberRef keep = std::exchange(admission->entering_, MemberRef());
  Namespace& space = member.home();
  --space.admitting_;
  space.add(member);
  identities_.add(member);
  ++statistics_.connects;
  ++statistics_.members;
  admission->admitted(member);
  for (NamespaceDefinition* definition : {space.definition().parent(), &space.definition()}) {
    if (definition == nullptr) continue;
    definition->connection.each([&](MemberHandler& handler) { guarded(member, [&] { handler(member); }); });
  }
  if (member.sink_ != nullptr) admission->settled(member);
}

void Hub::refuse(const std::shared_ptr<Entry>& entry, const Refusal& refusal) {
  const auto admission = entry->admission.lock();
  if (admission == nullptr) return;
  if (const MemberRef member = std::exchange(admission->entering_, MemberRef())) withdraw(*member);
  ++statistics_.refusals;
  admission->refused(refusal);
}

void Hub::withdraw(Member& member) {
  if (member.sink_ == nullptr) return;
  Namespace& space = member.home();
  space.leave_all(member);
  member.sink_ = nullptr;
  --space.admitting_;
  cancel_pending(member);
  drop_if_empty(space);
}

// Answers that will not come any more.
void Hub::cancel_pending(Member& member) {
  if (member.extras_ == nullptr || member.extras_->own_pending == nullptr) return;
  const auto pending = std::move(member.extras_->own_pending);
  for (const auto& entry : *pending) {
    Member::Extras::Pending& waiting = *entry.second;  // clang 14 captures no structured binding
    waiting.cancel();
    guarded(member, [&] { waiting.callback(Status(StatusCode::kDisconnected, "socket has been disconnected")); });
  }
}

void Hub::drop_if_empty(Namespace& space) {
  const bool made_on_demand = space.definition().dynamic || !space.key().tenant.empty();
  if (!options_.cleanup_empty_child_namespaces || !made_on_demand || !space.empty()) return;
  const auto found = namespaces_.find(space.key());
  if (found == namespaces_.end() || found->second.get() != &space) return;  // dropped before
  NamespaceRef retired = std::move(found->second);
  namespaces_.erase(found);
  past_totals_.keep(space.key(), space.members_ever());
  context_.registry.release(space.definition());
  after_dispatch([retired = std::move(retired)] {});  // it may be on the stack
}

void Hub::forget_broadcast(Namespace& space, std::uint64_t ack_id) {
  space.forget_broadcast_acks(ack_id);
  drop_if_empty(space);
}

void Hub::leave(Member& member, DisconnectReason reason) {
  if (member.sink_ == nullptr) return;
  const MemberRef keep(member);
  Namespace& space = member.home();
  if (!member.connected()) return withdraw(member);  // still on its way in; finish() will find its sink gone
  if (std::exchange(member.leaving_, true)) return;  // a listener of what follows asks for it once more
  ++statistics_.disconnects;
  --statistics_.members;
  const auto call = [&](HandlerList<DisconnectHandler>& list) {
    list.each([&](DisconnectHandler& handler) { guarded(member, [&] { handler(member, reason); }); });
  };
  NamespaceDefinition* parent = space.definition().parent();
  // Listeners may still look at the rooms, not at the wire.
  if (parent != nullptr) call(parent->handlers.disconnecting);
  call(space.definition().handlers.disconnecting);
  if (HandlerSet* own = member.own_handlers()) call(own->disconnecting);

  member.sink_ = nullptr;
  identities_.remove(member);
  space.remove(member);

  if (parent != nullptr) call(parent->handlers.disconnect);
  call(space.definition().handlers.disconnect);
  if (HandlerSet* own = member.own_handlers()) call(own->disconnect);
  cancel_pending(member);
  space.member_left(member);
  drop_if_empty(space);
}

// ---- events in

void Hub::dispatch(Member& member, std::string_view event, const ArgumentsView& arguments, const AckKey* key) {
  ++statistics_.events_in;
  const MemberRef keep(member);
  InboundEvent inbound(member, event, arguments, key);
  const HandlerSet* own = member.own_handlers();
  if (own == nullptr || own->event_middlewares.empty()) {
    deliver_event(inbound);
    return;
  }
  // With middleware the event may have to wait: it gets a life of its own.
  struct Waiting {
    MemberRef member;
    std::string name;
    Arguments arguments;
    std::optional<AckKey> key;
    std::optional<InboundEvent> event;
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->member = keep;
  waiting->name = std::string(event);
  waiting->arguments = arguments.copy();
  if (key != nullptr) waiting->key = *key;
  waiting->event.emplace(member, waiting->name, waiting->arguments.view(), waiting->key ? &*waiting->key : nullptr);
  struct Chain {
    static void run(Hub& hub, const std::shared_ptr<Waiting>& state, std::size_t index) {
      Member& owner = *state->member;
      if (owner.sink() == nullptr) return;
      EventMiddleware* middleware = owner.extras().handlers().event_middlewares.at(index);
      if (middleware == nullptr) {
        hub.deliver_event(*state->event);
        return;
      }
      hub.guarded(owner, [&] {
        (*middleware)(*state->event, [&hub, state, index](const Refusal* refusal) {
          if (refusal == nullptr) {
            run(hub, state, index + 1);
            return;
          }
          hub.report_error(*state->member, *refusal);
        });
      });
    }
  };
  Chain::run(*this, waiting, 0);
}

// The member's own, its namespace's, and those of the pattern that the namespace came from; until it has left.
template <typename Run>
void Hub::each_handler_set(Member& member, Run&& run) {
  NamespaceDefinition& definition = member.home().definition();
  if (HandlerSet* own = member.own_handlers()) run(*own);
  if (member.sink_ != nullptr) run(definition.handlers);
  if (member.sink_ != nullptr && definition.parent() != nullptr) run(definition.parent()->handlers);
}

void Hub::deliver_event(InboundEvent& event) {
  Member& member = event.member();
  bool heard = false;
  const auto run = [&](HandlerSet& set) {
    if (!set.any.empty()) {
      set.any.each([&](EventHandler& handler) { guarded(member, [&] { handler(event); }); });
      heard = true;
    }
    if (auto* list = set.find(event.name())) {
      list->each([&](EventHandler& handler) { guarded(member, [&] { handler(event); }); });
      heard = true;
    }
  };
  each_handler_set(member, run);
  if (heard) return;
  each_handler_set(member, [&](HandlerSet& set) {
    if (set.unheard.empty()) return;
    set.unheard.each([&](EventHandler& handler) { guarded(member, [&] { handler(event); }); });
    heard = true;
  });
  if (!heard) ++statistics_.unheard;
}

bool Hub::hears(const Member& member, std::string_view event) const {
  const auto listens = [event](const HandlerSet* set) {
    if (set == nullptr) return false;
    const HandlerSet::EventHandlers* list = set->find(event);
    return (list != nullptr && !list->empty()) || !set->unheard.empty();
  };
  const NamespaceDefinition& definition = member.home().definition();
  return listens(member.own_handlers()) || listens(&definition.handlers) ||
         (definition.parent() != nullptr && listens(&definition.parent()->handlers));
}

// ---- identities

void Hub::set_identity(Member& member, std::shared_ptr<const Identity> identity) {
  const bool watched = member.connected();
  if (watched) identities_.remove(member);
  member.extras().identity = std::move(identity);
  if (watched) identities_.add(member);
}

// Out of the rooms first: nothing that is said there from now on reaches it, however long its connection takes to close.
void Hub::turn_out(Member& member, const Ending& ending) {
  member.home().leave_all(member);
  if (Sink* sink = member.sink()) sink->disconnect(member, ending);
}

void Hub::expire(Member& member) {
  if (!member.connected()) return;
  ++statistics_.identities_expired;
  turn_out(member, {.connection = true, .code = kExpiredCode, .text = "token expired"});
}

void Hub::close_members_of(const std::function<bool(const Identity&)>& chosen, const Ending& ending) {
  std::vector<MemberRef> leaving;  // their listeners may change who is where
  for (const auto& [key, space] : namespaces_) {
    for (Member* member : space->members()) {
      if (member->identity() != nullptr && chosen(*member->identity())) leaving.emplace_back(*member);
    }
  }
  for (const MemberRef& member : leaving) {
    if (member->connected()) turn_out(*member, ending);
  }
}

void Hub::warn_of_expiry(Member& member) {
  const std::optional<std::int64_t> end_ms = end_of(member);
  if (!member.connected() || !end_ms) return;
  const Arguments arguments = Arguments::of(Value::object({{"expiresAt", *member.identity()->expires_at_s},
                                                           {"expiresInMs", *end_ms - context_.wall_clock_ms()}}));
  emit(member, {.namespace_name = {}, .event = kExpiringEvent, .arguments = arguments});
}

void Hub::acknowledged(Member& member, std::uint64_t id, const ArgumentsView& arguments) {
  const MemberRef keep(member);
  if (Member::Extras* extras = member.extras_.get(); extras != nullptr && extras->own_pending != nullptr) {
    if (const auto found = extras->own_pending->find(id); found != extras->own_pending->end()) {
      auto pending = std::move(found->second);
      extras->own_pending->erase(found);
      pending->cancel();
      ++statistics_.acks_in;
      guarded(member, [&] { pending->callback(arguments); });
      return;
    }
  }
  if (Namespace::BroadcastAcks* acks = member.home().broadcast_acks(id); acks != nullptr && acks->waiting.erase(&member) > 0) {
    ++statistics_.acks_in;
    guarded(member, [&] { acks->answered(member, arguments); });
    return;
  }
  ++statistics_.acks_unknown;
}

void Hub::report_error(Member& member, const Refusal& error) {
  const MemberRef keep(member);
  const auto run = [&](HandlerSet& set) {
    set.error.each([&](ErrorHandler& handler) { guarded(member, [&] { handler(member, error); }); });
  };
  each_handler_set(member, run);
}

void Hub::drained(Member& member) {
  const MemberRef keep(member);
  const auto run = [&](HandlerSet& set) {
    set.drained.each([&](MemberHandler& handler) { guarded(member, [&] { handler(member); }); });
  };
  each_handler_set(member, run);
}

// ---- events out

void Hub::emit(Member& member, Message message, AckCallback callback, std::int64_t timeout_ms) {
  if (member.sink_ == nullptr) {
    if (callback) guarded(member, [&] { callback(Status(StatusCode::kDisconnected, "socket has been disconnected")); });
    return;
  }
  message.namespace_name = member.home().name();
  if (!callback) {
    member.home().deliver_to(member, message);
    return;
  }
  auto& pending = member.extras().pending();
  if (pending.size() >= base::limits::kPendingAcksPerMemberMax) {
    guarded(member, [&] {
      callback(Status(StatusCode::kResourceExhausted, "too many acknowledgements are outstanding on this socket"));
    });
    return;
  }
  const std::uint64_t id = member.home().next_ack_id();
  message.ack_id = id;
  auto waiting = std::make_unique<Member::Extras::Pending>(member, id, std::move(callback));
  const std::int64_t wait = timeout_ms > 0 ? timeout_ms : options_.ack_timeout_ms;
  if (wait > 0) timers().arm(*waiting, now() + wait);
  pending.emplace(id, std::move(waiting));
  member.home().deliver_to(member, message);
}

void Hub::listener_failed(Member& member, const char* what) {
  ++statistics_.listener_failures;
  log().write(base::LogLevel::kError, "a listener threw; its connection is closed",
              {{"socket", member.id_text()}, {"namespace", member.home().name()}, {"what", what}});
  if (Sink* sink = member.sink()) sink->disconnect(member, {.connection = true});
}

std::shared_ptr<void> Hub::let_question_go(const void* question) {
  const auto found = questions_.find(question);
  if (found == questions_.end()) return nullptr;
  std::shared_ptr<void> held = std::move(found->second);
  questions_.erase(found);
  return held;
}

bool Hub::take_room(bool beyond_bound) {
  if (context_.rooms == nullptr || context_.rooms->take(beyond_bound)) return true;
  count_refused(statistics_.refused_rooms, rooms_told_, "too many rooms: no new one is made");
  return false;
}

void Hub::give_room_back() noexcept {
  if (context_.rooms != nullptr) context_.rooms->give_back();
}

void Hub::count_refused(std::uint64_t& count, std::optional<base::Milliseconds>& told, std::string_view message) {
  ++count;
  if (told && now() - *told < kTellAgainMs) return;
  told = now();
  log().write(base::LogLevel::kWarn, message, {{"refused", std::to_string(count)}});
}

MemberId Hub::new_id() {
  MemberId id;
  context_.random.fill(id);
  // The tail counts, as the ids of the reference server do; 104 random bits stay.
  ++id_counter_;
  id[id.size() - 2] = static_cast<unsigned char>(id_counter_ >> 8);
  id[id.size() - 1] = static_cast<unsigned char>(id_counter_);
  return id;
}

}  // namespace tidewire::hub
