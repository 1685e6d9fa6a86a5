// outbound/test_http_server.h - a small blocking HTTP server on 127.0.0.1, one thread per connection, that does as the test says.
//
// The script gets a whole request and the wire, and writes what it likes, also rubbish or nothing. It returns whether the
// connection stays open for another request. Optional TLS. Ends at once, whatever hangs.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace tidewire::outbound {

struct TestCall {
  std::string head;  // request line and headers, without the empty line
  std::string body;
};

class TestWire {
 public:
  TestWire(int descriptor, SSL_CTX* tls) : descriptor_(descriptor), ssl_(tls == nullptr ? nullptr : SSL_new(tls)) {
    if (ssl_ != nullptr) SSL_set_fd(ssl_, descriptor_);
  }
  ~TestWire() { SSL_free(ssl_); }
  TestWire(const TestWire&) = delete;
  TestWire& operator=(const TestWire&) = delete;

  bool handshake() { return ssl_ == nullptr || SSL_accept(ssl_) == 1; }
  bool send(std::string_view bytes) {
    if (ssl_ != nullptr) return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  bool answer(int status, std::string_view body = "", std::string_view headers = "") {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Text\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    return send(text.append(headers).append("\r\n").append(body));
  }
  // Until the other side or the test ends the connection.
  void hang() {
    std::string more;
    while (receive(more)) more.clear();
  }
  // Ends the stream by a reset.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  // False at the end.
  bool receive(std::string& out) {
    char buffer[16 * 1024];
    const ssize_t count =
        ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer) : recv(descriptor_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    out.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

 private:
  int descriptor_;
  SSL* ssl_;
};

class TestHttpServer {
 public:
  using Script = std::function<bool(TestWire&, const TestCall&)>;

  // `tls` outlives the server. Without `bodies` the script is called when the head is there.
  explicit TestHttpServer(Script script, SSL_CTX* tls = nullptr, bool bodies = true)
      : script_(std::move(script)), tls_(tls), bodies_(bodies), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TW_ASSERT(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    TW_ASSERT(listen(listener_, 128) == 0);
    socklen_t size = sizeof address;
    TW_ASSERT(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~TestHttpServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      std::lock_guard lock(mutex_);
      for (const int descriptor : open_) shutdown(descriptor, SHUT_RDWR);
    }
    for (std::thread& each : connections_) each.join();
    close(listener_);
  }

  std::string url(std::string_view path = "/") const {
    return std::string(tls_ == nullptr ? "http" : "https") + "://localhost:" + std::to_string(port_) + std::string(path);
  }
  std::vector<TestCall> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  std::size_t open_connections() const {
    std::lock_guard lock(mutex_);
    return open_.size();
  }
  // All there ever were.
  std::size_t connections() const {
    std::lock_guard lock(mutex_);
    return accepted_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) return;
      std::lock_guard lock(mutex_);
      ++accepted_;
      open_.push_back(descriptor);
      connections_.emplace_back([this, descriptor] { serve(descriptor); });
    }
  }
  void serve(int descriptor) {
    sigset_t signals;  // of this thread only: the client must look after itself
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    {
      TestWire wire(descriptor, tls_);
      std::string buffer;
      TestCall call;
      bool ready = wire.handshake();
      while (ready) ready = read_call(wire, buffer, call) && script_(wire, call);
    }
    std::lock_guard lock(mutex_);
    close(descriptor);
    open_.erase(std::find(open_.begin(), open_.end(), descriptor));
  }
  bool read_call(TestWire& wire, std::string& buffer, TestCall& call) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!wire.receive(buffer)) return false;
    }
    call.head = buffer.substr(0, end);
    const std::size_t at = call.head.find("Content-Length: ");
    const std::size_t length = at == std::string::npos || !bodies_ ? 0 : std::stoul(call.head.substr(at + 16));
    while (buffer.size() < end + 4 + length) {
      if (!wire.receive(buffer)) return false;
    }
    call.body = buffer.substr(end + 4, length);
    buffer.erase(0, end + 4 + length);
    std::lock_guard lock(mutex_);
    calls_.push_back(call);
    return true;
  }

  const Script script_;
  SSL_CTX* const tls_;
  const bool bodies_;
  const int listener_;
  int port_ = 0;
  std::thread acceptor_;

  // Guarded by mutex_
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> connections_;
  std::vector<TestCall> calls_;
  std::size_t accepted_ = 0;
};

}  // namespace tidewire::outbound
