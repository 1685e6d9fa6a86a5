#include "server/api_idempotency.h"

#include <openssl/sha.h>

#include <utility>

namespace tidewire::server {

ApiIdempotency::Digest ApiIdempotency::digest_of(std::string_view text) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

std::string ApiIdempotency::scoped_key(std::string_view tenant, std::string_view caller, std::string_view key) {
  // Names have no control characters, so that no two of them look like a third.
  std::string scoped(tenant);
  return scoped.append(1, '\0').append(caller).append(1, '\0').append(key);
}

void ApiIdempotency::forget_oldest() {
  entries_.erase(ages_.front().key);
  ages_.pop_front();
}

std::size_t ApiIdempotency::claim(std::span<Claim> claims, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  while (!ages_.empty() && ages_.front().ends_ms <= now_ms) forget_oldest();
  base::StringMap<const Claim*> earlier;  // of this request
  for (std::size_t i = 0; i < claims.size(); ++i) {
    Claim& claim = claims[i];
    if (claim.key.empty()) continue;
    const auto known = entries_.find(claim.key);
    const auto sibling = earlier.find(claim.key);
    if (known != entries_.end()) {
      if (known->second.digest != claim.digest) return i;
      claim.id = known->second.id;
      claim.duplicate = true;
    } else if (sibling != earlier.end()) {
      if (sibling->second->digest != claim.digest) return i;
      claim.id = sibling->second->id;
      claim.duplicate = true;
    } else {
      earlier.emplace(claim.key, &claim);
    }
  }
  for (const Claim& claim : claims) {
    if (claim.key.empty() || claim.duplicate) continue;
    if (entries_.size() >= entries_max_) forget_oldest();
    entries_.emplace(claim.key, Entry{claim.digest, claim.id, now_ms + window_ms_});
    ages_.push_back({claim.key, now_ms + window_ms_});
  }
  return kAllGood;
}

std::size_t ApiIdempotency::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace tidewire::server
