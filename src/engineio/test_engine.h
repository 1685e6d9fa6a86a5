// engineio/test_engine.h - an Engine.IO server on a reactor without sockets, and clients in a few words.
//
//   Engine engine;
//   Polling client = engine.open_polling();
//   EXPECT_EQ(client.post("4hello"), "ok");
//   EXPECT_EQ(client.poll(), "4hello");
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engineio/frame_writer.h"
#include "engineio/payload_codec.h"
#include "engineio/server.h"
#include "http/connection.h"
#include "http/router.h"
#include "net/test_reactor.h"

namespace tidewire::engineio {

struct Answer {
  int status = 0;  // 0: none has come
  std::string head;
  std::string body;
};

inline Answer parse_answer(const std::string& bytes) {
  Answer answer;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos || bytes.size() < 12) return answer;
  answer.status = std::stoi(bytes.substr(9, 3));
  answer.head = bytes.substr(0, end + 4);
  answer.body = bytes.substr(end + 4);
  return answer;
}

// A listener that writes down what it hears, and echoes messages if told to.
class Recorder final : public SessionListener {
 public:
  void on_text(Session& from, std::span<char> message) override {
    const std::string text(message.begin(), message.end());
    heard.push_back(text);
    if (echo) from.send_text(text);
    if (on_message) on_message(from, text);
  }
  void on_binary(Session& from, std::span<char> message) override {
    const std::string bytes(message.begin(), message.end());
    heard.push_back("bytes:" + bytes);
    if (echo) from.send_binary(bytes);
  }
  void on_drained(Session&) override { ++drained; }
  void on_upgraded(Session&) override { ++upgraded; }
  void on_closed(Session&, CloseReason reason) override {
    closed.emplace_back(close_reason_text(reason));
    session = nullptr;
  }

  Session* session = nullptr;  // null once closed
  bool echo = true;
  std::function<void(Session&, const std::string&)> on_message;
  std::vector<std::string> heard;
  std::vector<std::string> closed;
  int drained = 0;
  int upgraded = 0;
};

class Engine;

// A client that polls: each request on a stream of its own, as far as the server is concerned.
class Polling {
 public:
  Polling(Engine& of, std::string its_sid, Recorder& its_recorder) : engine(of), sid(std::move(its_sid)), server(its_recorder) {}
  net::TestReactor::Peer request(std::string_view method, std::string_view body = {}, std::string_view headers = {},
                                 std::string_view query_more = {});
  // What a whole GET or POST is answered; empty if it waits.
  std::string poll() { return parse_answer(request("GET").take()).body; }
  std::string post(std::string_view body) { return parse_answer(request("POST", body).take()).body; }
  int post_status(std::string_view body) { return parse_answer(request("POST", body).take()).status; }

  Engine& engine;
  std::string sid;
  Recorder& server;
};

// A WebSocket client: masked frames out, messages in.
class Socket {
 public:
  Socket(net::TestReactor::Peer its_peer, Recorder* its_recorder) : peer(std::move(its_peer)), server(its_recorder) {}

  static std::string frame(std::string_view payload, unsigned char first = 0x81) {
    std::string bytes(1, static_cast<char>(first));
    if (payload.size() < 126) {
      bytes += static_cast<char>(0x80 | payload.size());
    } else if (payload.size() < 65536) {
      bytes += static_cast<char>(0x80 | 126);
      for (int i = 1; i >= 0; --i) bytes += static_cast<char>(payload.size() >> (8 * i) & 0xff);
    } else {
      bytes += static_cast<char>(0x80 | 127);
      for (int i = 7; i >= 0; --i) bytes += static_cast<char>(payload.size() >> (8 * i) & 0xff);
    }
    return bytes.append(4, '\0').append(payload);
  }
  void send(std::string_view packet) { peer.send(frame(packet)); }
  void send_bytes(std::string_view message) { peer.send(frame(message, 0x82)); }

  // The messages that have come since the last take(); binary ones as "bytes:...", a CLOSE as "close:CODE".
  std::vector<std::string> take() {
    std::vector<std::string> messages;
    const std::string bytes = peer.take();
    std::string_view rest = bytes;
    if (rest.starts_with("HTTP/1.1 101")) rest.remove_prefix(rest.find("\r\n\r\n") + 4);
    if (rest.starts_with("HTTP/")) return {bytes};  // refused
    while (!rest.empty()) {
      const websocket::ServerFrame frame = websocket::take_server_frame(rest);
      switch (frame.opcode) {
        case websocket::Opcode::kText: messages.emplace_back(frame.payload); break;
        case websocket::Opcode::kBinary: messages.push_back("bytes:" + std::string(frame.payload)); break;
        case websocket::Opcode::kClose: {
          websocket::CloseStatus status;
          EXPECT_EQ(websocket::parse_close(frame.payload, status), websocket::FrameError::kNone);
          messages.push_back("close:" + std::to_string(status.code));
          break;
        }
        default: messages.emplace_back("?");
      }
    }
    return messages;
  }

  net::TestReactor::Peer peer;
  Recorder* server;
};

class Engine {
 public:
  static Options quick_options() {
    Options options;
    options.path = "/engine.io/";
    return options;
  }

  explicit Engine(const Options& options = quick_options(), Server::Hooks hooks = {}, std::uint32_t shard_count = 1) {
    if (!hooks.session_opened) {
      hooks.session_opened = [this](Session& session) {
        recorders.push_back(std::make_unique<Recorder>());
        recorders.back()->session = &session;
        session.set_listener(recorders.back().get());
        if (greet) greet(session);
      };
    }
    server = Server::make(reactor, options, std::move(hooks), 0, shard_count);
    router.add(options.path, http::Router::Match::kPrefix, *server);
    router.add_upgrade(options.path, http::Router::Match::kPrefix, *server);
  }
  ~Engine() {
    server.reset();
    reactor.turn();
  }

  net::TestReactor::Peer connect() {
    return reactor.connect([this](net::Connection& stream) { return http::make_connection(stream, router, http_options); });
  }
  net::TestReactor::Peer request(std::string_view method, std::string_view target, std::string_view body = {},
                                 std::string_view headers = {}) {
    net::TestReactor::Peer peer = connect();
    std::string bytes = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers);
    if (method == "POST" || !body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    peer.send(bytes + "\r\n" + std::string(body));
    return peer;
  }
  Answer ask(std::string_view method, std::string_view target, std::string_view body = {}, std::string_view headers = {}) {
    return parse_answer(request(method, target, body, headers).take());
  }
  net::TestReactor::Peer upgrade(std::string_view query, std::string_view headers = {}) {
    return request("GET", "/engine.io/?" + std::string(query), {},
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + std::string(headers));
  }

  Polling open_polling() {
    const Answer answer = ask("GET", "/engine.io/?EIO=4&transport=polling");
    EXPECT_EQ(answer.status, 200) << answer.head << answer.body;
    return Polling(*this, answer.body.substr(9, 20), *recorders.back());
  }
  Socket open_websocket() {
    Socket socket(upgrade("EIO=4&transport=websocket"), nullptr);
    EXPECT_THAT(socket.take(), testing::ElementsAre(testing::StartsWith("0{\"sid\":\"")));
    socket.server = recorders.back().get();
    return socket;
  }
  Socket begin_upgrade(const Polling& client) {
    return Socket(upgrade("EIO=4&transport=websocket&sid=" + client.sid), &client.server);
  }

  net::TestReactor reactor;
  http::Router router;
  http::ConnectionOptions http_options;
  std::function<void(Session&)> greet;  // called when a session opens
  std::vector<std::unique_ptr<Recorder>> recorders;
  std::unique_ptr<Server> server;
};

inline net::TestReactor::Peer Polling::request(std::string_view method, std::string_view body, std::string_view headers,
                                               std::string_view query_more) {
  return engine.request(method, "/engine.io/?EIO=4&transport=polling&sid=" + sid + std::string(query_more), body, headers);
}

}  // namespace tidewire::engineio
