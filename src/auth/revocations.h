// auth/revocations.h - tokens and users that are no longer to be believed, until their tokens would have expired anyway.
//
//   token id -> until                          that one token
//   user id  -> issued before, until           every token of the user that is older; a new sign-in is good
//
// An id counts for every issuer, rather one token too many than one too few, and for one tenant or for all of them. A token of a revoked user that does not say
// when it was issued is revoked too.
// Full: the entry that would end soonest goes, which its owner hears (kDroppedOne): that is the revocation that has least
// left to do. Refusing the new one instead would let a flood of old ones keep the newest from taking effect.
// No clock inside: entries end when expire() says so. Threads: one table, one thread; a shard has a copy of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/string_map.h"
#include "tidewire/identity.h"

namespace tidewire::auth {

inline constexpr std::size_t kRevocationsMax = 100'000;

class Revocations {
 public:
  enum class [[nodiscard]] Outcome : std::uint8_t {
    kAdded,
    kDroppedOne,   // added; another that would have ended sooner was dropped
    kNotKept,      // full of entries that end later
    kImpossibleId, // empty, or longer than any identity's
  };

  explicit Revocations(std::size_t capacity = kRevocationsMax) : capacity_(capacity) {}

  // Whose ids are meant: those of one tenant ("": of none), or everybody's.
  using Scope = std::optional<std::string_view>;
  static constexpr Scope kEverybody = std::nullopt;

  // Seconds since 1970 throughout. Said twice, the later time counts.
  Outcome revoke_token(Scope tenant, std::string_view token_id, std::int64_t until_s);
  Outcome revoke_user(Scope tenant, std::string_view user_id, std::int64_t issued_before_s, std::int64_t until_s);
  bool is_revoked(const Identity& identity) const;

  // Forgets the entries that ended at now_s or before; how many.
  std::size_t expire(std::int64_t now_s);
  std::size_t size() const noexcept { return tokens_.size() + users_.size(); }

 private:
  struct Entry {
    std::int64_t until_s = 0;
    std::int64_t issued_before_s = 0;  // of a user
  };
  using Table = base::StringMap<Entry>;
  enum class Kind : std::uint8_t { kToken, kUser };
  struct End {
    std::int64_t until_s;
    Kind kind;
    std::string key;
    friend auto operator<=>(const End&, const End&) = default;
  };

  Table& table(Kind kind) noexcept { return kind == Kind::kToken ? tokens_ : users_; }
  static std::string key_of(Scope tenant, std::string_view id);
  bool is_revoked(Scope tenant, const Identity& identity) const;
  Outcome revoke(Kind kind, std::string_view key, Entry entry);
  void drop_soonest();

  const std::size_t capacity_;
  Table tokens_;
  Table users_;
  std::set<End> ends_;  // one for each entry of both tables
};

}  // namespace tidewire::auth
