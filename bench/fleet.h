// fleet.h - all WebSocket clients of a run: opened a few at a time, then put into rooms, then driven by a scenario.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "client.h"
#include "loop.h"

namespace tidewire::bench {

class Fleet final : public ClientListener {
 public:
  using Message = std::function<void(Client&, std::string_view)>;

  explicit Fleet(ClientContext& context) : context_(context) { context.listener = this; }

  // Opens clients until `count` are ready, `kHandshakesInFlight` at once. False when the run has failed.
  bool open_until(std::size_t count);

  // Asks for `rooms` rooms for every client that is in none, by event `join` with acknowledgement. Room k of client i is
  // shared by the `members` clients with the same i / members. Fails the run with "join is not acknowledged" if nobody
  // answers.
  bool join_rooms(std::size_t rooms, std::size_t members);

  void listen(Message message) { message_ = std::move(message); }
  std::size_t size() const { return clients_.size(); }
  Client& operator[](std::size_t index) { return *clients_[index]; }

 private:
  static constexpr std::size_t kHandshakesInFlight = 100;

  void ready(Client&) override { ++ready_; }
  void message(Client& client, std::string_view text) override { message_(client, text); }

  ClientContext& context_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t ready_ = 0;
  std::size_t in_rooms_ = 0;  // the first so many clients have joined
  Message message_ = [](Client&, std::string_view) {};
};

}  // namespace tidewire::bench
