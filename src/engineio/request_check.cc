#include "engineio/request_check.h"

#include <algorithm>
#include <string>

#include "base/json_writer.h"

namespace tidewire::engineio {
namespace {

// Written by hand, since clients of the reference server compare it byte for byte.
void refuse_upgrade(http::Exchange& exchange, std::string_view status_line, std::string_view message) {
  std::string answer(status_line);
  answer.append("\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: ");
  answer.append(std::to_string(message.size())).append("\r\n\r\n").append(message);
  exchange.respond_raw(base::Frame::copy(answer), true);
}

}  // namespace

std::string_view refusal_message(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::kTransportUnknown: return "Transport unknown";
    case Refusal::kSessionUnknown: return "Session ID unknown";
    case Refusal::kBadHandshakeMethod: return "Bad handshake method";
    case Refusal::kBadRequest: return "Bad request";
    case Refusal::kForbidden: return "Forbidden";
    case Refusal::kUnsupportedVersion: return "Unsupported protocol version";
  }
  return "";
}

Query parse_query(std::string_view query) noexcept {
  Query result;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (key == "transport") result.transport = value;
    if (key == "sid") result.sid = value;
    if (key == "EIO") result.version = value;
  }
  return result;
}

bool wants_websocket(const http::Request& request) noexcept {
  return request.upgrade && http::equals_ignoring_case(request.header("upgrade"), "websocket");
}

bool origin_well_formed(const http::Request& request) noexcept {
  return std::ranges::all_of(request.header("origin"), [](char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return code == '\t' || (code >= 0x20 && code != 0x7f);
  });
}

void refuse(http::Exchange& exchange, Refusal refusal, std::string_view message) {
  if (message.empty()) message = refusal_message(refusal);
  if (wants_websocket(exchange.request())) {
    refuse_upgrade(exchange, "HTTP/1.1 400 Bad Request", message);
    return;
  }
  http::Response response;
  response.status = refusal == Refusal::kForbidden ? 403 : 400;
  response.content_type = "application/json";
  response.body = "{\"code\":" + std::to_string(static_cast<int>(refusal)) + ",\"message\":";
  base::append_json_string(response.body, message);
  response.body += '}';
  exchange.respond(std::move(response));
}

void refuse_origin(http::Exchange& exchange) {
  refuse_upgrade(exchange, "HTTP/1.1 403 Forbidden", refusal_message(Refusal::kForbidden));
}

}  // namespace tidewire::engineio
