// hub/handlers.h - what the application wants called: listeners by event name, catch-alls, middleware, life-cycle.
//
// One HandlerSet per namespace definition (shared by all shards: filled before the server runs, read-only then) and,
// lazily, one per member that has listeners of its own.
// Listeners may add and remove listeners while they run: lists keep their place, removed entries stay as holes until the
// outermost dispatch is over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/string_map.h"
#include "tidewire/function.h"
#include "tidewire/status.h"
#include "tidewire/arguments.h"

namespace tidewire::hub {

class Member;
class InboundEvent;

// Why somebody may not connect: message and optional data, as connect_error shows them.
struct Refusal {
  std::string message;
  std::string data = {};         // JSON text, empty for none
  std::uint16_t close_code = 0;  // for dialects whose connection ends with the refusal; 0: 1008
};

// Called once with nullptr to go on or with a refusal. Dropping it uncalled leaves the peer waiting for its dialect's
// deadline.
using Next = UniqueFunction<void(const Refusal*)>;
// Per-packet middleware goes on with an event it may have changed, or drops it with an error for the socket's `error` listeners.
using EventNext = UniqueFunction<void(const Refusal*)>;

using EventHandler = UniqueFunction<void(InboundEvent&)>;
using MemberHandler = UniqueFunction<void(Member&)>;
using DisconnectHandler = UniqueFunction<void(Member&, DisconnectReason)>;
using ErrorHandler = UniqueFunction<void(Member&, const Refusal&)>;
using ConnectMiddleware = UniqueFunction<void(Member&, Next)>;
using EventMiddleware = UniqueFunction<void(InboundEvent&, EventNext)>;
using OutgoingHandler = UniqueFunction<void(Member&, std::string_view event, const ArgumentsView&)>;
using ListenerId = std::uint64_t;

// Listeners in order of registration (prepend puts in front).
template <typename Handler>
class HandlerList {
 public:
  ListenerId add(Handler handler, ListenerId id, bool prepend = false) {
    auto entry = std::make_unique<Entry>(Entry{id, std::move(handler), false});
    if (prepend) {
      entries_.insert(entries_.begin(), std::move(entry));
      if (depth_ > 0) ++shift_;
    } else {
      entries_.push_back(std::move(entry));
    }
    return id;
  }
  bool remove(ListenerId id) {
    for (auto& entry : entries_) {
      if (entry->id == id && !entry->removed) {
        entry->removed = true;
        sweep();
        return true;
      }
    }
    return false;
  }
  void clear() {
    for (auto& entry : entries_) entry->removed = true;
    sweep();
  }
  std::size_t size() const {
    std::size_t count = 0;
    for (const auto& entry : entries_) count += entry->removed ? 0 : 1;
    return count;
  }
  bool empty() const noexcept { return entries_.empty(); }

  // Calls every listener present at the start. Safe against add() and remove() from inside.
  template <typename Call>
  void each(Call&& call) {
    if (read_only_) {
      for (const auto& entry : entries_) call(entry->handler);
      return;
    }
    const std::size_t count = entries_.size();
    const std::size_t shift_before = shift_;
    const Running running(*this);
    for (std::size_t i = 0; i < count; ++i) {
      Entry& entry = *entries_[i + (shift_ - shift_before)];
      if (!entry.removed) call(entry.handler);
    }
  }

  // After this, each() writes nothing: shards may call it at the same time.
  void freeze() noexcept { read_only_ = true; }

  // For chains that continue later (middleware): the n-th entry, null behind the end.
  Handler* at(std::size_t index) { return index < entries_.size() ? &entries_[index]->handler : nullptr; }

 private:
  struct Entry {
    ListenerId id;
    Handler handler;
    bool removed;
  };
  // A listener may throw out of each().
  struct Running {
    explicit Running(HandlerList& its_list) : list(its_list) { ++list.depth_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      --list.depth_;
      list.sweep();
    }
    HandlerList& list;
  };
  void sweep() {
    if (depth_ > 0) return;
    shift_ = 0;
    std::erase_if(entries_, [](const auto& entry) { return entry->removed; });
  }
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t depth_ = 0;
  std::size_t shift_ = 0;
  bool read_only_ = false;
};

struct HandlerSet {
  using EventHandlers = HandlerList<EventHandler>;
  // Values are stable: a list stays where it is when the map grows.
  base::StringMap<std::unique_ptr<EventHandlers>> by_event;
  HandlerList<EventHandler> any;                // catch-all, before the listeners by name
  HandlerList<EventHandler> unheard;            // events that nobody else listens to
  HandlerList<OutgoingHandler> any_outgoing;
  HandlerList<EventMiddleware> event_middlewares;
  HandlerList<DisconnectHandler> disconnecting;  // rooms are still there
  HandlerList<DisconnectHandler> disconnect;
  HandlerList<ErrorHandler> error;
  HandlerList<MemberHandler> drained;
  ListenerId next_id = 1;

  EventHandlers& listeners(std::string_view event) {
    auto& list = by_event[event];
    if (list == nullptr) list = std::make_unique<EventHandlers>();
    return *list;
  }
  EventHandlers* find(std::string_view event) const {
    const auto found = by_event.find(event);
    return found == by_event.end() ? nullptr : found->second.get();
  }
  void freeze() {
    for (auto& [name, list] : by_event) list->freeze();
    any.freeze();
    unheard.freeze();
    any_outgoing.freeze();
    event_middlewares.freeze();
    disconnecting.freeze();
    disconnect.freeze();
    error.freeze();
    drained.freeze();
  }
};

// A namespace as the application declared it; every shard has a Namespace that refers to it.
class NamespaceDefinition {
 public:
  explicit NamespaceDefinition(std::string name, std::shared_ptr<NamespaceDefinition> parent = nullptr)
      : name_(std::move(name)), parent_(std::move(parent)) {}
  NamespaceDefinition(const NamespaceDefinition&) = delete;
  NamespaceDefinition& operator=(const NamespaceDefinition&) = delete;

  const std::string& name() const noexcept { return name_; }
  // The pattern or predicate that this dynamic namespace came from; its listeners and middleware count first. Null if none.
  NamespaceDefinition* parent() const noexcept { return parent_.get(); }

  HandlerSet handlers;
  HandlerList<ConnectMiddleware> middlewares;
  HandlerList<MemberHandler> connection;
  bool dynamic = false;                   // made by a parent: may be dropped when empty
  bool is_parent = false;                 // a pattern or a predicate: nobody is in it, only in its children
  std::uint32_t instances = 0;            // Namespaces of it, of all shards and tenants; the registry's

  void freeze() {
    handlers.freeze();
    middlewares.freeze();
    connection.freeze();
  }

 private:
  const std::string name_;
  const std::shared_ptr<NamespaceDefinition> parent_;
};

}  // namespace tidewire::hub
