// tidewire/status.h - how cold paths say what went wrong: Status, and Result<T> for "a T, or a Status".
//
// The library throws nothing. A Status is a code for programs and a message for people. [[nodiscard]] everywhere: an error that
// nobody looks at is a bug.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tidewire {

// One enumerator per kind of reaction a caller may choose, not per cause; the cause is in the message.
enum class StatusCode : std::uint8_t {
  kOk,
  kInvalidArgument,   // the caller's value can never work
  kNotFound,          // no such namespace, socket, room, file
  kAlreadyExists,     // the name is taken
  kResourceExhausted, // a bound was reached; may work later
  kDeadlineExceeded,  // no answer in time ("operation has timed out")
  kDisconnected,      // the socket is gone
  kUnavailable,       // the server is stopping, or a peer is out of reach
  kInternal,          // the system said no (the message has errno's text)
};

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const noexcept { return code_ == StatusCode::kOk; }
  StatusCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

// A T or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : ok_(true) { new (&value_) T(std::move(value)); }  // NOLINT: implicit, as a value is returned
  // REQUIRES: !status.ok()
  Result(Status status) : ok_(false) { new (&status_) Status(std::move(status)); }  // NOLINT: implicit
  Result(const Result& other) : ok_(other.ok_) { construct(other); }
  Result(Result&& other) noexcept : ok_(other.ok_) { construct(std::move(other)); }
  Result& operator=(Result other) noexcept {
    destroy();
    ok_ = other.ok_;
    construct(std::move(other));
    return *this;
  }
  ~Result() { destroy(); }

  bool ok() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }

  // REQUIRES: ok()
  T& value() & { return value_; }
  const T& value() const& { return value_; }
  T&& value() && { return std::move(value_); }
  T& operator*() & { return value_; }
  const T& operator*() const& { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T value_or(T fallback) const& { return ok_ ? value_ : std::move(fallback); }

  // An ok Status when there is a value.
  Status status() const { return ok_ ? Status() : status_; }

 private:
  template <typename Other>
  void construct(Other&& other) {
    if (ok_) {
      new (&value_) T(std::forward<Other>(other).value_);
    } else {
      new (&status_) Status(std::forward<Other>(other).status_);
    }
  }
  void destroy() {
    if (ok_) {
      value_.~T();
    } else {
      status_.~Status();
    }
  }

  bool ok_;
  union {
    T value_;
    Status status_;
  };
};

// Why a socket is gone, with the texts Socket.IO users know; kSlowConsumer is ours.
enum class DisconnectReason : std::uint8_t {
  kTransportError,             // "transport error": the stream broke
  kTransportClose,             // "transport close": the peer closed it
  kForcedClose,                // "forced close": a violation of the protocol, or messages for it were lost (1013)
  kPingTimeout,                // "ping timeout": no pong in time
  kParseError,                 // "parse error": not decodable
  kServerShutdown,             // "server shutting down"
  kForcedServerClose,          // "forced server close": no namespace joined in time
  kClientNamespaceDisconnect,  // "client namespace disconnect"
  kServerNamespaceDisconnect,  // "server namespace disconnect": disconnect(), of the namespace or of the connection
  kSlowConsumer,               // "slow consumer": its out-queue went over a bound; WebSocket code 4008
};

std::string_view text(DisconnectReason reason) noexcept;

}  // namespace tidewire
