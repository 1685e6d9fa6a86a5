// base/assert.h - TW_ASSERT guards our own invariants, also in release builds. Peer input never reaches it.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace tidewire::base {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "tidewire: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace tidewire::base

#define TW_ASSERT(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::tidewire::base::assertion_failed(#condition, __FILE__, __LINE__))
