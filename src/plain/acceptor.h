// plain/acceptor.h - from an HTTP upgrade request to a peer: origin, permission, WebSocket handshake.
//
// Added to the router for upgrade requests of one path; which form the envelopes have is a matter of the path.
// Threads: its shard only.
#pragma once

#include <functional>
#include <string>

#include "http/exchange.h"
#include "http/permission.h"
#include "plain/endpoint.h"

namespace tidewire::plain {

class Acceptor final : public http::Handler {
 public:
  // Both must outlive the acceptor, and the endpoint every connection. No `allow_request`: everybody is allowed.
  Acceptor(Endpoint& endpoint, const Dialect& dialect, http::AllowRequest allow_request = {});
  ~Acceptor() override;

  void on_head(http::Exchange& exchange) override;
  void on_request(http::Exchange& exchange, std::string_view body) override;

 private:
  class Pending;  // an upgrade that waits for its permission
  void decide(http::Exchange& exchange, const http::Permission& permission);
  void refuse(http::Exchange& exchange, std::string_view message);

  Endpoint& endpoint_;
  const Dialect& dialect_;
  const http::AllowRequest allow_request_;
  absl::flat_hash_set<Pending*> pending_;
};

}  // namespace tidewire::plain
