// engineio/upgrade.h - a WebSocket on its way to take over a polling session.
//
//   2probe -> 3probe    the session answers waiting polls from now on, so that the client can pause polling
//   5                   done: the session switches
//   anything else, a third probe, silence for upgrade_timeout_ms: this WebSocket ends, the session goes on by polling
//
// Until `5` everything still travels by polling. A client that has its `3probe` pauses polling before it sends `5`: a session that
// ends in between could tell it nothing, so this WebSocket waits a little for the `5` and tells it then (Farewell).
// Life: owned by the session while it lasts, freed by Reactor::defer().
#pragma once

#include "base/timer_wheel.h"
#include "engineio/transport.h"

namespace tidewire::engineio {

class Upgrade final : private websocket::Listener, private base::Timer {
 public:
  Upgrade(websocket::Connection& connection, EngineContext& context, TransportUser& user);
  ~Upgrade() override;

  // The session is over: ends the WebSocket, once the client listens to it with this code.
  void abandon(std::uint16_t code, std::string_view text);

 private:
  void on_text(websocket::Connection& connection, std::span<char> packet) override;
  void on_binary(websocket::Connection& connection, std::span<char> message) override;
  void on_closed(websocket::Connection& connection, std::uint16_t code, std::string_view reason, bool by_us) override;
  void expired(base::Milliseconds now) override;
  void answer_probe();
  void fail(std::uint16_t code, std::string_view reason);

  websocket::Connection* connection_;  // null once it is over or handed on
  EngineContext& context_;
  TransportUser& user_;
  const base::Milliseconds deadline_ms_;
  int probes_ = 0;
};

}  // namespace tidewire::engineio
