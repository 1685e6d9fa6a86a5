// ECDSA signatures travel as r || s, two big-endian integers of exactly the size of the curve; OpenSSL wants them in DER.
#include "auth/signature.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>

namespace tidewire::auth {
namespace {

enum class Scheme : std::uint8_t { kHmac, kRsaPkcs1, kRsaPss, kEcdsa, kEd25519 };

Scheme scheme_of(Algorithm algorithm) noexcept {
  if (algorithm <= Algorithm::kHs512) return Scheme::kHmac;
  if (algorithm <= Algorithm::kRs512) return Scheme::kRsaPkcs1;
  if (algorithm <= Algorithm::kPs512) return Scheme::kRsaPss;
  return algorithm <= Algorithm::kEs512 ? Scheme::kEcdsa : Scheme::kEd25519;
}

// Null for Ed25519, which hashes by itself.
const EVP_MD* digest_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::kHs256:
    case Algorithm::kRs256:
    case Algorithm::kPs256:
    case Algorithm::kEs256:
      return EVP_sha256();
    case Algorithm::kHs384:
    case Algorithm::kRs384:
    case Algorithm::kPs384:
    case Algorithm::kEs384:
      return EVP_sha384();
    case Algorithm::kHs512:
    case Algorithm::kRs512:
    case Algorithm::kPs512:
    case Algorithm::kEs512:
      return EVP_sha512();
    case Algorithm::kEdDsa:
      break;
  }
  return nullptr;
}

// Bytes of r, and of s.
std::size_t coordinate_bytes(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::kEs256 ? 32 : algorithm == Algorithm::kEs384 ? 48 : 66;
}

std::string hmac(std::string_view secret, Algorithm algorithm, std::string_view text) noexcept {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size = 0;
  const bool made = HMAC(digest_of(algorithm), secret.data(), static_cast<int>(secret.size()), octets(text),
                         text.size(), mac.data(), &size) != nullptr;
  return made ? std::string(mac.begin(), mac.begin() + size) : std::string();
}

// r || s in DER; empty when a length is wrong or one of the two is zero.
std::string der_of(std::string_view signature, std::size_t coordinate) noexcept {
  if (signature.size() != 2 * coordinate) return {};
  const EcdsaSigPtr pair(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(octets(signature), static_cast<int>(coordinate), nullptr));
  BignumPtr s(BN_bin2bn(octets(signature) + coordinate, static_cast<int>(coordinate), nullptr));
  if (pair == nullptr || r == nullptr || s == nullptr || BN_is_zero(r.get()) || BN_is_zero(s.get())) return {};
  if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the pair's now
  static_cast<void>(s.release());
  std::array<unsigned char, 160> der;  // two integers of 67 bytes and eight bytes around them, at most
  unsigned char* end = der.data();
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > der.size() || i2d_ECDSA_SIG(pair.get(), &end) != size) return {};
  return std::string(der.data(), end);
}

// The way back; empty when OpenSSL gave us something else.
std::string pair_of(std::string_view der, std::size_t coordinate) {
  const unsigned char* begin = octets(der);
  const EcdsaSigPtr pair(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  if (pair == nullptr) return {};
  std::array<unsigned char, 132> out;
  const int bytes = static_cast<int>(coordinate);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out.data(), bytes) != bytes) return {};
  if (BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out.data() + coordinate, bytes) != bytes) return {};
  return std::string(out.begin(), out.begin() + 2 * bytes);
}

// RSA with PSS: salt as long as the digest, as RFC 7518 section 3.5 wants it.
bool set_padding(EVP_PKEY_CTX* context, Scheme scheme) noexcept {
  if (scheme != Scheme::kRsaPss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

bool signature_fits(const KeyMaterial& material, Algorithm algorithm, std::string_view text,
                    std::string_view signature) noexcept {
  const ErrorQueueGuard errors;
  const Scheme scheme = scheme_of(algorithm);
  if (scheme == Scheme::kHmac) {
    const std::string expected = hmac(material.secret, algorithm, text);
    return !expected.empty() && expected.size() == signature.size() &&
           CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
  }
  std::string der;
  if (scheme == Scheme::kEcdsa) {
    der = der_of(signature, coordinate_bytes(algorithm));
    if (der.empty()) return false;
    signature = der;
  }
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;  // the context's
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &pkey_context, digest_of(algorithm), nullptr, material.pkey.get()) != 1) {
    return false;
  }
  return set_padding(pkey_context, scheme) &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(text), text.size()) == 1;
}

Result<std::string> make_signature(const KeyMaterial& material, Algorithm algorithm, std::string_view text) {
  const ErrorQueueGuard errors;
  const Status failed(StatusCode::kInternal, "the signature could not be made");
  const Scheme scheme = scheme_of(algorithm);
  if (scheme == Scheme::kHmac) {
    std::string mac = hmac(material.secret, algorithm, text);
    if (mac.empty()) return failed;
    return mac;
  }
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;  // the context's
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &pkey_context, digest_of(algorithm), nullptr, material.pkey.get()) != 1 ||
      !set_padding(pkey_context, scheme)) {
    return failed;
  }
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(material.pkey.get()));
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets(text),
                     text.size()) != 1) {
    return failed;
  }
  signature.resize(size);
  if (scheme == Scheme::kEcdsa) signature = pair_of(signature, coordinate_bytes(algorithm));
  if (signature.empty()) return failed;
  return signature;
}

}  // namespace tidewire::auth
