// tidewire/http.h - HTTP routes and raw WebSocket routes of the application, beside the sockets, on the same port.
//
//   io.http("GET", "/hello", [](const tidewire::HttpRequest& request, tidewire::HttpReply reply) { reply.text("hello"); });
//   auto& feed = io.websocket("/feed", {.on_text = [](auto& peer, std::string_view text) { peer.send_text(text); }});
//
// A path that ends in '*' is a prefix. Threads: handlers run on the shard of the connection; HttpReply, WebSocketPeer and
// WebSocketRoute::broadcast_* may be used on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidewire {

// Valid during the handler.
struct HttpRequest {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::string_view body;
  std::string address;                                              // of the client
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  // The first value, names without regard to case; empty if absent.
  std::string_view header(std::string_view name) const noexcept;
};

// The answer; dropped unanswered it is a 500. Move it to answer later, from any thread. Answers once: further calls of send() do
// nothing, and so does an answer to a client that has gone, or whose server has been destroyed. REQUIRES: neither answered nor
// dropped on another thread while the server is being destroyed
class HttpReply {
 public:
  HttpReply(HttpReply&&) noexcept;
  HttpReply& operator=(HttpReply&&) noexcept;
  ~HttpReply();
  void send(int status, std::string_view content_type, std::string body,
            std::vector<std::pair<std::string, std::string>> headers = {});
  void text(std::string body) { send(200, "text/plain; charset=utf-8", std::move(body)); }
  void json(std::string body, int status = 200) { send(status, "application/json", std::move(body)); }

  struct State;
  explicit HttpReply(std::shared_ptr<State> state) noexcept;  // for the engine

 private:
  std::shared_ptr<State> state_;
};

using HttpHandler = std::function<void(const HttpRequest&, HttpReply)>;

struct HttpRouteOptions {
  std::size_t body_bytes_max = 0;   // of a request, up to 4 GiB; 0: Options::payload_bytes_max
  std::string too_large = {};       // the body of the 413 beyond it
  std::string too_large_type = "text/plain; charset=utf-8";
};

// One raw WebSocket connection; a handle.
class WebSocketPeer {
 public:
  void send_text(std::string_view text) const;
  void send_binary(std::string_view bytes) const;
  // 1000, or 3000..4999; another code that may not be on the wire goes out as 1000. Of the reason (UTF-8, else nothing) 123
  // bytes are sent, whole characters. From any thread.
  void close(std::uint16_t code = 1000, std::string_view reason = {}) const;
  bool open() const noexcept;

  struct State;
  // For the engine.
  explicit WebSocketPeer(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
  State& state() const noexcept { return *state_; }
  friend bool operator==(const WebSocketPeer&, const WebSocketPeer&) noexcept = default;

 private:
  std::shared_ptr<State> state_;
};

struct WebSocketHandlers {
  std::function<void(WebSocketPeer&, const HttpRequest&)> on_open;
  std::function<void(WebSocketPeer&, std::string_view)> on_text;      // valid UTF-8
  std::function<void(WebSocketPeer&, std::string_view)> on_binary;
  std::function<void(WebSocketPeer&, std::uint16_t code)> on_close;
  std::size_t message_bytes_max = 1'000'000;
  std::uint32_t fragments_max = 16'384;                               // per message
  bool deflate = false;                                               // accept permessage-deflate
};

class WebSocketRoute {
 public:
  // To every connection of this route, on every shard; encoded once.
  void broadcast_text(std::string_view text);
  void broadcast_binary(std::string_view bytes);

  struct State;
  explicit WebSocketRoute(std::unique_ptr<State> state) noexcept;  // for the engine
  ~WebSocketRoute();
  State& state() noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tidewire
