// auth/test_tokens.h - for tests: keys of every kind, made once per program, and tokens put together by hand.
//
// The keys are made here since a private key in a repository is one that somebody will use.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "auth/key.h"
#include "auth/openssl.h"
#include "auth/sign.h"
#include "base/assert.h"
#include "base/base64.h"

namespace tidewire::auth {

inline const std::string kTestSecret = "a secret of more than thirty-two bytes, for tests";

inline constexpr std::array<Algorithm, kAlgorithmCount> kAllAlgorithms = {
    Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512, Algorithm::kRs256, Algorithm::kRs384,
    Algorithm::kRs512, Algorithm::kPs256, Algorithm::kPs384, Algorithm::kPs512, Algorithm::kEs256,
    Algorithm::kEs384, Algorithm::kEs512, Algorithm::kEdDsa};

struct TestPem {
  std::string private_key;
  std::string public_key;
};

inline std::string written(BIO* out) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

inline TestPem pem_of(EVP_PKEY* pkey) {
  TW_ASSERT(pkey != nullptr);
  const BioPtr secret(BIO_new(BIO_s_mem()));
  const BioPtr open(BIO_new(BIO_s_mem()));
  TW_ASSERT(PEM_write_bio_PrivateKey(secret.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  TW_ASSERT(PEM_write_bio_PUBKEY(open.get(), pkey) == 1);
  return {written(secret.get()), written(open.get())};
}

// "RSA-2048", "P-256", "P-384", "P-521", "ED25519", and what no key may be: "RSA-1024", "secp256k1", "ED448".
inline const TestPem& test_pem(const std::string& kind) {
  static std::map<std::string, TestPem> made;
  if (const auto known = made.find(kind); known != made.end()) return known->second;
  const auto generate = [&kind] {
    if (kind.starts_with("RSA-")) return EVP_RSA_gen(static_cast<unsigned>(std::stoi(kind.substr(4))));
    if (kind.starts_with("ED")) return EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str());
    return EVP_EC_gen(kind.c_str());
  };
  const EvpPkeyPtr pkey(generate());
  return made.emplace(kind, pem_of(pkey.get())).first->second;
}

inline std::string test_pem_kind(Algorithm algorithm) {
  if (algorithm <= Algorithm::kPs512) return "RSA-2048";
  return algorithm == Algorithm::kEs256   ? "P-256"
         : algorithm == Algorithm::kEs384 ? "P-384"
         : algorithm == Algorithm::kEs512 ? "P-521"
                                          : "ED25519";
}

// A key that signs and verifies this algorithm, and no other.
inline Key test_key(Algorithm algorithm, std::string kid = {}) {
  KeyOptions options{.kid = std::move(kid), .algorithms = {algorithm}};
  Result<Key> key = algorithm <= Algorithm::kHs512
                        ? Key::from_secret(kTestSecret, std::move(options))
                        : Key::from_pem(test_pem(test_pem_kind(algorithm)).private_key, std::move(options));
  TW_ASSERT(key.ok());
  return *key;
}

// Header and claims as they stand, good JSON or not, signed well.
inline std::string craft(std::string_view header, std::string_view claims, const Key& key,
                         Algorithm algorithm = Algorithm::kHs256) {
  const std::string text = base::base64url_encode(header) + "." + base::base64url_encode(claims);
  const Result<std::string> signature = key.sign(algorithm, text);
  TW_ASSERT(signature.ok());
  return text + "." + base::base64url_encode(*signature);
}

}  // namespace tidewire::auth
