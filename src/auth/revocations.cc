#include "auth/revocations.h"

#include <algorithm>

namespace tidewire::auth {

Revocations::Outcome Revocations::revoke_token(Scope tenant, std::string_view token_id, std::int64_t until_s) {
  if (token_id.empty() || token_id.size() > Identity::kLabelBytesMax) return Outcome::kImpossibleId;
  return revoke(Kind::kToken, key_of(tenant, token_id), {.until_s = until_s});
}

Revocations::Outcome Revocations::revoke_user(Scope tenant, std::string_view user_id, std::int64_t issued_before_s,
                                              std::int64_t until_s) {
  if (user_id.empty() || user_id.size() > Identity::kTextBytesMax) return Outcome::kImpossibleId;
  return revoke(Kind::kUser, key_of(tenant, user_id), {.until_s = until_s, .issued_before_s = issued_before_s});
}

// With its length in front, no tenant and id together look like others.
std::string Revocations::key_of(Scope tenant, std::string_view id) {
  if (!tenant) return std::string("*").append(id);
  return std::to_string(tenant->size()).append(1, ':').append(*tenant).append(id);
}

bool Revocations::is_revoked(const Identity& identity) const {
  if (size() == 0) return false;
  return is_revoked(kEverybody, identity) || is_revoked(Scope(identity.tenant), identity);
}

bool Revocations::is_revoked(Scope tenant, const Identity& identity) const {
  if (!identity.token_id.empty() && tokens_.contains(key_of(tenant, identity.token_id))) return true;
  const auto user = users_.find(key_of(tenant, identity.user_id));
  if (user == users_.end()) return false;
  return !identity.issued_at_s || *identity.issued_at_s < user->second.issued_before_s;
}

std::size_t Revocations::expire(std::int64_t now_s) {
  std::size_t forgotten = 0;
  for (; !ends_.empty() && ends_.begin()->until_s <= now_s; ++forgotten) drop_soonest();
  return forgotten;
}

Revocations::Outcome Revocations::revoke(Kind kind, std::string_view key, Entry entry) {
  if (const auto known = table(kind).find(key); known != table(kind).end()) {
    Entry& old = known->second;
    ends_.erase({.until_s = old.until_s, .kind = kind, .key = known->first});
    old.until_s = std::max(old.until_s, entry.until_s);
    old.issued_before_s = std::max(old.issued_before_s, entry.issued_before_s);
    ends_.insert({.until_s = old.until_s, .kind = kind, .key = known->first});
    return Outcome::kAdded;
  }
  const bool full = size() >= capacity_;
  if (full && (ends_.empty() || entry.until_s <= ends_.begin()->until_s)) return Outcome::kNotKept;
  if (full) drop_soonest();
  table(kind).emplace(std::string(key), entry);
  ends_.insert({.until_s = entry.until_s, .kind = kind, .key = std::string(key)});
  return full ? Outcome::kDroppedOne : Outcome::kAdded;
}

void Revocations::drop_soonest() {
  const auto soonest = ends_.begin();
  table(soonest->kind).erase(soonest->key);
  ends_.erase(soonest);
}

}  // namespace tidewire::auth
