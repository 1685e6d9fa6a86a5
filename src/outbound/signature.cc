#include "outbound/signature.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

#include "base/assert.h"
#include "outbound/hex.h"

namespace tidewire::outbound {

Status check_secret(std::string_view secret) {
  if (secret.size() >= kSecretBytesMin) return {};
  return {StatusCode::kInvalidArgument, "the secret needs at least " + std::to_string(kSecretBytesMin) + " bytes"};
}

std::string sign(std::string_view secret, std::string_view timestamp, std::string_view body) {
  std::string text;
  text.reserve(timestamp.size() + 1 + body.size());
  text.append(timestamp).append(1, '.').append(body);
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  TW_ASSERT(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()),
                 text.size(), digest.data(), &size) != nullptr);
  TW_ASSERT(size == digest.size());
  return "v1=" + hex(digest);
}

bool verify_signature(std::string_view secret, std::string_view timestamp, std::string_view signature, std::string_view body,
                      std::int64_t now_s, std::int64_t tolerance_s) {
  std::int64_t sent_s = 0;
  const char* const end = timestamp.data() + timestamp.size();
  if (const auto [stopped, error] = std::from_chars(timestamp.data(), end, sent_s); error != std::errc() || stopped != end) return false;
  if (sent_s < now_s - tolerance_s || sent_s > now_s + tolerance_s) return false;
  const std::string expected = sign(secret, timestamp, body);
  return signature.size() == expected.size() && CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

std::vector<Header> signed_headers(std::string_view secret, std::int64_t unix_ms, std::string_view body) {
  const std::string timestamp = std::to_string(unix_ms / 1'000);
  return {{"Content-Type", "application/json"},
          {"User-Agent", "tidewire/" TIDEWIRE_VERSION},
          {"Tidewire-Timestamp", timestamp},
          {"Tidewire-Signature", sign(secret, timestamp, body)}};
}

}  // namespace tidewire::outbound
