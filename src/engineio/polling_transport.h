// engineio/polling_transport.h - packets through HTTP: the client's GET waits for ours, its POST brings its own.
//
//   GET   parked as poll_ until there is something; answered once per turn with all that waits, up to payload_bytes_max
//   POST  post_ from its head on; judged whole, then handed up in turns of kPacketsPerTurn; answered when all are done
//
// While a POST is handed up the poll waits, so that the answers to one POST leave together. One GET and one POST at a time:
// a second one ends the session, as a client that overlaps them cannot know what it has.
// A frame is queued in WebSocket form and put into polling form when it leaves: its twin is shared by all who poll.
#pragma once

#include <memory>
#include <string>

#include "engineio/payload_codec.h"
#include "engineio/transport.h"
#include "http/compression.h"

namespace tidewire::engineio {

class PollingTransport final : public Transport, private http::Watcher {
 public:
  PollingTransport(EngineContext& context, TransportUser& user) : context_(context), user_(user) {}
  ~PollingTransport() override;

  std::string_view name() const noexcept override { return "polling"; }
  std::size_t send(const base::Frame& frame, base::Lane lane) override;
  std::size_t queued_bytes() const noexcept override;
  bool writable() const noexcept override { return poll_ != nullptr && nothing_queued(); }
  bool stalled() const noexcept override { return poll_ == nullptr && !nothing_queued(); }
  base::Milliseconds waiting_since() const noexcept override { return waiting_since_; }
  void drop_pending(std::size_t begun_bytes_max) override;
  bool finish(std::uint16_t websocket_code, std::string_view text) override;
  void discard(std::uint16_t websocket_code, std::string_view last_packet) override;
  void set_upgrading(bool upgrading) override;
  void release_waiting_request() override;
  void complete_reading() override;
  void move_pending_to(Transport& next) override;
  void on_head(http::Exchange& exchange) override;
  void on_request(http::Exchange& exchange, std::string_view body) override;
  void on_body_refused(http::Exchange& exchange) override;
  std::string_view current_request_head() const noexcept override;

 private:
  // A POST whose packets are being handed up.
  struct Post {
    std::string bytes;  // its head, then its body
    base::Charge charge;
    std::size_t head_size;
    PayloadReader packets;
  };

  void on_aborted(http::Exchange& exchange) override;
  void on_answer_gone(http::Exchange& exchange, bool lost) override;
  void on_poll(http::Exchange& exchange);
  void begin_post(http::Exchange& exchange);
  // Forgets post_, which is returned, with its watcher. REQUIRES: post_ != nullptr
  http::Exchange& take_post();
  void on_post(http::Exchange& exchange, std::string_view body);
  void hand_up(std::size_t packets_max);
  void end_post();
  void fail_post(http::Exchange& exchange, CloseReason reason);
  void end_turn();
  void call_at_end_of_turn();

  bool nothing_queued() const noexcept { return !held_ && out_.empty(); }
  base::Frame next_frame();
  // Wants to know whether the answer just given reaches its peer: the packets in it are nowhere else.
  void watch_answer(http::Exchange& exchange);
  // Answers the parked poll with what waits, and with `last_packet` (if any) when all of it fits. REQUIRES: poll_ != nullptr
  void answer_poll(std::string_view last_packet);

  EngineContext& context_;
  TransportUser& user_;
  http::Exchange* poll_ = nullptr;
  http::Exchange* post_ = nullptr;
  http::Exchange* answered_ = nullptr;  // the last poll, until its answer has left
  std::unique_ptr<Post> body_;  // while the packets of post_ are handed up
  base::OutQueue out_;
  base::Frame held_;            // taken from out_, did not fit into the last answer; leaves first
  base::Milliseconds waiting_since_ = 0;
  http::Coding poll_coding_ = http::Coding::kIdentity;  // what poll_ accepts
  std::uint16_t end_code_ = 0;  // of finish() or discard()
  bool over_ = false;           // no packet is handed up any more
  bool finishing_ = false;      // the close packet is still owed
  bool handing_up_ = false;     // hand_up() is on the stack
  bool upgrading_ = false;
  bool released_ = false;       // a poll was answered with a noop since the last upgrade tick
  bool called_ = false;         // end_turn() is deferred
};

}  // namespace tidewire::engineio
