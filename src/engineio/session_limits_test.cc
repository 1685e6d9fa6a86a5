// The out-queue's bounds: soft, hard, age (reliability: a client that never reads costs a bounded amount).
#include "engineio/session_impl.h"

#include "engineio/test_engine.h"

namespace tidewire::engineio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Options small_queues() {
  Options options = Engine::quick_options();
  options.queue_soft_bytes = 1'000;
  options.queue_hard_bytes = 10'000;
  options.queue_age_ms = 5'000;
  return options;
}

class SessionLimits : public testing::Test {
 protected:
  Engine engine{small_queues()};
};

TEST_F(SessionLimits, OverTheSoftLimitReadingPausesUntilThePeerTakesItsBytes) {
  Socket socket = engine.open_websocket();
  Session& session = *socket.server->session;
  socket.peer.stall();
  session.send_text("x");
  engine.reactor.turn();
  EXPECT_FALSE(session.writable());
  session.send_text(std::string(2'000, 'x'));
  EXPECT_TRUE(socket.peer.reading_paused());
  socket.send("4waits");
  EXPECT_THAT(socket.server->heard, IsEmpty());
  socket.peer.drain();
  engine.reactor.turn();
  EXPECT_FALSE(socket.peer.reading_paused());
  EXPECT_EQ(socket.server->drained, 1);
  EXPECT_THAT(socket.server->heard, ElementsAre("waits"));
  EXPECT_TRUE(session.writable());
}

TEST_F(SessionLimits, OverTheHardLimitTheSessionClosesAtTheEndOfTheTurn) {
  Socket socket = engine.open_websocket();
  Session& session = *socket.server->session;
  socket.peer.stall();
  session.send_text("x");
  engine.reactor.turn();
  for (int i = 0; i < 1'000; ++i) session.send_text(std::string(1'000, 'x'));
  EXPECT_THAT(socket.server->closed, IsEmpty());
  EXPECT_LT(session.queued_bytes(), 12'000u);
  engine.reactor.turn();
  EXPECT_THAT(socket.server->closed, ElementsAre("slow consumer"));
  socket.peer.drain();
  EXPECT_EQ(socket.take().back(), "close:4008");
}

TEST_F(SessionLimits, ABurstInOneTurnToAPeerThatReadsIsNoReason) {
  Socket socket = engine.open_websocket();
  for (int i = 0; i < 50; ++i) socket.server->session->send_text(std::string(1'000, 'x'));
  engine.reactor.turn();
  EXPECT_EQ(socket.take().size(), 50u);
  EXPECT_THAT(socket.server->closed, IsEmpty());
}

TEST_F(SessionLimits, APollingPeerThatDoesNotPollIsClosed) {
  Polling client = engine.open_polling();
  for (int i = 0; i < 100; ++i) client.server.session->send_text(std::string(1'000, 'x'));
  engine.reactor.turn();
  EXPECT_THAT(client.server.closed, ElementsAre("slow consumer"));
  EXPECT_EQ(client.poll(), "1");
}

TEST_F(SessionLimits, WhatWaitsTooLongForAPollClosesTheSession) {
  Polling client = engine.open_polling();
  EXPECT_EQ(client.post("6"), "ok");
  client.server.session->send_text("x");
  engine.reactor.advance(4'990);
  EXPECT_THAT(client.server.closed, IsEmpty());
  engine.reactor.advance(20);
  EXPECT_THAT(client.server.closed, ElementsAre("slow consumer"));
  EXPECT_EQ(client.poll(), "1");
}

TEST_F(SessionLimits, APeerThatPollsNowAndThenIsNotClosed) {
  Polling client = engine.open_polling();
  for (int i = 0; i < 5; ++i) {
    client.server.session->send_text("x");
    engine.reactor.advance(4'000);
    EXPECT_EQ(client.poll(), "4x");
  }
}

TEST_F(SessionLimits, AMissingPongIsForgivenWhileReadingIsPaused) {
  Options options = small_queues();
  options.queue_age_ms = 1'000'000;
  Engine patient(options);
  Socket socket = patient.open_websocket();
  socket.peer.stall();
  socket.server->session->send_text("x");
  patient.reactor.turn();
  socket.server->session->send_text(std::string(2'000, 'x'));
  patient.reactor.advance(60'000);
  EXPECT_THAT(socket.server->closed, IsEmpty());
  socket.peer.drain();
  patient.reactor.advance(45'100);
  EXPECT_THAT(socket.server->closed, ElementsAre("ping timeout"));
}

}  // namespace
}  // namespace tidewire::engineio
