// auth/key.h - a key that verifies tokens, and signs them if it can.
//
//   secret bytes ----from_secret---->
//   PEM public key,                    Key { kid, algorithms it may verify, material }
//   private key, certificate -from_pem->      verify(algorithm, signed text, signature)
//   JWK ------------key_from_jwk----->        sign(algorithm, text)               (auth/jwk.h)
//
// The list of algorithms belongs to the key and comes from the configuration or from the kind of key, never from a token:
// an RSA key does not become an HMAC secret because a header says HS256.
// Refused: RSA below 2048 or above 8192 bits or with an exponent that is even or 1, curves other than P-256, P-384, P-521
// and Ed25519, a point off its curve, a PEM text as a secret, a private key behind a pass phrase. The dates of a
// certificate do not count: who configures it says that it is good.
// Lifetime: immutable; copies share the material, secrets are wiped with the last copy.
// Threads: any number at once. Nothing stays in OpenSSL's error queue.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "tidewire/status.h"

namespace tidewire::auth {

inline constexpr std::size_t kSecretBytesMin = 32;  // less is weak: it can be guessed from one token
inline constexpr std::size_t kSecretBytesMax = 4096;
inline constexpr std::size_t kPemBytesMax = 64 * 1024;
inline constexpr std::size_t kKeyIdBytesMax = 256;
inline constexpr int kRsaBitsMin = 2048;
inline constexpr int kRsaBitsMax = 8192;

struct KeyMaterial;

struct KeyOptions {
  std::string kid = {};  // empty: the key has no name
  // What the key may verify. Empty: HS256, HS384, HS512 for a secret, RS256 for RSA (PS256 when the key is marked as PSS),
  // the one algorithm of its curve for every other key.
  AlgorithmSet algorithms = {};
};

class Key {
 public:
  static Result<Key> from_secret(std::string_view secret, KeyOptions options = {});
  // The first private key, else certificate, else public key of the text.
  static Result<Key> from_pem(std::string_view pem, KeyOptions options = {});
  // REQUIRES: material, all its fields set. For the makers above and auth/jwk.h.
  static Result<Key> from_material(std::shared_ptr<const KeyMaterial> material, KeyOptions options);

  const std::string& kid() const noexcept { return options_.kid; }
  // What it may verify; never empty.
  AlgorithmSet algorithms() const noexcept { return options_.algorithms; }
  // A secret below kSecretBytesMin.
  bool secret_is_weak() const noexcept;
  // Whether it has the private part and is of the right kind.
  bool can_sign(Algorithm algorithm) const noexcept;

  // False for an algorithm outside the list, and for every signature that is not this key's of this text.
  bool verify(Algorithm algorithm, std::string_view text, std::string_view signature) const noexcept;
  // The signature as a token carries it, before base64url.
  Result<std::string> sign(Algorithm algorithm, std::string_view text) const;

 private:
  Key(std::shared_ptr<const KeyMaterial> material, KeyOptions options) noexcept;

  std::shared_ptr<const KeyMaterial> material_;
  KeyOptions options_;
};

}  // namespace tidewire::auth
