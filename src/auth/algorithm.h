// auth/algorithm.h - the signature algorithms of RFC 7518 and RFC 8037 that a token may name.
//
// "none" is not among them, and neither is anything that encrypts. Which of them a key accepts is a property of the key
// (auth/key.h): the token's own word for it only has to agree.
// Threads: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace tidewire::auth {

enum class Algorithm : std::uint8_t {
  kHs256,  // HMAC with a shared secret
  kHs384,
  kHs512,
  kRs256,  // RSA, PKCS #1 v1.5
  kRs384,
  kRs512,
  kPs256,  // RSA, PSS
  kPs384,
  kPs512,
  kEs256,  // ECDSA on P-256
  kEs384,  // on P-384
  kEs512,  // on P-521
  kEdDsa,  // Ed25519
};
inline constexpr std::size_t kAlgorithmCount = 13;

// As a header spells it: "HS256", "EdDSA".
std::string_view name(Algorithm algorithm) noexcept;
// The same backwards; case matters, "rs256" is nothing.
std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;

class AlgorithmSet {
 public:
  constexpr AlgorithmSet() noexcept = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> members) noexcept {
    for (const Algorithm each : members) add(each);
  }
  constexpr void add(Algorithm algorithm) noexcept { bits_ |= bit(algorithm); }
  constexpr bool contains(Algorithm algorithm) const noexcept { return (bits_ & bit(algorithm)) != 0; }
  constexpr bool contains(AlgorithmSet others) const noexcept { return (bits_ | others.bits_) == bits_; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  friend constexpr AlgorithmSet operator&(AlgorithmSet a, AlgorithmSet b) noexcept {
    a.bits_ &= b.bits_;
    return a;
  }
  friend constexpr bool operator==(AlgorithmSet, AlgorithmSet) noexcept = default;

 private:
  static constexpr std::uint32_t bit(Algorithm algorithm) noexcept {
    return std::uint32_t{1} << static_cast<unsigned>(algorithm);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace tidewire::auth
