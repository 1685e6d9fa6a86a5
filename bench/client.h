// client.h - one WebSocket client of the generator: Socket.IO over WebSocket, or raw text.
//
//   connect -> (TLS) -> upgrade -> [ 0{...} -> 40 -> 40{...} ] -> ready -> text in, text out
//
// Answers heartbeats; every other byte is judged: what is not exactly the protocol fails the run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inflate.h"
#include "loop.h"
#include "stream.h"

namespace tidewire::bench {

class Client;

class ClientListener {
 public:
  virtual ~ClientListener() = default;
  virtual void ready(Client& client) = 0;
  virtual void message(Client& client, std::string_view text) = 0;
};

// Shared by all clients of a run; outlives them.
struct ClientContext {
  Loop& loop;
  Target target;
  bool raw = false;
  bool deflate = false;
  std::vector<std::string> auths = {};  // what CONNECT carries: client i the one at i, from the first again behind the last
  ClientListener* listener = nullptr;
  Inflater inflater = {};
  std::uint64_t compressed_frames = 0;
  std::vector<char> received = std::vector<char>(256 * 1024);
};

class Client final : public EventHandler {
 public:
  Client(ClientContext& context, std::uint32_t client_index) : context_(context), index(client_index) {}

  void open();
  // Queued; leaves with flush(), or by itself when called from message().
  void send_text(std::string_view text);
  void flush();

  void on_events(std::uint32_t events) override;

 private:
  enum class State : std::uint8_t { kConnecting, kUpgrading, kOpening, kJoining, kReady };

  void connected();
  void read_some();
  std::size_t read_upgrade(std::string_view bytes);
  std::size_t read_frames(std::string_view bytes);
  void read_text(std::string_view text);
  void become_ready();
  void fail(const std::string& what);

  ClientContext& context_;
  Stream stream_;
  std::string partial_;
  std::string out_;
  State state_ = State::kConnecting;

 public:
  // For the scenario.
  const std::uint32_t index;
  std::uint64_t sent = 0;      // acknowledgement ids are counted from here
  std::uint64_t received = 0;
};

// The request head of every handshake: exactly 260 bytes unless extensions are offered, so that what a server keeps of it
// can be told apart from its own state.
std::string handshake_text(const Target& target, bool raw, bool deflate);

}  // namespace tidewire::bench
