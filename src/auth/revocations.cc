#include "auth/revocations.h"

#include <algorithm>

namespace tidewire::auth {

Revocations::Outcome Revocations::revoke_token(std::string_view token_id, std::int64_t until_s) {
  if (token_id.empty() || token_id.size() > Identity::kLabelBytesMax) return Outcome::kImpossibleId;
  return revoke(Kind::kToken, token_id, {.until_s = until_s});
}

Revocations::Outcome Revocations::revoke_user(std::string_view user_id, std::int64_t issued_before_s,
                                              std::int64_t until_s) {
  if (user_id.empty() || user_id.size() > Identity::kTextBytesMax) return Outcome::kImpossibleId;
  return revoke(Kind::kUser, user_id, {.until_s = until_s, .issued_before_s = issued_before_s});
}

bool Revocations::is_revoked(const Identity& identity) const {
  if (tokens_.contains(std::string_view(identity.token_id))) return true;
  const auto user = users_.find(std::string_view(identity.user_id));
  if (user == users_.end()) return false;
  return !identity.issued_at_s || *identity.issued_at_s < user->second.issued_before_s;
}

std::size_t Revocations::expire(std::int64_t now_s) {
  std::size_t forgotten = 0;
  for (; !ends_.empty() && ends_.begin()->until_s <= now_s; ++forgotten) drop_soonest();
  return forgotten;
}

Revocations::Outcome Revocations::revoke(Kind kind, std::string_view id, Entry entry) {
  if (const auto known = table(kind).find(id); known != table(kind).end()) {
    Entry& old = known->second;
    ends_.erase({.until_s = old.until_s, .kind = kind, .id = known->first});
    old.until_s = std::max(old.until_s, entry.until_s);
    old.issued_before_s = std::max(old.issued_before_s, entry.issued_before_s);
    ends_.insert({.until_s = old.until_s, .kind = kind, .id = known->first});
    return Outcome::kAdded;
  }
  const bool full = size() >= capacity_;
  if (full && (ends_.empty() || entry.until_s <= ends_.begin()->until_s)) return Outcome::kNotKept;
  if (full) drop_soonest();
  table(kind).emplace(std::string(id), entry);
  ends_.insert({.until_s = entry.until_s, .kind = kind, .id = std::string(id)});
  return full ? Outcome::kDroppedOne : Outcome::kAdded;
}

void Revocations::drop_soonest() {
  const auto soonest = ends_.begin();
  table(soonest->kind).erase(soonest->id);
  ends_.erase(soonest);
}

}  // namespace tidewire::auth
