#include "app/http_route.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "app/core.h"

namespace tidewire {

// An exchange that waits for its answer. Lives on the shard; the application's HttpReply may travel.
struct HttpReply::State final : http::Watcher, std::enable_shared_from_this<HttpReply::State> {
  State(Core& owner, std::uint32_t index, http::Exchange& waiting) : core(owner), shard(index), exchange(&waiting) {}
  void on_aborted(http::Exchange&) override {
    exchange = nullptr;
    const auto last = std::move(watching);
  }

  void answer(http::Response response) {
    if (std::exchange(sent, true) || exchange.load() == nullptr) return;
    core.post_to(shard, [self = shared_from_this(), response = std::move(response)]() mutable {
      http::Exchange* const answered = self->exchange.exchange(nullptr);
      if (answered == nullptr) return;
      self->watching.reset();
      answered->set_watcher(nullptr);
      answered->respond(std::move(response));
    });
  }

  Core& core;
  const std::uint32_t shard;
  // Null once answered or abandoned. The shard's; others look whether it is: a reply without an exchange may outlive the server.
  std::atomic<http::Exchange*> exchange;
  bool sent = false;         // the holder of the reply's
  // The exchange's own reference, the shard's: whatever becomes of the reply, the watcher outlives what it watches.
  std::shared_ptr<State> watching;
};

HttpReply::HttpReply(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
HttpReply::HttpReply(HttpReply&&) noexcept = default;
HttpReply& HttpReply::operator=(HttpReply&& other) noexcept {
  std::swap(state_, other.state_);  // what this one owed is answered when `other` dies
  return *this;
}

HttpReply::~HttpReply() {
  if (state_ != nullptr && !state_->sent) send(500, "text/plain; charset=utf-8", "no answer was given\n");
}

void HttpReply::send(int status, std::string_view content_type, std::string body,
                     std::vector<std::pair<std::string, std::string>> headers) {
  http::Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.headers.emplace_back("Content-Type", std::string(content_type));
  response.body = std::move(body);
  state_->answer(std::move(response));
}

std::string_view HttpRequest::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (http::equals_ignoring_case(key, name)) return value;
  }
  return {};
}

HttpRequest make_request(const http::Request& request, std::string_view body, std::string address) {
  HttpRequest made{request.method, request.path, request.query, body, std::move(address), {}};
  made.headers.reserve(request.headers.size());
  for (const http::Header& header : request.headers) made.headers.emplace_back(header.name, header.value);
  return made;
}

const HttpRoute* HttpRouteHandler::route_for(std::string_view method) const noexcept {
  const auto fits = [method](const HttpRoute* route) {
    return route->method == "*" || route->method == method || (route->method == "GET" && method == "HEAD");
  };
  const auto found = std::ranges::find_if(routes_, fits);
  return found == routes_.end() ? nullptr : *found;
}

void HttpRouteHandler::on_head(http::Exchange& exchange) {
  const HttpRoute* route = route_for(exchange.request().method);
  const std::size_t own = route == nullptr ? 0 : route->options.body_bytes_max;
  exchange.set_body_limit(own == 0 ? core_.options.payload_bytes_max : own);
}

http::Response HttpRouteHandler::body_refusal(http::Exchange& exchange) {
  http::Response response{.status = 413, .headers = {}, .body = {}};
  const HttpRoute* route = route_for(exchange.request().method);
  if (route == nullptr || route->options.too_large.empty()) return response;
  response.headers.emplace_back("Content-Type", route->options.too_large_type);
  response.body = route->options.too_large;
  return response;
}

void HttpRouteHandler::on_request(http::Exchange& exchange, std::string_view body) {
  const http::Request& request = exchange.request();
  if (const HttpRoute* route = route_for(request.method)) {
    auto state = std::make_shared<HttpReply::State>(core_, shard_, exchange);
    state->watching = state;
    exchange.set_watcher(state.get());
    try {
      route->handler(make_request(request, body, exchange.stream().peer().ip_text()), HttpReply(state));
    } catch (const std::exception& failure) {
      core_.log.write(base::LogLevel::kError, "an HTTP handler threw", {{"path", route->path}, {"what", failure.what()}});
    } catch (...) {
      core_.log.write(base::LogLevel::kError, "an HTTP handler threw", {{"path", route->path}});
    }
    return;
  }
  std::string allowed;
  for (const HttpRoute* route : routes_) allowed.append(allowed.empty() ? "" : ", ").append(route->method);
  http::Response refusal;
  refusal.status = 405;
  refusal.headers.emplace_back("Allow", allowed);
  exchange.respond(std::move(refusal));
}

}  // namespace tidewire
