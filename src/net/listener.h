// net/listener.h - a listening socket, and what to do when the process is out of descriptors.
//
// A full descriptor table does not shrink the kernel's queue of new connections, so a level-triggered accept loop would
// spin. Therefore a reserve descriptor: it is given up, the waiting connections are accepted into its place and cut (they
// see a reset, not a hang), it is taken back, and accepting rests until a descriptor is free or a moment has passed.
// Threads: its reactor's.
#pragma once

#include <cstdint>
#include <memory>

#include "net/address.h"
#include "net/reactor.h"

struct sockaddr_storage;

namespace tidewire::net {

Address to_address(const sockaddr_storage& from);

class Listener {
 public:
  static Result<std::unique_ptr<Listener>> open(const ListenOptions& options, Acceptor acceptor);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(); }

  // A new connection, non-blocking, and its peer; or -1 with errno.
  int accept(Address& peer) const;
  void close();

  int descriptor() const noexcept { return descriptor_; }  // -1 when closed
  std::uint16_t port() const noexcept { return port_; }
  const ListenOptions& options() const noexcept { return options_; }
  Acceptor& acceptor() noexcept { return acceptor_; }
  // Whether a connection from there must begin with a PROXY header.
  bool behind_proxy(const Address& peer) const;

 private:
  Listener(const ListenOptions& options, Acceptor acceptor) : options_(options), acceptor_(std::move(acceptor)) {}
  Status bind_and_listen();

  const ListenOptions options_;
  Acceptor acceptor_;
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

class ReserveDescriptor {
 public:
  ReserveDescriptor();
  ReserveDescriptor(const ReserveDescriptor&) = delete;
  ReserveDescriptor& operator=(const ReserveDescriptor&) = delete;
  ~ReserveDescriptor();

  // Accepts and resets up to `count_max` waiting connections; returns how many.
  std::size_t cut(const Listener& listener, std::size_t count_max);

 private:
  int descriptor_;
};

// Closes so that the peer sees a reset, and the kernel drops what it had not sent.
void close_with_reset(int descriptor);

}  // namespace tidewire::net
