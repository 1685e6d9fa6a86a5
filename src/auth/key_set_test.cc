#include "auth/key_set.h"

#include <gtest/gtest.h>

#include "auth/test_tokens.h"

namespace tidewire::auth {
namespace {

constexpr Algorithm kHs = Algorithm::kHs256;
constexpr Algorithm kEs = Algorithm::kEs256;

Key secret(std::string kid) { return test_key(kHs, std::move(kid)); }

std::vector<std::string> names(const KeySet::Candidates& candidates) {
  std::vector<std::string> list;
  for (const Key* key : candidates.keys) list.push_back(key->kid());
  return list;
}

TEST(KeySet, ANamedKeyIsTheOnlyOneAsked) {
  const Result<KeySet> set = KeySet::of({secret("a"), secret("b"), secret(""), test_key(kEs, "e")});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(names(set->candidates("b", kHs)), std::vector<std::string>{"b"});
  EXPECT_TRUE(set->candidates("b", kHs).kid_known);
  EXPECT_TRUE(set->candidates("e", kHs).keys.empty()) << "of another algorithm";
  EXPECT_TRUE(set->candidates("e", kHs).kid_known);
}

TEST(KeySet, AnUnknownNameIsAskedOfTheNamelessOnly) {
  const Result<KeySet> set = KeySet::of({secret("a"), secret(""), test_key(kEs)});
  for (const std::string_view kid : {"x", "", "A", "a ", "a\n", "../a", "' OR '1'='1"}) {
    EXPECT_EQ(names(set->candidates(kid, kHs)), std::vector<std::string>{""}) << kid;
    EXPECT_FALSE(set->candidates(kid, kHs).kid_known) << kid;
  }
  EXPECT_TRUE(KeySet::of({secret("a")})->candidates("x", kHs).keys.empty());
  EXPECT_TRUE(KeySet::of({secret("a")})->candidates(std::string_view("a\0", 2), kHs).keys.empty());
}

TEST(KeySet, WithoutANameAllOfTheAlgorithmAreAskedUpToABound) {
  const Result<KeySet> few = KeySet::of({secret("a"), test_key(kEs, "e"), secret("")});
  EXPECT_EQ(names(few->candidates(std::nullopt, kHs)), (std::vector<std::string>{"a", ""}));
  std::vector<Key> many;
  for (std::size_t i = 0; i < kKeysPerSetMax; ++i) many.push_back(secret(std::to_string(i)));
  const Result<KeySet> set = KeySet::of(many);
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->candidates(std::nullopt, kHs).keys.size(), kKeysTriedMax);
  EXPECT_EQ(names(set->candidates("99", kHs)), std::vector<std::string>{"99"}) << "a name finds the last one too";
  many.push_back(secret("more"));
  EXPECT_FALSE(KeySet::of(many).ok());
}

TEST(KeySet, RefusesTwoOfOneName) {
  EXPECT_FALSE(KeySet::of({secret("a"), test_key(kEs, "a")}).ok());
  EXPECT_TRUE(KeySet::of({secret(""), test_key(kEs, "")}).ok());
  EXPECT_TRUE(KeySet().candidates("a", kHs).keys.empty());
}

}  // namespace
}  // namespace tidewire::auth
