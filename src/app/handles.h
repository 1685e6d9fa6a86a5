// app/handles.h - from the public handles to the engine behind them.
#pragma once

#include <utility>

#include "app/core.h"
#include "app/shard.h"
#include "hub/broadcast.h"
#include "hub/event.h"
#include "tidewire/server.h"

namespace tidewire {

inline Shard& shard_of(const hub::Member& member) { return static_cast<Shard&>(member.home().hub().relay()); }

// Runs `task` on the member's shard: now when this is its thread.
inline void on_shard_of(hub::Member& member, net::Task task) {
  Shard& shard = shard_of(member);
  shard.core().post_to(shard.index(), std::move(task));
}

inline hub::Refusal to_refusal(const Error& error) {
  return {error.message, error.data.is_null() ? std::string() : error.data.to_json(), error.close_code};
}

inline Next make_next(hub::Next next) {
  return Next([next = std::move(next)](const Error* error) {
    if (error == nullptr) {
      next(nullptr);
    } else {
      const hub::Refusal refusal = to_refusal(*error);
      next(&refusal);
    }
  });
}

inline Error to_error(const hub::Refusal& refusal) {
  return {refusal.message, refusal.data.empty() ? Value() : Value::parse(refusal.data).value_or(Value()), refusal.close_code};
}

// Somebody anonymous instead of nobody.
std::shared_ptr<const Identity> identity_or_anonymous(std::shared_ptr<const Identity> identity);

inline hub::EventHandler wrap_listener(EventListener listener) {
  return [listener = std::move(listener)](hub::InboundEvent& inbound) {
    Event event(inbound);
    listener(event);
  };
}

template <typename Listener>
hub::DisconnectHandler wrap_disconnect(Listener listener) {
  return [listener = std::move(listener)](hub::Member& member, DisconnectReason reason) {
    Socket socket(member);
    listener(socket, reason);
  };
}

template <typename Listener>
hub::ErrorHandler wrap_error(Listener listener) {
  return [listener = std::move(listener)](hub::Member& member, const hub::Refusal& refusal) {
    Socket socket(member);
    listener(socket, to_error(refusal));
  };
}

}  // namespace tidewire
