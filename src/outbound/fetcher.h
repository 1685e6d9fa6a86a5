// outbound/fetcher.h - the seam between what the server asks of others over HTTP and how it gets there.
//
//   webhook, question, a key set --fetch()--> Fetcher --one Response, always--> their callback
//
// Client (outbound/client.h) is the real one; tests and the simulator have one with virtual time (outbound/test_fetcher.h).
// Threads: every function may be called from any thread and none blocks. Callbacks and tasks run on the Fetcher's own thread, the
// service thread, one at a time; whoever needs them elsewhere posts from there. One exception, so that refusing needs no queue: a
// request that is refused (kOverloaded, kBadRequest, kCancelled after the end) is answered on the calling thread, before fetch()
// returns. So hold no lock in fetch() that the callback takes.
// Lifetime: a Fetcher outlives whoever uses it; what its callbacks refer to outlives the Fetcher.
// Limits: kTasksMax tasks and timers; requests as the implementation says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tidewire/function.h"

namespace tidewire::outbound {

inline constexpr base::Milliseconds kFetchTimeoutDefaultMs = 2'000;
inline constexpr std::size_t kResponseBytesDefault = 64 * 1024;
// Our own users hold two or three each: more is a defect of ours.
inline constexpr std::size_t kTasksMax = 65'536;

struct Header {
  std::string name;
  std::string value;
};

enum class Method : std::uint8_t { kGet, kPost };

struct Request {
  Method method = Method::kGet;
  std::string url;
  // Made by the server. What a client of ours sent never becomes a header: it goes into the body.
  std::vector<Header> headers;
  std::string body;  // of a kPost
  // From fetch() to the last byte of the answer, waiting for a free place included.
  base::Milliseconds timeout_ms = kFetchTimeoutDefaultMs;
  std::size_t response_bytes_max = kResponseBytesDefault;
};

enum class FetchError : std::uint8_t {
  kNone,        // there is an answer, of whatever status
  kBadRequest,  // the URL or a header can never work
  kOverloaded,  // too many requests wait already
  kCancelled,   // the Fetcher came to its end first
  kTimeout,     // no complete answer within timeout_ms
  kResolve,     // the host has no address
  kConnect,     // nobody listens, or no route
  kTls,         // no handshake, or a certificate that does not convince
  kTooLarge,    // the body is over response_bytes_max, or the head over kResponseHeadBytesMax
  kProtocol,    // no HTTP, or the stream ended in the middle
};
// For people: "timeout".
std::string_view fetch_error_text(FetchError error) noexcept;

struct Response {
  FetchError error = FetchError::kNone;
  std::string error_text;       // for a log: never has the URL, the body or a header in it
  int status = 0;               // 0 unless kNone
  std::vector<Header> headers;  // of the final answer, in its order
  std::string body;
  base::Milliseconds elapsed_ms = 0;

  // The value of the first header of this name, in whatever case; empty without one.
  std::string_view header(std::string_view name) const noexcept;
};

// A Response of a request that never left.
Response refused(FetchError error, std::string text);

class Fetcher {
 public:
  using Done = UniqueFunction<void(Response)>;
  using Task = UniqueFunction<void()>;

  virtual ~Fetcher() = default;

  // Calls `done` exactly once.
  virtual void fetch(Request request, Done done) = 0;
  // Runs `task` on the service thread, `delay_ms` from now at the earliest. Destroyed unrun if the Fetcher ends first.
  // REQUIRES: fewer than kTasksMax wait
  virtual void after(base::Milliseconds delay_ms, Task task) = 0;
  void post(Task task) { after(0, std::move(task)); }

  // Monotonic; virtual in tests.
  virtual base::Milliseconds now_ms() const noexcept = 0;
  // Since 1970, for timestamps that others read.
  virtual std::int64_t unix_ms() const noexcept = 0;
};

}  // namespace tidewire::outbound
