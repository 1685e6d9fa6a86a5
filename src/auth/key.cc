#include "auth/key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <array>
#include <utility>

#include "auth/key_material.h"
#include "auth/signature.h"
#include "base/assert.h"

namespace tidewire::auth {
namespace {

Status refused(std::string why) { return Status(StatusCode::kInvalidArgument, std::move(why)); }

// Without it OpenSSL would ask the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

// An exponent of 1 makes every text its own signature.
bool sound_rsa_exponent(const EVP_PKEY* pkey) noexcept {
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
  const BignumPtr owned(exponent);
  return BN_is_odd(exponent) && !BN_is_one(exponent) && BN_num_bits(exponent) <= 64;
}

Result<KeyKind> rsa_kind(const EVP_PKEY* pkey) {
  const int bits = EVP_PKEY_get_bits(pkey);
  if (bits < kRsaBitsMin) return refused("an RSA key of " + std::to_string(bits) + " bits, at least 2048 are needed");
  if (bits > kRsaBitsMax) return refused("an RSA key of " + std::to_string(bits) + " bits, at most 8192 are allowed");
  if (!sound_rsa_exponent(pkey)) return refused("an RSA key with an exponent that protects nothing");
  return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA_PSS ? KeyKind::kRsaPss : KeyKind::kRsa;
}

Result<KeyKind> ec_kind(EVP_PKEY* pkey) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &size) != 1) {
    return refused("an elliptic curve without a name");
  }
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new(pkey, nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1)
    return refused("a point that is not on its curve");
  const std::string_view name(group.data(), size);
  if (name == "prime256v1") return KeyKind::kP256;
  if (name == "secp384r1") return KeyKind::kP384;
  if (name == "secp521r1") return KeyKind::kP521;
  return refused("an elliptic curve that no token algorithm uses");
}

Result<KeyKind> kind_of(EVP_PKEY* pkey) {
  switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return rsa_kind(pkey);
    case EVP_PKEY_EC:
      return ec_kind(pkey);
    case EVP_PKEY_ED25519:
      return KeyKind::kEd25519;
    default:
      return refused("a kind of key that no token algorithm uses");
  }
}

}  // namespace

AlgorithmSet possible_algorithms(KeyKind kind) noexcept {
  using enum Algorithm;
  switch (kind) {
    case KeyKind::kSecret:
      return {kHs256, kHs384, kHs512};
    case KeyKind::kRsa:
      return {kRs256, kRs384, kRs512, kPs256, kPs384, kPs512};
    case KeyKind::kRsaPss:
      return {kPs256, kPs384, kPs512};
    case KeyKind::kP256:
      return {kEs256};
    case KeyKind::kP384:
      return {kEs384};
    case KeyKind::kP521:
      return {kEs512};
    case KeyKind::kEd25519:
      return {kEdDsa};
  }
  return {};
}

AlgorithmSet default_algorithms(KeyKind kind) noexcept {
  if (kind == KeyKind::kRsa) return {Algorithm::kRs256};
  if (kind == KeyKind::kRsaPss) return {Algorithm::kPs256};
  return possible_algorithms(kind);
}

Result<std::shared_ptr<const KeyMaterial>> material_of(EvpPkeyPtr pkey, bool has_private) {
  const ErrorQueueGuard errors;
  TW_ASSERT(pkey != nullptr);
  const Result<KeyKind> kind = kind_of(pkey.get());
  if (!kind.ok()) return kind.status();
  auto material = std::make_shared<KeyMaterial>();
  material->kind = *kind;
  material->pkey = std::move(pkey);
  material->has_private = has_private;
  return std::shared_ptr<const KeyMaterial>(std::move(material));
}

Key::Key(std::shared_ptr<const KeyMaterial> material, KeyOptions options) noexcept
    : material_(std::move(material)), options_(std::move(options)) {}

Result<Key> Key::from_material(std::shared_ptr<const KeyMaterial> material, KeyOptions options) {
  TW_ASSERT(material != nullptr);
  if (options.kid.size() > kKeyIdBytesMax) return refused("a key id of more than 256 bytes");
  if (options.algorithms.empty()) options.algorithms = default_algorithms(material->kind);
  if (!possible_algorithms(material->kind).contains(options.algorithms)) {
    return refused("the list of algorithms has some that this kind of key cannot do");
  }
  return Key(std::move(material), std::move(options));
}

Result<Key> Key::from_secret(std::string_view secret, KeyOptions options) {
  if (secret.empty()) return refused("an empty secret");
  if (secret.size() > kSecretBytesMax) return refused("a secret of more than 4096 bytes");
  // A public key as a secret would be known to everybody (CVE-2016-10555).
  if (secret.find("-----BEGIN ") != std::string_view::npos)
    return refused("a PEM text is a key of its own, not a secret");
  auto material = std::make_shared<KeyMaterial>();
  material->secret = secret;
  material->has_private = true;
  return from_material(std::move(material), std::move(options));
}

Result<Key> Key::from_pem(std::string_view pem, KeyOptions options) {
  const ErrorQueueGuard errors;
  if (pem.size() > kPemBytesMax) return refused("a PEM text of more than 64 KB");
  const BioPtr source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (source == nullptr) return Status(StatusCode::kInternal, "no memory for a PEM text");
  const bool has_private = pem.find("PRIVATE KEY-----") != std::string_view::npos;
  EvpPkeyPtr pkey;
  if (has_private) {
    pkey.reset(PEM_read_bio_PrivateKey(source.get(), nullptr, no_pass_phrase, nullptr));
  } else if (pem.find("CERTIFICATE-----") != std::string_view::npos) {
    const X509Ptr certificate(PEM_read_bio_X509(source.get(), nullptr, no_pass_phrase, nullptr));
    if (certificate != nullptr) pkey.reset(X509_get_pubkey(certificate.get()));
  } else {
    pkey.reset(PEM_read_bio_PUBKEY(source.get(), nullptr, no_pass_phrase, nullptr));
  }
  if (pkey == nullptr) return refused("no PEM key or certificate that can be read");
  Result<std::shared_ptr<const KeyMaterial>> material = material_of(std::move(pkey), has_private);
  if (!material.ok()) return material.status();
  return from_material(std::move(*material), std::move(options));
}

bool Key::secret_is_weak() const noexcept {
  return material_->kind == KeyKind::kSecret && material_->secret.size() < kSecretBytesMin;
}

bool Key::can_sign(Algorithm algorithm) const noexcept {
  return material_->has_private && possible_algorithms(material_->kind).contains(algorithm);
}

bool Key::verify(Algorithm algorithm, std::string_view text, std::string_view signature) const noexcept {
  return options_.algorithms.contains(algorithm) && signature_fits(*material_, algorithm, text, signature);
}

Result<std::string> Key::sign(Algorithm algorithm, std::string_view text) const {
  if (!can_sign(algorithm)) return refused("this key cannot sign " + std::string(name(algorithm)));
  return make_signature(*material_, algorithm, text);
}

}  // namespace tidewire::auth
