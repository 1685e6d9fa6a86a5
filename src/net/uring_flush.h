// net/uring_flush.h - the flush by io_uring: up to 512 sends handed to the kernel in one system call.
//
// Every send is MSG_DONTWAIT, so the kernel performs it during the submission and its result is there when the call
// returns. Nothing is in flight afterwards; frames and scratch bytes need no longer life than with plain sends.
// Threads: its reactor's.
#pragma once

#include <memory>

#include "net/flush.h"

namespace tidewire::net {

// Null with errno where the kernel (or the container's filter) forbids io_uring, or the build has no liburing.
// kAuto uses plain sends for turns with few of them, where a submission gains nothing; kUring never does.
std::unique_ptr<Sender> make_uring_sender(FlushMode mode);

}  // namespace tidewire::net
