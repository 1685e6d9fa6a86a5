// net/tls.h - TLS 1.2 and 1.3 by OpenSSL, on memory: ciphertext in, plaintext out, and back. No sockets.
//
//   receive buffer [ plaintext ............ | ciphertext .......... ]   feed() decrypts from one half into the other
//   scratch buffer [ joined frames | records ]                          seal() encrypts; leaves with the turn's flush
//
// OpenSSL reads from and writes to these spans through a BIO of our own (its memory BIO would copy, and keep its largest
// size for ever). What cannot leave at once, handshake answers and what the kernel refused, waits in unsent().
// Threads: a TlsContext is shared by all shards and may be reloaded from any thread: new connections take the new
// certificate, old ones keep theirs. A Tls belongs to its connection's shard and moves with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tidewire/status.h"

namespace tidewire::net {

struct TlsOptions {
  std::string certificate_file = {};  // PEM, the chain, leaf first
  std::string key_file = {};          // PEM
  std::string ciphers = {};           // TLS 1.2 list in OpenSSL's form; empty: OpenSSL's HIGH without the weak ones
};

class Tls {
 public:
  ~Tls();

  static constexpr std::size_t kRecordBytes = 16 * 1024;  // plaintext of one record at most

  enum class Outcome : std::uint8_t {
    kOk,
    kClosed,  // the peer's close_notify; plaintext before it is delivered
    kError,   // not TLS, or no common ground; an alert may wait in unsent()
  };
  struct Fed {
    Outcome outcome;
    std::size_t plain_bytes;
  };
  // Decrypts all of `ciphertext`; a record cut short waits inside, and its plaintext comes with the rest of it.
  // REQUIRES: plain.size() >= ciphertext.size() + kRecordBytes
  Fed feed(std::span<const char> ciphertext, std::span<char> plain);
  bool handshake_done() const;

  // Encrypts `plain` into `sealed`; returns how many bytes that gave, 0 on failure.
  // REQUIRES: handshake_done(), unsent().empty(), sealed.size() >= sealed_bytes_max(plain.size())
  std::size_t seal(std::string_view plain, std::span<char> sealed);
  static constexpr std::size_t sealed_bytes_max(std::size_t plain) { return plain + (plain / kRecordBytes + 2) * 256; }

  // Puts our close_notify behind unsent(), once; nothing before the handshake is done.
  void finish();

  // Ciphertext that must leave before anything else.
  std::string_view unsent() const noexcept;
  void consume_unsent(std::size_t count);
  void keep_unsent(std::string_view ciphertext);

 private:
  friend class TlsContext;
  struct State;
  explicit Tls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class TlsContext {
 public:
  // Reads certificate and key; the Status names the file and OpenSSL's reason.
  static Result<std::shared_ptr<TlsContext>> load(const TlsOptions& options);
  // Reads the files again; on failure the old pair stays. From any thread.
  Status reload();
  // The server's side of a new connection. From any thread.
  std::unique_ptr<Tls> accept();
  ~TlsContext();

 private:
  TlsContext();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidewire::net
