// auth/key_material.h - what is inside a Key, and what its kind of key can do. For this layer only.
//
// Threads: immutable; OpenSSL allows any number of threads to use one EVP_PKEY for verifying and signing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/openssl.h"
#include "tidewire/status.h"

namespace tidewire::auth {

enum class KeyKind : std::uint8_t { kSecret, kRsa, kRsaPss, kP256, kP384, kP521, kEd25519 };

struct KeyMaterial {
  KeyMaterial() = default;
  KeyMaterial(const KeyMaterial&) = delete;
  KeyMaterial& operator=(const KeyMaterial&) = delete;
  ~KeyMaterial() { OPENSSL_cleanse(secret.data(), secret.size()); }

  KeyKind kind = KeyKind::kSecret;
  std::string secret;  // kSecret
  EvpPkeyPtr pkey;     // every other kind
  bool has_private = false;
};

// Everything a key of this kind could be used for, and what it is used for when nobody says.
AlgorithmSet possible_algorithms(KeyKind kind) noexcept;
AlgorithmSet default_algorithms(KeyKind kind) noexcept;

// Takes a key over if it is of a kind and size that we use.
Result<std::shared_ptr<const KeyMaterial>> material_of(EvpPkeyPtr pkey, bool has_private);

}  // namespace tidewire::auth
