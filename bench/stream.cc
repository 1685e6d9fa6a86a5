#include "stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tidewire::bench {
namespace {

constexpr std::size_t kConnectionsPerSource = 2'000;

bool bind_source(int descriptor, std::size_t index) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in source = {};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(index / kConnectionsPerSource));
  return ::bind(descriptor, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0;
}

}  // namespace

Stream::Stream(Stream&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::exchange(other.tls_, nullptr)),
      unsent_(std::move(other.unsent_)) {}

Stream::~Stream() {
  SSL_free(tls_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Stream::connect(const Target& target, std::size_t index) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0 || !bind_source(descriptor_, index)) return false;
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const linger reset_on_close = {1, 0};  // no TIME_WAIT: the next run needs the ports
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  if (::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr) != 1) return false;
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(descriptor_, generic, sizeof address) != 0 && errno != EINPROGRESS) return false;
  if (target.tls == nullptr) return true;
  tls_ = SSL_new(target.tls);
  SSL_set_fd(tls_, descriptor_);
  SSL_set_connect_state(tls_);
  return true;
}

Stream::Progress Stream::establish() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return Progress::kFailed;
  if (tls_ == nullptr) return Progress::kDone;
  const int result = SSL_do_handshake(tls_);
  if (result == 1) return Progress::kDone;
  const int cause = SSL_get_error(tls_, result);
  return cause == SSL_ERROR_WANT_READ || cause == SSL_ERROR_WANT_WRITE ? Progress::kWaiting : Progress::kFailed;
}

long Stream::read(std::span<char> into) {
  if (tls_ == nullptr) {
    const auto count = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) return count;
    return count < 0 && errno == EAGAIN ? 0 : -1;
  }
  const int count = SSL_read(tls_, into.data(), static_cast<int>(into.size()));
  if (count > 0) return count;
  return SSL_get_error(tls_, count) == SSL_ERROR_WANT_READ ? 0 : -1;
}

long Stream::send_some(std::string_view bytes) {
  if (tls_ == nullptr) {
    const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return count;
    return errno == EAGAIN ? 0 : -1;
  }
  const int count = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
  if (count > 0) return count;
  const int cause = SSL_get_error(tls_, count);
  return cause == SSL_ERROR_WANT_WRITE || cause == SSL_ERROR_WANT_READ ? 0 : -1;
}

bool Stream::write(std::string_view bytes) {
  if (unsent_.empty()) {
    if (bytes.empty()) return true;
    const long sent = send_some(bytes);
    if (sent < 0) return false;
    unsent_ = bytes.substr(static_cast<std::size_t>(sent));
    return true;
  }
  unsent_ += bytes;
  const long sent = send_some(unsent_);
  if (sent < 0) return false;
  unsent_.erase(0, static_cast<std::size_t>(sent));
  return true;
}

bool Stream::has_buffered() const { return tls_ != nullptr && SSL_pending(tls_) > 0; }

ssl_ctx_st* make_client_tls() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace tidewire::bench
