// polling_client.h - one long-polling client of the generator: two keep-alive connections, as browsers use them.
//
//   poll   GET  ... waits for packets, asks again at once
//   post   POST ... one packet body at a time, answered `ok`
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "loop.h"
#include "stream.h"

namespace tidewire::bench {

// One HTTP/1.1 connection with one request in flight.
class HttpPipe final : public EventHandler {
 public:
  using Answer = std::function<void(std::string_view body)>;

  HttpPipe(Loop& loop, std::string name, Answer answer) : loop_(loop), name_(std::move(name)), answer_(std::move(answer)) {}

  void open(const Target& target, std::size_t index);
  // REQUIRES: idle()
  void request(std::string text);
  bool idle() const { return !waiting_; }

  void on_events(std::uint32_t events) override;

 private:
  void read_some();

  Loop& loop_;
  std::string name_;
  Answer answer_;
  Stream stream_;
  bool established_ = false;
  bool waiting_ = false;
  std::string unsent_;  // asked for before the connection was there
  std::string received_;
};

class PollingClient {
 public:
  using Message = std::function<void(PollingClient&, std::string_view)>;

  PollingClient(Loop& loop, const Target& target, std::uint32_t client_index, Message message);

  void open();
  bool ready() const { return ready_; }
  // Leaves with the next POST, at once if none is in flight.
  void send_text(std::string_view text);

  const std::uint32_t index;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;

 private:
  void ask();
  void post();
  void polled(std::string_view body);
  void packet(std::string_view text);

  Loop& loop_;
  const Target& target_;
  Message message_;
  HttpPipe poll_;
  HttpPipe post_;
  std::string path_ = "/socket.io/?EIO=4&transport=polling";
  std::string outgoing_;
  bool ready_ = false;
};

}  // namespace tidewire::bench
