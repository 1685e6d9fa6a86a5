#include "engineio/sid.h"

#include <gtest/gtest.h>

#include <set>

namespace tidewire::engineio {
namespace {

TEST(Sid, NamesItsShardAndSurvivesTheWayThroughText) {
  base::SystemRandom random;
  SidSource source(random, 7);
  const Sid sid = source.next();
  EXPECT_EQ(shard_of(sid), 7u);
  const std::string text = sid_text(sid);
  EXPECT_EQ(text.size(), 20u);
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
  EXPECT_EQ(parse_sid(text), sid);
}

TEST(Sid, IsUniqueEvenIfTheRandomSourceRepeatsItself) {
  struct Stuck final : base::Random {
    void fill(std::span<unsigned char> bytes) override { std::fill(bytes.begin(), bytes.end(), 0x5a); }
  } stuck;
  SidSource source(stuck, 0);
  std::set<Sid> seen;
  for (int i = 0; i < 65'536; ++i) EXPECT_TRUE(seen.insert(source.next()).second);
}

TEST(Sid, OnlyItsOwnFormIsParsed) {
  for (const char* text : {"", "__proto__", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAA+", "AAAAAAAAAAAAAAAAAAA="}) {
    EXPECT_EQ(parse_sid(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tidewire::engineio
