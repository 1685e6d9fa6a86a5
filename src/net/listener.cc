#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace tidewire::net {
namespace {

Status system_error(const std::string& what) {
  const StatusCode code = errno == EADDRINUSE ? StatusCode::kAlreadyExists : StatusCode::kInternal;
  return {code, what + ": " + std::strerror(errno)};
}

socklen_t to_sockaddr(const Address& address, bool v4, sockaddr_storage& to) {
  if (v4) {
    auto& in = reinterpret_cast<sockaddr_in&>(to);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.data() + 12, 4);
    return sizeof in;
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(to);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port);
  std::memcpy(&in6.sin6_addr, address.ip.data(), 16);
  return sizeof in6;
}

bool switch_option(int descriptor, int level, int name, int value) {
  return ::setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

}  // namespace

Address to_address(const sockaddr_storage& from) {
  Address address;
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(address.ip.data() + 12, &in.sin_addr, 4);
    address.port = ntohs(in.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(address.ip.data(), &in6.sin6_addr, 16);
    address.port = ntohs(in6.sin6_port);
  }
  return address;
}

Result<std::unique_ptr<Listener>> Listener::open(const ListenOptions& options, Acceptor acceptor) {
  std::unique_ptr<Listener> listener(new Listener(options, std::move(acceptor)));
  Status status = listener->bind_and_listen();
  if (!status.ok()) return status;
  return listener;
}

Status Listener::bind_and_listen() {
  const std::optional<Address> address = Address::parse_ip(options_.host, options_.port);
  if (!address) return {StatusCode::kInvalidArgument, "listen: not an IP address: " + options_.host};
  sockaddr_storage storage{};
  const socklen_t size = to_sockaddr(*address, address->is_v4(), storage);
  if (options_.alone && options_.port != 0) {
    // Bound for a moment without SO_REUSEPORT: fails if anybody is there, a second server of ours included.
    const int probe = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return system_error("socket");
    const bool free = switch_option(probe, SOL_SOCKET, SO_REUSEADDR, 1) &&
                      ::bind(probe, reinterpret_cast<sockaddr*>(&storage), size) == 0;
    const Status taken = free ? Status() : system_error("listen on " + address->text());
    ::close(probe);
    if (!free) return taken;
  }
  descriptor_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return system_error("socket");
  // Accepted sockets inherit TCP_NODELAY: no system call for each of them.
  if (!switch_option(descriptor_, SOL_SOCKET, SO_REUSEADDR, 1) || !switch_option(descriptor_, SOL_SOCKET, SO_REUSEPORT, 1) ||
      !switch_option(descriptor_, IPPROTO_TCP, TCP_NODELAY, 1)) {
    return system_error("setsockopt");
  }
  // "::" serves both families, whatever the system's default.
  if (!address->is_v4() && !switch_option(descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, 0)) return system_error("setsockopt");
  if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&storage), size) != 0 || ::listen(descriptor_, options_.backlog) != 0) {
    return system_error("listen on " + address->text());
  }
  socklen_t bound_size = sizeof storage;
  if (::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &bound_size) != 0) return system_error("getsockname");
  port_ = to_address(storage).port;
  return {};
}

int Listener::accept(Address& peer) const {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int accepted = ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) peer = to_address(storage);
  return accepted;
}

void Listener::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

bool Listener::behind_proxy(const Address& peer) const {
  return std::any_of(options_.proxy_protocol_from.begin(), options_.proxy_protocol_from.end(),
                     [&](const Network& network) { return network.contains(peer); });
}

ReserveDescriptor::ReserveDescriptor() : descriptor_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

ReserveDescriptor::~ReserveDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t ReserveDescriptor::cut(const Listener& listener, std::size_t count_max) {
  if (descriptor_ >= 0) ::close(descriptor_);
  std::size_t count = 0;
  Address peer;
  for (; count < count_max; ++count) {
    const int accepted = listener.accept(peer);
    if (accepted < 0) break;
    close_with_reset(accepted);
  }
  descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return count;
}

void close_with_reset(int descriptor) {
  const linger at_once{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(descriptor);
}

}  // namespace tidewire::net
