// socketio/client.h - one Engine.IO session as the hub sees it: its members, packets in, packets out.
//
//   engineio::Session --text/binary--> Client --admit/dispatch/acknowledged/leave--> hub::Hub
//                     <----- frames --------- (hub::Sink)
//
// Life: made when a session opens, deletes itself when the session has closed (at the end of the turn, since calls into it
// may be on the stack). What only some clients need, some of the time (namespaces under way, attachments under way, the
// connect timeout), sits in Rare and is gone when it is not needed.
// Threads: its shard only.
// Errors: whatever breaks the grammar closes the connection (WebSocket 1002); the sockets' `error` listeners hear the text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/timer_wheel.h"
#include "engineio/session.h"
#include "hub/hub.h"
#include "socketio/dialect.h"
#include "socketio/packet_codec.h"

namespace tidewire::socketio {

struct Options {
  std::int64_t connect_timeout_ms = 45'000;
  std::uint32_t attachments_max = 10;
  std::size_t attachment_bytes_max = 10'000'000;  // the sum of one packet's attachments
  std::size_t json_depth = 64;
};

struct Statistics {
  std::uint64_t packets_in = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t connect_timeouts = 0;
  std::size_t clients = 0;
};

// What the clients of a shard share.
struct Endpoint {
  hub::Hub& hub;
  const Dialect& dialect;
  Options options;
  Statistics statistics = {};
};

class Client final : public engineio::SessionListener, public hub::Sink {
 public:
  // Attaches itself to the session and owns itself.
  static void attach(Endpoint& endpoint, engineio::Session& session);
  ~Client();

  // engineio::SessionListener
  void on_text(engineio::Session& session, std::span<char> message) override;
  void on_binary(engineio::Session& session, std::span<char> message) override;
  void on_drained(engineio::Session& session) override;
  void on_closed(engineio::Session& session, engineio::CloseReason reason) override;

  // hub::Sink
  void send(const base::Frame& frame, base::Lane lane) override;
  bool writable() const noexcept override;
  std::size_t queued_bytes() const noexcept override;
  void disconnect(hub::Member& member, const hub::Ending& ending) override;
  hub::ConnectionFacts facts() const override;
  std::string address() const override;

 private:
  struct Entry;  // a namespace under way
  struct Reassembly;
  struct Rare;

  Client(Endpoint& endpoint, engineio::Session& session);

  void handle_connect(const PacketView& packet);
  void handle_disconnect(const PacketView& packet);
  void begin_binary(const PacketView& packet, std::string_view text);
  // A complete event or acknowledgement to the member it is for. `text` is the packet, for those that must wait.
  void deliver(const PacketView& packet, std::string_view text, std::span<const Bytes> attachments);
  void deliver_event(hub::Member& member, const PacketView& packet, std::span<const Bytes> attachments);
  void deliver_ack(hub::Member& member, const PacketView& packet, std::span<const Bytes> attachments);

  hub::Member* find(std::string_view namespace_name) const noexcept;
  bool just_left(std::string_view namespace_name);
  bool knows(std::string_view namespace_name) const noexcept;
  // The member, or null: then the packet waits for its CONNECT, came late for a namespace just left, or was a violation.
  hub::Member* addressee(const PacketView& packet, std::string_view text, std::span<const Bytes> attachments);
  void admitted(Entry& entry, hub::Member& member);
  void remove(hub::Member& member);
  const engineio::Session* known_session() const noexcept;
  Rare& rare();
  void drop_rare_if_idle();
  void connect_timed_out(base::Milliseconds now);
  // Ends the connection because of what the peer sent.
  void violation(std::string_view what);
  // Ends every membership, then the session.
  void close_all(DisconnectReason reason, const hub::Ending& ending = {});

  Endpoint& endpoint_;
  engineio::Session* session_;  // null once closed
  absl::InlinedVector<hub::MemberRef, 1> members_;
  std::unique_ptr<Rare> rare_;
};

}  // namespace tidewire::socketio
