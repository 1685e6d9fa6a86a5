#include "plain/acceptor.h"

#include <memory>
#include <utility>

#include "http/overload.h"
#include "plain/peer.h"

namespace tidewire::plain {

// Owned by the callback that brings the answer.
class Acceptor::Pending final : public http::Watcher {
 public:
  Pending(Acceptor& acceptor, http::Exchange& exchange) : acceptor_(&acceptor), exchange_(&exchange) {
    acceptor_->pending_.insert(this);
  }
  ~Pending() {
    decide({.allowed = false, .message = {}});  // who drops the question has not said yes
    if (acceptor_ != nullptr) acceptor_->pending_.erase(this);
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  void decide(const http::Permission& permission) {
    http::Exchange* const exchange = std::exchange(exchange_, nullptr);
    if (exchange == nullptr) return;
    exchange->set_watcher(nullptr);
    acceptor_->decide(*exchange, permission);
  }
  // The answer did not come at once.
  void wait() {
    if (exchange_ != nullptr) exchange_->set_watcher(this);
  }
  void acceptor_gone() {
    acceptor_ = nullptr;
    if (exchange_ != nullptr) std::exchange(exchange_, nullptr)->set_watcher(nullptr);
  }

 private:
  void on_aborted(http::Exchange&) override { exchange_ = nullptr; }

  Acceptor* acceptor_;        // null once it is gone
  http::Exchange* exchange_;  // null once it is answered, or its peer gone
};

Acceptor::Acceptor(Endpoint& endpoint, const Dialect& dialect, http::AllowRequest allow_request)
    : endpoint_(endpoint), dialect_(dialect), allow_request_(std::move(allow_request)) {}

Acceptor::~Acceptor() {
  for (Pending* pending : pending_) pending->acceptor_gone();
}

void Acceptor::on_head(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  if (!request.upgrade) return;
  if (!http::origin_allowed(endpoint_.options.cors, request.header("origin"))) return refuse(exchange, "origin not allowed");
  if (endpoint_.memory_at_least(base::Budget::Level::kRefusing)) {
    ++endpoint_.statistics.refused_overload;
    exchange.respond(http::overloaded_response(endpoint_.reactor.random()));
    return;
  }
  if (!allow_request_) return decide(exchange, {});
  auto pending = std::make_shared<Pending>(*this, exchange);
  allow_request_(request, exchange.stream(), [pending](const http::Permission& permission) { pending->decide(permission); });
  pending->wait();
}

void Acceptor::on_request(http::Exchange& exchange, std::string_view) {
  if (exchange.request().upgrade) return;  // waits for its permission
  exchange.respond({.status = 426,
                    .headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}},
                    .body = "this is a WebSocket endpoint",
                    .content_type = "text/plain; charset=utf-8"});
}

void Acceptor::decide(http::Exchange& exchange, const http::Permission& permission) {
  if (permission.allowed) {
    Peer::open(endpoint_, dialect_, exchange);
  } else {
    refuse(exchange, permission.message.empty() ? std::string_view("Forbidden") : permission.message);
  }
}

// The connection closes: the peer may have sent frames already, and they must not be read as a request.
void Acceptor::refuse(http::Exchange& exchange, std::string_view message) {
  ++endpoint_.statistics.refused;
  exchange.respond({.status = 403,
                    .headers = {},
                    .body = std::string(message),
                    .content_type = "text/plain; charset=utf-8",
                    .close = true});
}

}  // namespace tidewire::plain
