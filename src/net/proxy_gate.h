// net/proxy_gate.h - the first handler of a connection from a load balancer: reads the PROXY header, then makes way.
//
// Anything that is no header, or no header within ten seconds, closes the connection at once and without an answer.
// Threads: its reactor's. Memory: lives only until the header is read.
#pragma once

#include <span>
#include <string>

#include "base/timer_wheel.h"
#include "net/connection.h"
#include "tidewire/function.h"

namespace tidewire::net {

class ProxyGate final : public StreamHandler {
 public:
  // Called once with the bytes behind the header, when the connection's peer is set. It replaces the handler.
  using Opened = UniqueFunction<void(Connection&, std::string rest)>;

  ProxyGate(Connection& connection, Opened opened);
  void on_bytes(Connection& connection, std::span<char> bytes) override;
  void on_peer_finished(Connection& connection) override;
  void on_closed(Connection& connection, CloseCause cause) override;

 private:
  void too_late(base::Milliseconds now);

  Connection& connection_;
  Opened opened_;
  std::string header_;
  base::MemberTimer<ProxyGate, &ProxyGate::too_late> deadline_{this};
};

}  // namespace tidewire::net
