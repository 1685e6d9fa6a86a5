#include "base/random.h"

#include <sys/random.h>

#include <cstring>

#include "base/assert.h"

namespace tidewire::base {

void SystemRandom::fill(std::span<unsigned char> bytes) {
  for (unsigned char& byte : bytes) {
    if (left_ == 0) {
      TW_ASSERT(getrandom(buffer_, sizeof buffer_, 0) == static_cast<ssize_t>(sizeof buffer_));
      left_ = sizeof buffer_;
    }
    byte = buffer_[--left_];
    buffer_[left_] = 0;  // a secret is handed out once
  }
}

std::uint64_t SeededRandom::next() noexcept {
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void SeededRandom::fill(std::span<unsigned char> bytes) {
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(next());
}

}  // namespace tidewire::base
