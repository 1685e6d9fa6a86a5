// sim/wire.h - a client's stream: HTTP/1.1 requests and, after a 101, WebSocket frames. Written apart from the server's codecs.
//
// One request at a time. Ears are called from the world's events; a Wire must not be destroyed inside its own (see Graveyard).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/simulated_world.h"

namespace tidewire::sim {

class Wire {
 public:
  struct Ears {
    std::function<void(int status, std::string_view body)> response = {};  // also 101; 0: the stream ended before
    std::function<void(std::string_view text)> text = {};
    // The stream is over: the code of the CLOSE frame, 0 without one.
    std::function<void(int code, bool reset)> ended = {};
  };
  Wire(net::SimulatedWorld& world, std::uint16_t port, Ears ears);

  bool connected() const noexcept { return client_ != nullptr && !client_->ended(); }
  bool busy() const noexcept { return busy_; }
  net::SimulatedClient& stream() noexcept { return *client_; }

  void get(const std::string& target);
  void post(const std::string& target, std::string_view body);
  void upgrade(const std::string& target);
  void send_text(std::string_view text) { send_frame(1, text); }
  void close(int code);

 private:
  void send_frame(unsigned opcode, std::string_view payload);
  void take(std::string_view bytes);
  bool take_response();
  bool take_frame();
  void frame(unsigned opcode, bool fin, std::string payload);

  net::SimulatedWorld& world_;
  const Ears ears_;
  std::unique_ptr<net::SimulatedClient> client_;
  std::string received_;
  std::string message_;  // of fragments so far
  bool busy_ = false;
  bool websocket_ = false;
  int close_code_ = 0;
};

}  // namespace tidewire::sim
