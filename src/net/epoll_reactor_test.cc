// What only the real reactor has: descriptors that run out, both address families, PROXY headers, stale events, memory.
#include "net/epoll_reactor.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>
#include <thread>
#include <vector>

#include "net/socket_world_test.h"

namespace tidewire::net {
namespace {

using base::Frame;

class Echo final : public StreamHandler {
 public:
  void on_bytes(Connection& connection, std::span<char> bytes) override {
    connection.send(Frame::copy({bytes.data(), bytes.size()}));
  }
  void on_closed(Connection&, CloseCause) override {}
};

// Leaves its reactor with its first bytes, and comes back to the same one as an echo.
class HandOver final : public StreamHandler {
 public:
  void on_bytes(Connection& connection, std::span<char> bytes) override {
    Reactor& net = connection.reactor();
    auto detached = std::make_shared<DetachedConnection>(net.detach(connection, {bytes.data(), bytes.size()}));
    net.defer([&net, detached] {
      Acceptor acceptor = [](Connection&) { return std::make_unique<Echo>(); };
      net.adopt(std::move(*detached), acceptor);
    });
  }
  void on_closed(Connection&, CloseCause) override {}
};

class EpollReactorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    world_ = make_socket_world(FlushMode::kAuto, {}, why_not);
    ASSERT_NE(world_, nullptr) << why_not;
  }

  std::uint16_t listen(const ListenOptions& options = {}) {
    std::uint16_t port = 0;
    world_->on(0, [&](Reactor& net) {
      const Result<std::uint16_t> listening = net.listen(options, [this](Connection& connection) {
        peers_.push_back(connection.peer().text());
        return std::make_unique<Echo>();
      });
      ASSERT_TRUE(listening.ok()) << listening.status().message();
      port = *listening;
    });
    return port;
  }

  ReactorStatistics statistics() {
    ReactorStatistics seen;
    world_->on(0, [&](Reactor& net) { seen = net.statistics(); });
    return seen;
  }

  static bool answers(Client& client) {
    client.send("ping");
    return client.receive(4) == "ping";
  }

  std::vector<std::string> peers_;  // reactor's thread
  std::unique_ptr<World> world_;
};

// Accepting finds no descriptor below `free_count` above what is open, for one scope. Not by RLIMIT_NOFILE: UBSan opens a pipe to
// look at an object whose type it sees for the first time, and reports an error when it gets none.
class FewDescriptors {
 public:
  explicit FewDescriptors(int free_count) { accept_limit = next_descriptor() + free_count; }
  ~FewDescriptors() { accept_limit = INT_MAX; }

  static int next_descriptor() {
    const int next = ::dup(0);
    ::close(next);
    return next;
  }
  static inline std::atomic<int> accept_limit{INT_MAX};
};

double cpu_seconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

TEST_F(EpollReactorTest, SurvivesRunningOutOfDescriptors) {
  const std::uint16_t port = listen();
  const auto healthy = world_->connect(port);
  ASSERT_TRUE(answers(*healthy));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect_socket(port));
  for (const auto& client : clients) ASSERT_TRUE(answers(*client));
  {
    // Clients and server share the table here: a client that has its descriptor leaves none for the server's end.
    const FewDescriptors few(1);
    const auto refused = connect_socket(port);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->receive_to_end(), "");
    EXPECT_TRUE(refused->was_reset());
    EXPECT_TRUE(answers(*healthy));
    EXPECT_GE(statistics().accept_failures, 1u);
    const double before = cpu_seconds();
    world_->pass(500);
    EXPECT_LT(cpu_seconds() - before, 0.25);  // it rests; a busy loop would use all of it
  }
  const auto next = connect_socket(port);
  EXPECT_TRUE(answers(*next));
}

TEST_F(EpollReactorTest, AcceptsAgainAsSoonAsADescriptorIsFree) {
  const std::uint16_t port = listen();
  auto leaving = connect_socket(port);
  ASSERT_TRUE(answers(*leaving));
  const FewDescriptors few(1);
  auto refused = connect_socket(port);
  EXPECT_EQ(refused->receive_to_end(), "");
  refused.reset();
  leaving.reset();
  // On a busy machine the reactor hears of the two that left some turns later, and refuses until then.
  for (int i = 0; i < 100; ++i) {
    const auto next = connect_socket(port);
    if (next != nullptr && answers(*next)) return;
    world_->pass(20);
  }
  FAIL() << "nobody was accepted any more";
}

TEST_F(EpollReactorTest, ListensOnBothFamilies) {
  ListenOptions any;
  any.host = "::";
  const std::uint16_t port = listen(any);
  const auto v4 = connect_socket(port);
  const auto v6 = connect_socket(port, true);
  ASSERT_TRUE(v4 != nullptr && v6 != nullptr);
  EXPECT_TRUE(answers(*v4));
  EXPECT_TRUE(answers(*v6));
  world_->on(0, [&](Reactor&) {
    EXPECT_THAT(peers_, testing::ElementsAre(testing::StartsWith("127.0.0.1:"), testing::StartsWith("[::1]:")));
  });
}

TEST_F(EpollReactorTest, SaysWhyItCannotListen) {
  world_->on(0, [](Reactor& net) {
    ListenOptions options;
    options.host = "localhost";
    EXPECT_EQ(net.listen(options, {}).status().code(), StatusCode::kInvalidArgument);
    options.host = "203.0.113.1";
    EXPECT_THAT(net.listen(options, {}).status().message(), testing::StartsWith("listen on 203.0.113.1:0: "));
  });
}

TEST_F(EpollReactorTest, SharesAPortWithAnotherReactor) {
  std::string why_not;
  const auto second = make_socket_world(FlushMode::kAuto, {}, why_not);
  ListenOptions options;
  options.port = listen();
  second->on(0, [&](Reactor& net) { EXPECT_TRUE(net.listen(options, [](Connection&) { return std::make_unique<Echo>(); }).ok()); });
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(answers(*connect_socket(options.port)));
  std::uint64_t accepted = 0;
  second->on(0, [&](Reactor& net) { accepted = net.statistics().accepted; });
  EXPECT_GT(accepted, 0u);
  EXPECT_EQ(accepted + statistics().accepted, 50u);
}

TEST_F(EpollReactorTest, TakesThePeerFromATrustedProxy) {
  ListenOptions options;
  options.proxy_protocol_from = {*Network::parse("127.0.0.0/8")};
  const std::uint16_t port = listen(options);
  const auto client = connect_socket(port);
  client->send("PROXY TCP4 198.51.100.7 10.0.0.1 555 443\r\nping");
  EXPECT_EQ(client->receive(4), "ping");
  const auto split = connect_socket(port);
  for (const char byte : std::string_view("PROXY TCP6 2001:db8::7 ::1 555 443\r\np")) split->send({&byte, 1});
  EXPECT_EQ(split->receive(1), "p");
  world_->on(0, [&](Reactor&) { EXPECT_THAT(peers_, testing::ElementsAre("198.51.100.7:555", "[2001:db8::7]:555")); });
}

TEST_F(EpollReactorTest, ClosesAConnectionWhoseProxyHeaderIsMalformed) {
  ListenOptions options;
  options.proxy_protocol_from = {*Network::parse("127.0.0.0/8")};
  const auto client = connect_socket(listen(options));
  client->send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client->receive_to_end(), "");
  world_->on(0, [&](Reactor&) { EXPECT_TRUE(peers_.empty()); });
}

TEST_F(EpollReactorTest, WantsNoProxyHeaderFromOthers) {
  ListenOptions options;
  options.proxy_protocol_from = {*Network::parse("203.0.113.0/24")};
  EXPECT_TRUE(answers(*connect_socket(listen(options))));
}

TEST_F(EpollReactorTest, RefusesAnAddressThatHasAllItsConnections) {
  ListenOptions options;
  options.address_limit = AddressLimit::make(2);
  const std::uint16_t port = listen(options);
  auto first = connect_socket(port);
  const auto second = connect_socket(port);
  EXPECT_TRUE(answers(*first) && answers(*second));
  EXPECT_EQ(connect_socket(port)->receive_to_end(), "");
  EXPECT_EQ(statistics().refused_by_address, 1u);
  first->finish();
  first->receive_to_end();
  // Its place is free with its end, which the peer may see a moment earlier.
  bool again = false;
  for (int attempt = 0; attempt < 100 && !again; ++attempt) again = answers(*connect_socket(port));
  EXPECT_TRUE(again);
}

TEST_F(EpollReactorTest, CountsAConnectionBehindAProxyForItsClient) {
  ListenOptions options;
  options.proxy_protocol_from = {*Network::parse("127.0.0.0/8")};
  options.address_limit = AddressLimit::make(1);
  const std::uint16_t port = listen(options);
  const auto client = connect_socket(port), other = connect_socket(port), one_more = connect_socket(port);
  client->send("PROXY TCP4 198.51.100.7 10.0.0.1 555 443\r\nping");
  EXPECT_EQ(client->receive(4), "ping");
  other->send("PROXY TCP4 198.51.100.8 10.0.0.1 555 443\r\nping");
  EXPECT_EQ(other->receive(4), "ping");
  one_more->send("PROXY TCP4 198.51.100.7 10.0.0.1 556 443\r\nping");
  EXPECT_EQ(one_more->receive_to_end(), "");
}

TEST_F(EpollReactorTest, KeepsThePlaceOfAConnectionThatIsHandedOver) {
  ListenOptions options;
  options.address_limit = AddressLimit::make(1);
  std::uint16_t port = 0;
  world_->on(0, [&](Reactor& net) { port = net.listen(options, [](Connection&) { return std::make_unique<HandOver>(); }).value(); });
  const auto client = connect_socket(port);
  client->send("first");
  EXPECT_EQ(client->receive(5), "first");
  EXPECT_EQ(options.address_limit->size(), 1u);
  EXPECT_EQ(connect_socket(port)->receive_to_end(), "");
  client->finish();
  client->receive_to_end();
  for (int attempt = 0; attempt < 100 && options.address_limit->size() != 0; ++attempt) world_->pass(10);
  EXPECT_EQ(options.address_limit->size(), 0u);
}

TEST_F(EpollReactorTest, SettlesItsMemoryAtTheEndOfTheTurn) {
  base::forget_counted_bytes();
  base::Budget budget(1'000'000);
  int pressed = 0;
  Frame kept;
  world_->on(0, [&](Reactor& net) {
    net.set_budget(budget, [&] { ++pressed; });
    kept = Frame::allocate(100'000);
  });
  world_->on(0, [&](Reactor&) {
    EXPECT_GE(budget.used_bytes(), 100'000u);
    EXPECT_EQ(pressed, 0);
    kept = Frame::allocate(850'000);
  });
  world_->on(0, [&](Reactor&) {
    EXPECT_EQ(pressed, 1);
    EXPECT_EQ(budget.level(), base::Budget::Level::kTight);
    kept = Frame();
  });
  world_->on(0, [&](Reactor&) { EXPECT_LT(budget.used_bytes(), 100'000u); });
  world_.reset();  // the budget must outlive its reactor
}

TEST_F(EpollReactorTest, NamesItsFlush) {
  ReactorOptions plain;
  plain.flush = FlushMode::kSend;
  EXPECT_EQ((*make_epoll_reactor(plain))->flush_name(), "send");
  ReactorOptions uring;
  uring.flush = FlushMode::kUring;
  const auto made = make_epoll_reactor(uring);
  if (made.ok()) {
    EXPECT_EQ(const_cast<Result<std::unique_ptr<Reactor>>&>(made).value()->flush_name(), "io_uring");
  } else {
    EXPECT_EQ(made.status().code(), StatusCode::kUnavailable);
  }
}

int accept_within_limit(int descriptor, sockaddr* address, socklen_t* size, int flags) {
  if (FewDescriptors::next_descriptor() >= FewDescriptors::accept_limit) {
    errno = EMFILE;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, descriptor, address, size, flags));
}

}  // namespace
}  // namespace tidewire::net

// Instead of the library's, in this program.
extern "C" int accept4(int descriptor, sockaddr* address, socklen_t* size, int flags) {
  return tidewire::net::accept_within_limit(descriptor, address, size, flags);
}
