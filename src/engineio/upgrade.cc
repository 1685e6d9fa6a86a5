#include "engineio/upgrade.h"

#include <algorithm>

#include "engineio/packet_codec.h"

namespace tidewire::engineio {
namespace {

constexpr int kProbesMax = 2;
constexpr base::Milliseconds kTickMs = 100;  // how long a poll waits at most once the probe was answered

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

void Upgrade::abandon() {
  cancel();
  if (connection_ == nullptr) return;
  connection_->set_listener(&ignoring_listener());
  std::exchange(connection_, nullptr)->close(websocket::kNormal);
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
