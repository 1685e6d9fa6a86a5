// stream.h - one non-blocking TCP connection of the generator, plain or TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace tidewire::bench {

struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  ssl_ctx_st* tls = nullptr;  // null for plain TCP; lives as long as the streams
};

class Stream {
 public:
  Stream() = default;
  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&&) = delete;

  // Begins to connect. `index` spreads connections over the source addresses 127.0.0.2, .3, ...: the ports of one address do
  // not suffice for many thousands, and some servers count per address.
  bool connect(const Target& target, std::size_t index);
  int descriptor() const { return descriptor_; }

  // Finishes connecting and the TLS handshake: kDone once, then never called again.
  enum class Progress { kDone, kWaiting, kFailed };
  Progress establish();

  // Bytes read; 0 when there is nothing now; -1 at the end or on an error.
  long read(std::span<char> into);
  // Sends `bytes`; what the kernel does not take is kept and sent by flush().
  bool write(std::string_view bytes);
  bool flush() { return write({}); }
  bool has_unsent() const { return !unsent_.empty(); }
  // TLS keeps decrypted bytes that epoll does not know of.
  bool has_buffered() const;

 private:
  long send_some(std::string_view bytes);

  int descriptor_ = -1;
  ssl_st* tls_ = nullptr;
  std::string unsent_;
};

// A client context that accepts any certificate: the benchmark's own is self-signed.
ssl_ctx_st* make_client_tls();

}  // namespace tidewire::bench
