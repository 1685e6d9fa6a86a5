// plain/acceptor.h - from an HTTP upgrade request to a peer: origin, permission, WebSocket handshake.
//
// Added to the router for upgrade requests of one path; which form the envelopes have is a matter of the path.
// Threads: its shard only.
#pragma once

#include <functional>
#include <string>

#include "http/exchange.h"
#include "plain/endpoint.h"

namespace tidewire::plain {

// The answer of allow_request.
struct Permission {
  bool allowed = true;
  std::string message;  // of the 403; "Forbidden" if empty
};

class Acceptor final : public http::Handler {
 public:
  // May answer at once or later, on the shard's thread; dropping the answer refuses. The request is valid during the call.
  using AllowRequest = std::function<void(const http::Request&, const net::Connection&, std::function<void(Permission)>)>;

  // Both must outlive the acceptor, and the endpoint every connection. No `allow_request`: everybody is allowed.
  Acceptor(Endpoint& endpoint, const Dialect& dialect, AllowRequest allow_request = {});
  ~Acceptor() override;

  void on_head(http::Exchange& exchange) override;
  void on_request(http::Exchange& exchange, std::string_view body) override;

 private:
  class Pending;  // an upgrade that waits for its permission
  void decide(http::Exchange& exchange, const Permission& permission);
  void refuse(http::Exchange& exchange, std::string_view message);

  Endpoint& endpoint_;
  const Dialect& dialect_;
  const AllowRequest allow_request_;
  absl::flat_hash_set<Pending*> pending_;
};

}  // namespace tidewire::plain
