// sim/chatter.h - one simulated person in the chat, whatever way it speaks: plain, or Socket.IO over one of its transports.
//
//   Plain          WebSocket, flat JSON
//   SocketIo       grammar of Socket.IO on an Engine.IO session: websocket, polling, or polling that upgrades
//
// What it says and hears is in the words of the chat (Ears); checking it is the business of chat.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/simulated_world.h"
#include "sim/wire.h"
#include "tidewire/value.h"

namespace tidewire::sim {

enum class Way : std::uint8_t { kPlain, kWebSocket, kPolling, kUpgrade };
inline constexpr std::uint64_t kWayCount = 4;

struct Place {
  net::SimulatedWorld& world;
  std::uint16_t port;
};

class Chatter {
 public:
  struct Ears {
    std::function<void()> ready = {};
    std::function<void(const Value& body)> said = {};        // event `said`
    std::function<void(std::uint64_t id)> acknowledged = {};  // the answer to what was asked with that id
    // The connection is over, by the server or because we ended it: the WebSocket code, 0 if there was none.
    std::function<void(int code)> ended = {};
  };
  virtual ~Chatter() = default;

  virtual void join(std::string_view room, std::uint64_t id) = 0;
  virtual void leave(std::string_view room, std::uint64_t id) = 0;
  virtual void say(const Value& body, std::uint64_t id) = 0;
  // An orderly goodbye.
  virtual void close() = 0;

  // Faults: of every stream it has now.
  void reset();
  void vanish();
  void stall(bool on);
  void hold(base::Milliseconds ms);

 protected:
  Chatter(Place place, Ears ears) : place_(place), ears_(std::move(ears)) {}
  // A stream more. Those that were dropped are kept until the chatter dies: they may be calling at this moment.
  Wire& open(Wire::Ears ears);
  void end(int code);
  bool over() const noexcept { return over_; }

  const Place place_;
  const Ears ears_;
  std::vector<std::unique_ptr<Wire>> wires_;

 private:
  bool over_ = false;
};

std::unique_ptr<Chatter> make_chatter(Way way, Place place, Chatter::Ears ears);

}  // namespace tidewire::sim
