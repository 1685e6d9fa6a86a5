// http/test_exchange.h - a handler that records what it is asked and answers as it is told, and a connection to ask it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/connection.h"
#include "net/test_reactor.h"

namespace tidewire::http {

// Answers every request with its method, path and body, unless told otherwise.
class RecordingHandler final : public Handler, public Watcher {
 public:
  void on_head(Exchange& exchange) override {
    ++heads;
    exchange.set_body_limit(body_limit);
    if (watch) exchange.set_watcher(this);
    if (at_head) at_head(exchange);
  }
  void on_request(Exchange& exchange, std::string_view body) override {
    const Request& request = exchange.request();
    requests.push_back(std::string(request.method) + " " + std::string(request.path) + " " + std::string(body));
    if (keep) {
      kept = &exchange;
    } else if (at_request) {
      at_request(exchange);
    } else {
      exchange.respond({.status = 200, .headers = {}, .body = requests.back()});
      if (watch_answers) exchange.watch_answer(this);
    }
  }
  void on_body_refused(Exchange&) override { ++bodies_refused; }
  void on_aborted(Exchange& exchange) override {
    ++aborted;
    if (kept == &exchange) kept = nullptr;
  }

  void on_answer_gone(Exchange&, bool was_lost) override { ++(was_lost ? lost : left); }

  std::function<void(Exchange&)> at_head;
  std::function<void(Exchange&)> at_request;
  bool keep = false;
  bool watch = true;
  bool watch_answers = false;
  std::size_t body_limit = 100;
  Exchange* kept = nullptr;
  std::vector<std::string> requests;
  int heads = 0;
  int bodies_refused = 0;
  int aborted = 0;
  int left = 0;  // answers that were watched, by their fate
  int lost = 0;
};

// A router with one handler at "/", for ordinary requests and for upgrades to WebSocket.
struct OneHandlerServer {
  OneHandlerServer() {
    router.add("/", Router::Match::kPrefix, handler);
    router.add_upgrade("/ws", Router::Match::kExact, handler);
  }
  net::TestReactor::Peer connect(std::string_view from = "127.0.0.1") {
    return reactor.connect([this](net::Connection& stream) { return make_connection(stream, router, options); }, from);
  }

  RecordingHandler handler;
  Router router;
  ConnectionOptions options;
  net::TestReactor reactor;
};

}  // namespace tidewire::http
