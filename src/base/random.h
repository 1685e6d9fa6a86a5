// base/random.h - random bytes as an interface, so that the simulator can replay a run from its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tidewire::base {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `bytes`. The system's source never fails once seeded; a failure aborts.
  virtual void fill(std::span<unsigned char> bytes) = 0;
};

// getrandom(2), buffered per instance. Threads: one instance per shard.
class SystemRandom final : public Random {
 public:
  void fill(std::span<unsigned char> bytes) override;

 private:
  unsigned char buffer_[256];
  std::size_t left_ = 0;
};

// Deterministic, for the simulator and tests only (splitmix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<unsigned char> bytes) override;
  std::uint64_t next() noexcept;
  // Uniform in [0, bound). REQUIRES: bound > 0
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace tidewire::base
