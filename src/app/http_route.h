// app/http_route.h - application HTTP routes on the http layer: an Exchange becomes HttpRequest and HttpReply.
#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"
#include "tidewire/http.h"

namespace tidewire {

class Core;

struct HttpRoute {
  std::string method;  // "*": any
  std::string path;
  bool prefix = false;
  HttpHandler handler;
  HttpRouteOptions options;
};

// All routes of one path; answers 405 with Allow when no method fits.
class HttpRouteHandler final : public http::Handler {
 public:
  HttpRouteHandler(Core& core, std::uint32_t shard) : core_(core), shard_(shard) {}
  void add(const HttpRoute& route) { routes_.push_back(&route); }
  void on_head(http::Exchange& exchange) override;
  http::Response body_refusal(http::Exchange& exchange) override;
  void on_request(http::Exchange& exchange, std::string_view body) override;

 private:
  // The first that takes this method; null: none.
  const HttpRoute* route_for(std::string_view method) const noexcept;

  Core& core_;
  const std::uint32_t shard_;
  std::vector<const HttpRoute*> routes_;
};

}  // namespace tidewire
