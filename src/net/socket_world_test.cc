#include "net/socket_world_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace tidewire::net {
namespace {

constexpr int kPatienceSeconds = 20;

class SocketClient final : public Client {
 public:
  explicit SocketClient(int descriptor) : descriptor_(descriptor) {}
  ~SocketClient() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  std::string receive(std::size_t count) override {
    std::string received;
    while (received.size() < count && receive_some(received, count - received.size())) {
    }
    return received;
  }

  std::string receive_to_end() override {
    std::string received;
    while (receive_some(received, SIZE_MAX)) {
    }
    return received;
  }

  bool was_reset() const override { return reset_; }
  void finish() override { ::shutdown(descriptor_, SHUT_WR); }

  void reset() override {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  bool receive_some(std::string& received, std::size_t count) {
    std::array<char, 65536> buffer;
    ssize_t got;
    do {  // the end of another io_uring in this process interrupts calls that have a timeout
      got = ::recv(descriptor_, buffer.data(), std::min(count, buffer.size()), 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) received.append(buffer.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno == ECONNRESET) reset_ = true;
    return got > 0;
  }

  int descriptor_;
  bool reset_ = false;
};

class SocketWorld final : public World {
 public:
  explicit SocketWorld(std::vector<std::unique_ptr<Reactor>> reactors) : reactors_(std::move(reactors)) {
    for (const auto& reactor : reactors_) threads_.emplace_back([&reactor] { reactor->run(); });
  }
  ~SocketWorld() override {
    for (std::size_t i = 0; i < reactors_.size(); ++i) stop(i);
  }

  void on(std::size_t reactor, const std::function<void(Reactor&)>& call) override {
    std::promise<void> done;
    Task task([&] {
      call(*reactors_[reactor]);
      done.set_value();
    });
    ASSERT_EQ(reactors_[reactor]->post(task), PostResult::kPosted);
    done.get_future().wait();
  }

  std::unique_ptr<Client> connect(std::uint16_t port) override { return connect_socket(port); }
  void pass(std::int64_t milliseconds) override { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

  void stop(std::size_t reactor) override {
    reactors_[reactor]->stop();
    if (threads_[reactor].joinable()) threads_[reactor].join();
  }

 private:
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Client> connect_socket(std::uint16_t port, bool v6) {
  const int descriptor = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return nullptr;
  auto client = std::make_unique<SocketClient>(descriptor);
  const timeval patience{kPatienceSeconds, 0};
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_addr = in6addr_loopback;
  const int failed = v6 ? ::connect(descriptor, reinterpret_cast<const sockaddr*>(&in6), sizeof in6)
                        : ::connect(descriptor, reinterpret_cast<const sockaddr*>(&in), sizeof in);
  if (failed != 0) return nullptr;
  return client;
}

std::unique_ptr<World> make_socket_world(FlushMode flush, const WorldOptions& options, std::string& why_not) {
  std::vector<std::unique_ptr<Reactor>> reactors;
  for (std::size_t i = 0; i < options.reactors; ++i) {
    ReactorOptions reactor_options;
    reactor_options.flush = flush;
    reactor_options.slow_peer_ms = options.slow_peer_ms;
    Result<std::unique_ptr<Reactor>> made = make_epoll_reactor(reactor_options);
    if (!made.ok()) {
      why_not = made.status().message();
      return nullptr;
    }
    reactors.push_back(std::move(made).value());
  }
  return std::make_unique<SocketWorld>(std::move(reactors));
}

namespace {

INSTANTIATE_TEST_SUITE_P(Sockets, TransportContract,
                         testing::Values(WorldKind{"send", [](const WorldOptions& options, std::string& why_not) {
                                                     return make_socket_world(FlushMode::kSend, options, why_not);
                                                   }},
                                         WorldKind{"io_uring", [](const WorldOptions& options, std::string& why_not) {
                                                     return make_socket_world(FlushMode::kUring, options, why_not);
                                                   }}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace tidewire::net
