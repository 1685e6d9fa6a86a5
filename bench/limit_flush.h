// limit_flush.h - how the limit program hands a turn's sends to the kernel: all of them by io_uring, or one send() each.
//
// A send is done or refused before flush() returns (MSG_DONTWAIT), so the bytes need to live no longer than the call. What
// the kernel did not take comes back in `taken`; the caller keeps the rest for EPOLLOUT.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace tidewire::bench {

struct Send {
  int descriptor;
  int taken;  // filled by flush(): bytes the kernel took, or -errno
  const char* data;
  std::size_t size;
};

class Flusher {
 public:
  virtual ~Flusher() = default;
  virtual const char* name() const = 0;
  // Every descriptor that appears in flush() was added and is removed before it is closed.
  virtual void add(int descriptor) = 0;
  virtual void remove(int descriptor) = 0;
  virtual void flush(std::span<Send> sends) = 0;
};

std::unique_ptr<Flusher> make_send_flusher();
// Null where the kernel, the container or the build has no io_uring.
std::unique_ptr<Flusher> make_uring_flusher(unsigned descriptors_max);

}  // namespace tidewire::bench
