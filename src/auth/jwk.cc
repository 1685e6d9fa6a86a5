#include "auth/jwk.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "auth/key_material.h"
#include "auth/strict_json.h"
#include "base/base64.h"

namespace tidewire::auth {
namespace {

Status refused(std::string why) { return Status(StatusCode::kInvalidArgument, std::move(why)); }

std::string_view text_member(const Value& jwk, std::string_view name) noexcept {
  return jwk[name].as_string().value_or(std::string_view());
}

// The octets of a member; empty when it is absent or not canonical.
std::string octets_member(const Value& jwk, std::string_view name) {
  std::string bytes;
  if (!base::base64url_decode(text_member(jwk, name), bytes)) bytes.clear();
  return bytes;
}

EvpPkeyPtr public_key(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* pkey = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return EvpPkeyPtr(pkey);
}

EvpPkeyPtr rsa_key(const Value& jwk) {
  const std::string n = octets_member(jwk, "n");
  const std::string e = octets_member(jwk, "e");
  if (n.empty() || e.empty() || n.size() > kRsaBitsMax / 8 + 1 || e.size() > 8) return nullptr;
  const BignumPtr modulus(BN_bin2bn(octets(n), static_cast<int>(n.size()), nullptr));
  const BignumPtr exponent(BN_bin2bn(octets(e), static_cast<int>(e.size()), nullptr));
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (modulus == nullptr || exponent == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return public_key("RSA", builder.get());
}

struct Curve {
  std::string_view name;  // as a JWK has it
  const char* group;      // as OpenSSL has it
  std::size_t coordinate_bytes;
};
constexpr Curve kCurves[] = {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};

EvpPkeyPtr ec_key(const Value& jwk) {
  const auto curve = std::ranges::find(kCurves, text_member(jwk, "crv"), &Curve::name);
  if (curve == std::end(kCurves)) return nullptr;
  const std::string x = octets_member(jwk, "x");
  const std::string y = octets_member(jwk, "y");
  if (x.size() != curve->coordinate_bytes || y.size() != curve->coordinate_bytes) return nullptr;
  const std::string point = "\x04" + x + y;  // 4: both coordinates follow
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  return public_key("EC", builder.get());
}

EvpPkeyPtr ed25519_key(const Value& jwk) {
  const std::string x = octets_member(jwk, "x");
  if (text_member(jwk, "crv") != "Ed25519" || x.size() != 32) return nullptr;
  return EvpPkeyPtr(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(x), x.size()));
}

Result<std::shared_ptr<const KeyMaterial>> material_from_jwk(const Value& jwk) {
  const std::string_view type = text_member(jwk, "kty");
  EvpPkeyPtr pkey;
  if (type == "RSA") {
    pkey = rsa_key(jwk);
  } else if (type == "EC") {
    pkey = ec_key(jwk);
  } else if (type == "OKP") {
    pkey = ed25519_key(jwk);
  } else if (type == "oct") {
    auto material = std::make_shared<KeyMaterial>();
    material->secret = octets_member(jwk, "k");
    material->has_private = true;
    if (material->secret.empty() || material->secret.size() > kSecretBytesMax) {
      return refused("a secret that is missing, not base64url, or over 4096 bytes");
    }
    return std::shared_ptr<const KeyMaterial>(std::move(material));
  } else {
    return refused("a kty other than RSA, EC, OKP and oct");
  }
  if (pkey == nullptr) return refused("a member of the key is missing or wrong");
  return material_of(std::move(pkey), false);
}

// Not for encryption only.
bool meant_for_signatures(const Value& jwk) {
  if (const Value* use = jwk.find("use"); use != nullptr && use->as_string() != "sig") return false;
  const Value* operations = jwk.find("key_ops");
  if (operations == nullptr) return true;
  return std::ranges::any_of(operations->items(), [](const Value& each) { return each.as_string() == "verify"; });
}

}  // namespace

Result<Key> key_from_jwk(const Value& jwk, KeyOptions options) {
  const ErrorQueueGuard errors;
  if (!jwk.is_object()) return refused("a JWK is an object");
  if (!meant_for_signatures(jwk)) return refused("a key that is not for signatures");
  Result<std::shared_ptr<const KeyMaterial>> material = material_from_jwk(jwk);
  if (!material.ok()) return material.status();
  const KeyKind kind = (*material)->kind;
  AlgorithmSet allowed = options.algorithms.empty() ? default_algorithms(kind) : options.algorithms;
  if (const Value* own = jwk.find("alg")) {
    const std::optional<Algorithm> algorithm = algorithm_named(own->as_string().value_or(std::string_view()));
    if (!algorithm) return refused("an alg that is no signature algorithm");
    // Who publishes the key knows better than our defaults, but not better than our configuration.
    const AlgorithmSet only{*algorithm};
    allowed = options.algorithms.empty() ? only : allowed & only;
  }
  options.algorithms = allowed & possible_algorithms(kind);
  if (options.algorithms.empty()) return refused("a key for no algorithm that is allowed");
  if (const Value* kid = jwk.find("kid")) {
    if (!kid->is_string()) return refused("a kid that is no string");
    options.kid = *kid->as_string();
  }
  return Key::from_material(std::move(*material), std::move(options));
}

Result<ParsedKeySet> parse_key_set(std::string_view json, AlgorithmSet algorithms) {
  if (json.size() > kKeySetBytesMax) return refused("a key set of more than 64 KB");
  Value set;
  if (parse_strict_object(json, set) != StrictJsonError::kOk) {
    return refused("a key set that is no JSON object, or has a member twice");
  }
  const Value* const keys = set.find("keys");
  if (keys == nullptr || !keys->is_array()) return refused("a key set without an array \"keys\"");
  if (keys->size() > kKeysPerSetMax) return refused("a key set of more than 100 keys");
  ParsedKeySet parsed;
  for (std::size_t at = 0; at < keys->size(); ++at) {
    const Value& jwk = (*keys)[at];
    const bool secret = text_member(jwk, "kty") == "oct";
    Result<Key> key = secret ? Result<Key>(refused("a secret, which no published set may have"))
                             : key_from_jwk(jwk, {.algorithms = algorithms});
    if (!key.ok()) {
      parsed.skipped.push_back("key " + std::to_string(at) + ": " + key.status().message());
      continue;
    }
    const auto same_name = [&key](const Key& other) { return !other.kid().empty() && other.kid() == key->kid(); };
    if (std::ranges::any_of(parsed.keys, same_name)) return refused("a key set with the same kid twice");
    parsed.keys.push_back(std::move(*key));
  }
  if (parsed.keys.empty()) return refused("a key set without a key that can be used");
  return parsed;
}

}  // namespace tidewire::auth
