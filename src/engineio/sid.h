// engineio/sid.h - session ids: who knows one may speak for the session, so they are random, unique and never logged whole.
//
//   0            12      13        15
//   | 12 random  | shard | counter |     as text: 20 characters of base64url
//
// 96 random bits make it unguessable; the shard byte says where the session lives; the counter keeps ids of one shard apart
// even if the random source should ever repeat itself.
// Threads: one source per shard.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/random.h"

namespace tidewire::engineio {

using Sid = std::array<unsigned char, base::limits::kSidBytes>;

class SidSource {
 public:
  // REQUIRES: shard < 256
  SidSource(base::Random& random, std::uint32_t shard);
  Sid next();

 private:
  base::Random& random_;
  const std::uint8_t shard_;
  std::uint16_t counter_ = 0;
};

std::string sid_text(const Sid& sid);
// nullopt for anything but 20 characters of the alphabet.
std::optional<Sid> parse_sid(std::string_view text) noexcept;
inline std::uint32_t shard_of(const Sid& sid) noexcept { return sid[12]; }

}  // namespace tidewire::engineio
