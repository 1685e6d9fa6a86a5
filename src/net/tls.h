// net/tls.h - TLS 1.2 and 1.3 by OpenSSL, on memory: ciphertext in, plaintext out, and back. No sockets.
//
// Threads: a TlsContext is shared by all shards and may be reloaded from any thread: new connections take the new
// certificate, old ones keep theirs. A Tls belongs to its connection's shard and moves with it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tidewire/status.h"

namespace tidewire::net {

struct TlsOptions {
  std::string certificate_file;  // PEM, the chain, leaf first
  std::string key_file;          // PEM
  std::string ciphers;           // TLS 1.2 list in OpenSSL's form; empty: OpenSSL's HIGH without the weak ones
};

class Tls {
 public:
  ~Tls();
  enum class Outcome { kOk, kClosed, kError };
  // Feeds ciphertext. Plaintext is written to `plain` (the shard's receive buffer) through `sink` in pieces; answers of the
  // handshake collect in take_ciphertext().
  template <typename Sink>
  Outcome feed(std::span<const char> ciphertext, std::span<char> plain, Sink&& sink);
  bool handshake_done() const;

 private:
  friend class TlsContext;
  struct State;
  std::unique_ptr<State> state_;
  Tls();
};

class TlsContext {
 public:
  // Reads certificate and key; the Status names the file and OpenSSL's reason.
  static Result<std::shared_ptr<TlsContext>> load(const TlsOptions& options);
  // Reads the files again; on failure the old pair stays. From any thread.
  Status reload();
  std::unique_ptr<Tls> accept();
  ~TlsContext();

 private:
  TlsContext();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidewire::net
