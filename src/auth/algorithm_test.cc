#include "auth/algorithm.h"

#include <gtest/gtest.h>

#include "auth/test_tokens.h"

namespace tidewire::auth {
namespace {

TEST(Algorithm, NamesReadBackExactly) {
  for (const Algorithm each : kAllAlgorithms) EXPECT_EQ(algorithm_named(name(each)), each) << name(each);
  EXPECT_EQ(name(Algorithm::kEs384), "ES384");
  for (const std::string_view bad :
       {"", "none", "None", "hs256", "HS256 ", " HS256", "HS2560", "ES256K", "EDDSA", "Ed25519", "RSA-OAEP"}) {
    EXPECT_EQ(algorithm_named(bad), std::nullopt) << bad;
  }
}

TEST(AlgorithmSet, HoldsWhatWasAdded) {
  AlgorithmSet set{Algorithm::kRs256, Algorithm::kEdDsa};
  EXPECT_TRUE(set.contains(Algorithm::kEdDsa));
  EXPECT_FALSE(set.contains(Algorithm::kHs256));
  EXPECT_TRUE(set.contains(AlgorithmSet{Algorithm::kRs256}));
  EXPECT_FALSE(set.contains(AlgorithmSet{Algorithm::kRs256, Algorithm::kHs256}));
  EXPECT_EQ((set & AlgorithmSet{Algorithm::kHs256, Algorithm::kRs256}), AlgorithmSet{Algorithm::kRs256});
  EXPECT_TRUE((set & AlgorithmSet{Algorithm::kHs256}).empty());
}

}  // namespace
}  // namespace tidewire::auth
