#include "engineio/transport.h"

#include <array>

namespace tidewire::engineio {
namespace {

constexpr std::array kTransports = {
    TransportKind{.name = "polling", .enabled = &Options::polling, .by_upgrade = false},
    TransportKind{.name = "websocket", .enabled = &Options::websocket, .by_upgrade = true},
};

class IgnoringListener final : public websocket::Listener {
  void on_text(websocket::Connection&, std::span<char>) override {}
  void on_binary(websocket::Connection&, std::span<char>) override {}
  void on_closed(websocket::Connection&, std::uint16_t, std::string_view, bool) override {}
};

}  // namespace

void Transport::on_request(http::Exchange& exchange, std::string_view) {
  exchange.respond({.status = 400, .headers = {}, .body = {}});
}

const TransportKind* find_transport(std::string_view name, const Options& options) noexcept {
  for (const TransportKind& kind : kTransports) {
    if (kind.name == name && options.*kind.enabled) return &kind;
  }
  return nullptr;
}

websocket::Listener& ignoring_listener() noexcept {
  static IgnoringListener listener;
  return listener;
}

}  // namespace tidewire::engineio
