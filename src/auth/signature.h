// auth/signature.h - makes and checks the signatures of RFC 7518 and RFC 8037 over OpenSSL's EVP.
//
// The algorithm chosen by the caller decides alone how the bytes are read. Wrong lengths are refused before any
// arithmetic, and so is an ECDSA signature with r or s zero (CVE-2022-21449). HMACs are compared in constant time.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/key_material.h"
#include "tidewire/status.h"

namespace tidewire::auth {

// REQUIRES: possible_algorithms(material.kind) has the algorithm.
bool signature_fits(const KeyMaterial& material, Algorithm algorithm, std::string_view text,
                    std::string_view signature) noexcept;
// REQUIRES: the same, and material.has_private.
Result<std::string> make_signature(const KeyMaterial& material, Algorithm algorithm, std::string_view text);

}  // namespace tidewire::auth
