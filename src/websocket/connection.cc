#include "websocket/connection.h"

#include "websocket/handshake.h"
#include "websocket/stream_connection.h"

namespace tidewire::websocket {
namespace {

// The connection closes: the peer may have sent frames already, and they must not be read as a request.
http::Response refusal(const Handshake& handshake) {
  http::Response response;
  response.status = handshake.status;
  response.body = handshake.refusal;
  response.content_type = "text/plain; charset=utf-8";
  response.close = true;
  if (handshake.status == 426) {
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    response.headers.emplace_back("Upgrade", "websocket");
  }
  return response;
}

}  // namespace

Connection* accept(http::Exchange& exchange, const Options& options, Listener* listener, std::string_view protocol) {
  const Handshake handshake = negotiate(exchange.request(), options.deflate, protocol);
  if (handshake.status != 101) {
    exchange.respond(refusal(handshake));
    return nullptr;
  }
  auto connection = std::make_unique<StreamConnection>(exchange.stream(), options, handshake.deflate, listener);
  Connection* const accepted = connection.get();
  exchange.switch_protocol(base::Frame::copy(handshake.head), std::move(connection));
  return accepted;
}

}  // namespace tidewire::websocket
