// Snippets of docs/guide/cpp-api.md: HTTP routes, raw WebSocket routes, files from memory.
#include <memory>
#include <string>

#include "tidewire/tidewire.h"

namespace snippets {

void http_routes(tidewire::Server& io) {
  io.http("GET", "/hello", [](const tidewire::HttpRequest& request, tidewire::HttpReply reply) {
    reply.text("hello " + request.address);
  });
  io.http("POST", "/publish", [&io](const tidewire::HttpRequest& request, tidewire::HttpReply reply) {
    const tidewire::Result<tidewire::Value> body = tidewire::Value::parse(request.body);
    if (!body.ok()) return reply.send(400, "text/plain", body.status().message());
    io.to("news").emit("published", *body);
    reply.json(R"({"ok":true})");
  });
  static constexpr std::string_view kPage = "<!doctype html><title>hello</title>";
  io.static_file("/index.html", "text/html; charset=utf-8", kPage);
}

// Raw WebSocket, without rooms and envelopes.
void raw_websocket(tidewire::Server& io) {
  tidewire::WebSocketHandlers handlers;
  handlers.on_open = [](tidewire::WebSocketPeer& peer, const tidewire::HttpRequest& request) {
    peer.send_text("hello " + request.address);
  };
  handlers.on_text = [](tidewire::WebSocketPeer& peer, std::string_view text) { peer.send_text(text); };
  tidewire::WebSocketRoute& feed = io.websocket("/feed", std::move(handlers));
  io.on("news", [&feed](std::string text) { feed.broadcast_text(text); });
}

}  // namespace snippets
