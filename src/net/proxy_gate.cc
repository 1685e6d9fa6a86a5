#include "net/proxy_gate.h"

#include "net/proxy_protocol.h"
#include "net/reactor.h"

namespace tidewire::net {
namespace {

constexpr base::Milliseconds kHeaderMs = 10'000;

}  // namespace

ProxyGate::ProxyGate(Connection& connection, Opened opened) : connection_(connection), opened_(std::move(opened)) {
  Reactor& reactor = connection.reactor();
  reactor.timers().arm(deadline_, reactor.now() + kHeaderMs);
}

void ProxyGate::on_bytes(Connection& connection, std::span<char> bytes) {
  header_.append(bytes.data(), bytes.size());
  const ProxyHeader header = read_proxy_header(header_);
  if (header.outcome == ProxyOutcome::kNeedMore) return;
  deadline_.cancel();
  if (header.outcome == ProxyOutcome::kMalformed) {
    connection.abort();
    return;
  }
  if (header.outcome == ProxyOutcome::kAddress) connection.set_peer(header.source);
  opened_(connection, header_.substr(header.bytes));
}

void ProxyGate::on_peer_finished(Connection& connection) { connection.abort(CloseCause::kPeerClosed); }

void ProxyGate::on_closed(Connection&, CloseCause) { deadline_.cancel(); }

void ProxyGate::too_late(base::Milliseconds) { connection_.abort(); }

}  // namespace tidewire::net
