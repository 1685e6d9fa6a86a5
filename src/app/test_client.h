// app/test_client.h - for tests: a client on a blocking socket, for whole servers on 127.0.0.1.
//
//   TestClient client(server.port());
//   client.upgrade("/ws?namespace=/chat");                     // a plain client; send_text(), next_text()
//   TestClient(server.port()).request("GET", "/path");         // its answer as it came
//   client.get("/path");                                       // the same on a connection that is kept
//
// Gives up reading after 10 s: then what it returns is empty.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/test_frames.h"

namespace tidewire::test {

class TestClient {
 public:
  explicit TestClient(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient() { ::close(descriptor_); }
  bool connected() const noexcept { return connected_; }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  std::string receive_to_end() {
    while (receive_some()) {
    }
    return std::exchange(unread_, {});
  }
  std::string request(std::string_view method, std::string_view target, std::string_view body = {}) {
    send(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n");
    send(body);
    return receive_to_end();
  }
  void ask(std::string_view target) const { send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
  // One answer, head and body; what came of it in time, when that is not all.
  std::string get(std::string_view target) {
    ask(target);
    while (!has_answer() && receive_some()) {
    }
    return std::exchange(unread_, {});
  }

  // True when the server agreed.
  bool upgrade(std::string_view target) {
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    std::size_t end = std::string::npos;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive_some()) return false;
    }
    const bool agreed = unread_.starts_with("HTTP/1.1 101");
    unread_.erase(0, end + 4);
    return agreed;
  }
  void send_text(std::string_view message) const { send(websocket::test::text(message)); }
  // The next message; "CLOSE 4001 words" for a closing frame, empty when nothing comes.
  std::string next_text() {
    while (!has_frame()) {
      if (!receive_some()) return {};
    }
    std::string_view wire = unread_;
    const websocket::ServerFrame frame = websocket::take_server_frame(wire);
    const std::string payload(frame.payload);
    unread_.erase(0, unread_.size() - wire.size());
    if (frame.opcode != websocket::Opcode::kClose) return payload;
    websocket::CloseStatus status;
    if (websocket::parse_close(payload, status) != websocket::FrameError::kNone) return "CLOSE";
    return "CLOSE " + std::to_string(status.code) + " " + std::string(status.reason);
  }

 private:
  bool has_frame() const {
    const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(unread_[at]); };
    if (unread_.size() < 4) return unread_.size() >= 2 && byte(1) + 2u <= unread_.size();
    if (byte(1) < 126) return unread_.size() >= 2u + byte(1);
    return byte(1) == 126 && unread_.size() >= 4u + 256u * byte(2) + byte(3);  // nobody here sends longer ones
  }
  bool has_answer() const {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t head = unread_.find("\r\n\r\n");
    const std::size_t length = unread_.find(kLength);
    return head != std::string::npos && length < head && unread_.size() >= head + 4 + std::stoul(unread_.substr(length + kLength.size()));
  }
  bool receive_some() {
    std::array<char, 64 * 1024> buffer;
    ssize_t count = 0;
    do {
      count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return false;
    unread_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  int descriptor_;
  bool connected_ = false;
  std::string unread_;
};

}  // namespace tidewire::test
