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

TEST_F(SessionLimits, AClosedSlowConsumerOwesNothingMore) {
  Socket socket = engine.open_websocket();
  Session& session = *socket.server->session;
  socket.peer.stall();
  session.send_text("begun");
  engine.reactor.turn();
  for (int i = 0; i < 20; ++i) session.send_text(std::string(1'000, 'x'));
  engine.reactor.turn();
  EXPECT_LT(socket.peer.connection().out().bytes(), 100u);
  EXPECT_EQ(engine.server->statistics().slow, 1u);
}

// A budget of one megabyte of which `percent` are in use.
struct ShortMemory {
  explicit ShortMemory(std::size_t percent) {
    base::forget_counted_bytes();
    charge.set(percent * 10'000);
    budget.settle_now();
  }
  ~ShortMemory() {
    charge.set(0);
    base::forget_counted_bytes();
  }
  Options options() const {
    Options options = small_queues();
    options.budget = &budget;
    return options;
  }
  base::Budget budget{1'000'000};
  base::Charge charge;
};

TEST(SessionsShortOfMemory, TheHardLimitFallsToTheSoftOne) {
  const ShortMemory memory(80);
  Engine engine(memory.options());
  Socket socket = engine.open_websocket();
  Session& session = *socket.server->session;
  socket.peer.stall();
  session.send_text("x");
  engine.reactor.turn();
  session.send_text(std::string(500, 'x'));
  engine.reactor.turn();
  EXPECT_THAT(socket.server->closed, IsEmpty());
  session.send_text(std::string(600, 'x'));
  engine.reactor.turn();
  EXPECT_THAT(socket.server->closed, ElementsAre("slow consumer"));
}

TEST(SessionsShortOfMemory, AStreamStuckInALongFrameIsCut) {
  const ShortMemory memory(80);
  Engine engine(memory.options());
  Socket socket = engine.open_websocket();
  socket.peer.stall();
  socket.server->session->send_text(std::string(100'000, 'x'));
  socket.peer.connection().out().consume(10);  // it has begun to leave
  engine.reactor.turn();
  socket.server->session->send_text(std::string(2'000, 'x'));
  engine.reactor.turn();
  EXPECT_THAT(socket.server->closed, ElementsAre("slow consumer"));
  EXPECT_TRUE(socket.peer.closed());
}

TEST(SessionsShortOfMemory, NewHandshakesAreToldToComeBackLater) {
  const ShortMemory memory(95);
  Engine engine(memory.options());
  const Answer polling = engine.ask("GET", "/engine.io/?EIO=4&transport=polling");
  EXPECT_EQ(polling.status, 503);
  EXPECT_THAT(polling.head, testing::ContainsRegex("Retry-After: (5|6|7|8|9|10|11|12|13|14|15)\r\n"));
  net::TestReactor::Peer websocket = engine.upgrade("EIO=4&transport=websocket");
  EXPECT_THAT(websocket.take(), testing::StartsWith("HTTP/1.1 503"));
  EXPECT_TRUE(websocket.closed());
  EXPECT_EQ(engine.server->statistics().refused_overload, 2u);
}

TEST(SessionsShortOfMemory, SessionsThatAreOpenGoOn) {
  ShortMemory memory(10);
  Engine engine(memory.options());
  Polling client = engine.open_polling();
  memory.charge.set(970'000);
  memory.budget.settle_now();
  EXPECT_EQ(client.post("4hello"), "ok");
  EXPECT_EQ(client.poll(), "4hello");
}

TEST_F(SessionLimits, GathersTheQueuesThatCanBeGivenUp) {
  Socket stalled = engine.open_websocket(), reading = engine.open_websocket();
  Polling polling = engine.open_polling();
  stalled.peer.stall();
  stalled.server->session->send_text(std::string(900, 'x'));
  polling.server.session->send_text(std::string(500, 'x'));
  reading.server->session->send_text(std::string(900, 'x'));
  engine.reactor.turn();
  std::vector<base::ShedCandidate> queues;
  engine.server->gather_queues(501, queues);
  ASSERT_EQ(queues.size(), 2u);
  for (const base::ShedCandidate& queue : queues) queue.give_up(queue.owner);
  EXPECT_THAT(stalled.server->closed, IsEmpty());  // not inside the call
  engine.reactor.turn();
  EXPECT_THAT(stalled.server->closed, ElementsAre("slow consumer"));
  EXPECT_THAT(polling.server.closed, ElementsAre("slow consumer"));
  EXPECT_THAT(reading.server->closed, IsEmpty());
}

// Before somebody above has let the peer in.
struct Unadmitted : testing::Test {
  static Options strict() {
    Options options = Engine::quick_options();
    options.first_message_bytes_max = 1'000;
    return options;
  }
  Engine engine{strict()};
};

TEST_F(Unadmitted, AWebSocketMayNotSendMuch) {  // B11
  Socket socket = engine.open_websocket();
  socket.send("4" + std::string(999, 'x'));
  EXPECT_EQ(socket.server->heard.size(), 1u);
  socket.take();
  socket.send("4" + std::string(1'000, 'x'));
  EXPECT_THAT(socket.take(), ElementsAre("close:1009"));
}

TEST_F(Unadmitted, APostMayNotBringALargeMessage) {  // B11
  Polling client = engine.open_polling();
  EXPECT_EQ(client.post("4" + std::string(1'000, 'x')), "ok");
  EXPECT_EQ(client.post_status("4" + std::string(1'001, 'x')), 400);
  EXPECT_THAT(client.server.closed, ElementsAre("forced close"));

  Polling admitted = engine.open_polling();
  admitted.server.session->set_admitted();
  EXPECT_EQ(admitted.post("4" + std::string(1'001, 'x')), "ok");
}

TEST_F(Unadmitted, TheBoundGoesWithTheAdmissionAndNotWithTheUpgrade) {
  Socket socket = engine.open_websocket();
  socket.server->session->set_admitted();
  socket.send("4" + std::string(5'000, 'x'));
  EXPECT_EQ(socket.server->heard.size(), 1u);

  Polling client = engine.open_polling();
  Socket upgrading = engine.begin_upgrade(client);
  client.server.session->set_admitted();
  upgrading.send("2probe");
  upgrading.send("5");
  upgrading.send("4" + std::string(5'000, 'x'));
  EXPECT_EQ(client.server.heard.size(), 1u);
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
