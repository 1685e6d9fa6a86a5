#include "auth/revocations.h"

#include <gtest/gtest.h>

namespace tidewire::auth {
namespace {

using Outcome = Revocations::Outcome;

Identity identity(std::string user_id, std::string token_id = {}, std::optional<std::int64_t> issued_at_s = {}) {
  Identity made;
  made.user_id = std::move(user_id);
  made.token_id = std::move(token_id);
  made.issued_at_s = issued_at_s;
  return made;
}

TEST(Revocations, OfATokenHoldUntilTheyEnd) {
  Revocations revocations;
  EXPECT_FALSE(revocations.is_revoked(identity("u", "t")));
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "t", 100), Outcome::kAdded);
  EXPECT_TRUE(revocations.is_revoked(identity("u", "t")));
  EXPECT_FALSE(revocations.is_revoked(identity("u", "T")));
  EXPECT_FALSE(revocations.is_revoked(identity("t", "u"))) << "a user of that name";
  EXPECT_FALSE(revocations.is_revoked(identity("", "")));
  EXPECT_EQ(revocations.expire(99), 0u);
  EXPECT_TRUE(revocations.is_revoked(identity("u", "t")));
  EXPECT_EQ(revocations.expire(100), 1u);
  EXPECT_FALSE(revocations.is_revoked(identity("u", "t")));
  EXPECT_EQ(revocations.size(), 0u);
}

TEST(Revocations, OfAUserHoldForTokensIssuedBefore) {
  Revocations revocations;
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "u", 50, 100), Outcome::kAdded);
  EXPECT_TRUE(revocations.is_revoked(identity("u", "t", 49)));
  EXPECT_FALSE(revocations.is_revoked(identity("u", "t", 50)));
  EXPECT_TRUE(revocations.is_revoked(identity("u", "t"))) << "who does not say when is not believed to be newer";
  EXPECT_FALSE(revocations.is_revoked(identity("v", "u", 49)));
}

TEST(Revocations, OfOneTenantHoldThereOnly) {
  const auto of = [](std::string tenant, std::string user, std::string token) {
    Identity made = identity(std::move(user), std::move(token), 1);
    made.tenant = std::move(tenant);
    return made;
  };
  Revocations revocations;
  EXPECT_EQ(revocations.revoke_user("acme", "ada", 50, 100), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_token("acme", "t", 100), Outcome::kAdded);
  EXPECT_TRUE(revocations.is_revoked(of("acme", "ada", "")));
  EXPECT_TRUE(revocations.is_revoked(of("acme", "bob", "t")));
  for (const char* other : {"", "acm", "acmea", "*"}) {
    EXPECT_FALSE(revocations.is_revoked(of(other, "ada", "t"))) << other;
    EXPECT_FALSE(revocations.is_revoked(of(other, "eada", "et"))) << other;
  }
  EXPECT_EQ(revocations.revoke_user("", "bob", 50, 100), Outcome::kAdded);
  EXPECT_TRUE(revocations.is_revoked(of("", "bob", "")));
  EXPECT_FALSE(revocations.is_revoked(of("acme", "bob", ""))) << "nobody's bob is another";
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "bob", 50, 100), Outcome::kAdded);
  EXPECT_TRUE(revocations.is_revoked(of("acme", "bob", "")));
  EXPECT_EQ(revocations.expire(100), 4u);
}

TEST(Revocations, SaidTwiceTheLaterTimeCounts) {
  Revocations revocations;
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "t", 100), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "t", 50), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "u", 70, 90), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "u", 60, 100), Outcome::kAdded);
  EXPECT_EQ(revocations.size(), 2u);
  EXPECT_EQ(revocations.expire(99), 0u);
  EXPECT_TRUE(revocations.is_revoked(identity("u", "", 69)));
  EXPECT_EQ(revocations.expire(100), 2u);
}

TEST(Revocations, WhenFullTheOneThatEndsSoonestGoes) {
  Revocations revocations(3);
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "late", 300), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "soon", 1, 100), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "middle", 200), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "sooner", 100), Outcome::kNotKept);
  EXPECT_FALSE(revocations.is_revoked(identity("x", "sooner")));
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "later", 101), Outcome::kDroppedOne);
  EXPECT_FALSE(revocations.is_revoked(identity("soon")));
  EXPECT_TRUE(revocations.is_revoked(identity("x", "later")));
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "late", 400), Outcome::kAdded) << "no new entry, no need to drop one";
  EXPECT_EQ(revocations.size(), 3u);
  EXPECT_EQ(Revocations(0).revoke_token(Revocations::kEverybody, "t", 1), Outcome::kNotKept);
}

TEST(Revocations, HoldAsManyAsTheyMay) {
  Revocations revocations;
  for (std::size_t i = 0; i < kRevocationsMax; ++i) {
    ASSERT_EQ(revocations.revoke_token(Revocations::kEverybody, std::to_string(i), static_cast<std::int64_t>(1000 + i)), Outcome::kAdded);
  }
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "u", 1, 2000), Outcome::kDroppedOne);
  EXPECT_EQ(revocations.size(), kRevocationsMax);
  EXPECT_FALSE(revocations.is_revoked(identity("x", "0")));
  EXPECT_TRUE(revocations.is_revoked(identity("x", "1")));
  EXPECT_EQ(revocations.expire(1'000'000), kRevocationsMax);
}

TEST(Revocations, RefuseIdsThatNoIdentityHas) {
  Revocations revocations;
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, "", 1), Outcome::kImpossibleId);
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, "", 1, 1), Outcome::kImpossibleId);
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, std::string(256, 't'), 1), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_token(Revocations::kEverybody, std::string(257, 't'), 1), Outcome::kImpossibleId);
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, std::string(128, 'u'), 1, 1), Outcome::kAdded);
  EXPECT_EQ(revocations.revoke_user(Revocations::kEverybody, std::string(129, 'u'), 1, 1), Outcome::kImpossibleId);
}

}  // namespace
}  // namespace tidewire::auth
