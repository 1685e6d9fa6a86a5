#include "engineio/upgrade.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engineio/packet_codec.h"

namespace tidewire::engineio {
namespace {

constexpr int kProbesMax = 2;
constexpr base::Milliseconds kTickMs = 100;  // how long a poll waits at most once the probe was answered
constexpr base::Milliseconds kFarewellMs = 1'500;  // less than a server that stops waits for its connections

// Waits for the `5` of a client whose session is over. Owns itself until the WebSocket is closed.
class Farewell final : private websocket::Listener, private base::Timer {
 public:
  Farewell(websocket::Connection& connection, const EngineContext& context, std::uint16_t code, std::string_view text)
      : connection_(connection),
        reactor_(context.reactor),
        options_(context.first_websocket_options),  // our own, as the context may go before us
        code_(code),
        text_(text) {
    connection.set_listener(this);
    connection.set_options(options_);
    reactor_.timers().arm(*this, reactor_.now() + kFarewellMs);
  }
  ~Farewell() override = default;

 private:
  void on_text(websocket::Connection&, std::span<char> packet) override {
    if (std::string_view(packet.data(), packet.size()) == kUpgradePacket) return close(code_);
    close(websocket::kNormal);
  }
  void on_binary(websocket::Connection&, std::span<char>) override { close(websocket::kNormal); }
  void on_closed(websocket::Connection&, std::uint16_t, std::string_view, bool) override { end(); }
  void expired(base::Milliseconds) override { close(websocket::kNormal); }
  void close(std::uint16_t code) {
    connection_.set_listener(&ignoring_listener());
    connection_.close(code, text_);
    end();
  }
  void end() {
    cancel();
    bury(reactor_, std::unique_ptr<Farewell>(this));
  }

  websocket::Connection& connection_;
  net::Reactor& reactor_;
  const websocket::Options options_;
  const std::uint16_t code_;
  const std::string text_;
};

}  // namespace

Upgrade::Upgrade(websocket::Connection& connection, EngineContext& context, TransportUser& user)
    : connection_(&connection),
      context_(context),
      user_(user),
      deadline_ms_(context.reactor.now() + context.options.upgrade_timeout_ms) {
  connection.set_listener(this);
  context_.reactor.timers().arm(*this, deadline_ms_);
}

Upgrade::~Upgrade() {
  if (connection_ != nullptr) connection_->set_listener(&ignoring_listener());
}

void Upgrade::abandon(std::uint16_t code, std::string_view text) {
  cancel();
  if (connection_ == nullptr) return;
  websocket::Connection& connection = *std::exchange(connection_, nullptr);
  if (probes_ > 0) {
    new Farewell(connection, context_, code, text);
  } else {
    connection.set_listener(&ignoring_listener());
    connection.close(websocket::kNormal);
  }
}

void Upgrade::on_text(websocket::Connection&, std::span<char> packet) {
  const std::string_view text(packet.data(), packet.size());
  if (text == kProbePing && probes_ < kProbesMax) {
    answer_probe();
  } else if (text == kUpgradePacket && probes_ > 0) {
    cancel();
    user_.on_upgrade_done(*std::exchange(connection_, nullptr));
  } else {
    fail(websocket::kProtocolError, "no upgrade");
  }
}

void Upgrade::on_binary(websocket::Connection&, std::span<char>) { fail(websocket::kProtocolError, "no upgrade"); }

void Upgrade::answer_probe() {
  connection_->send_text(kProbePong, base::Lane::kControl);
  if (++probes_ > 1) return;
  context_.reactor.timers().arm(*this, std::min(context_.reactor.now() + kTickMs, deadline_ms_));
  user_.on_upgrade_probed();
}

void Upgrade::on_closed(websocket::Connection&, std::uint16_t, std::string_view, bool) {
  cancel();
  connection_ = nullptr;
  user_.on_upgrade_failed();
}

void Upgrade::expired(base::Milliseconds now) {
  if (now >= deadline_ms_) {
    fail(websocket::kPolicyViolation, "upgrade timeout");
    return;
  }
  user_.on_upgrade_tick();
  context_.reactor.timers().arm(*this, std::min(now + kTickMs, deadline_ms_));
}

void Upgrade::fail(std::uint16_t code, std::string_view reason) {
  cancel();
  connection_->set_listener(&ignoring_listener());
  std::exchange(connection_, nullptr)->close(code, reason);
  user_.on_upgrade_failed();
}

}  // namespace tidewire::engineio
