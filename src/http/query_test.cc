#include "http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::http {
namespace {

TEST(Query, FindsDecodedValues) {
  const Query query("EIO=4&transport=polling&token=a%20b+c%2B&%73id=x&flag&empty=");
  EXPECT_EQ(query.raw("EIO"), "4");
  EXPECT_EQ(query.value("token"), "a b c+");
  EXPECT_EQ(query.value("sid"), "x");
  EXPECT_TRUE(query.has("flag"));
  EXPECT_EQ(query.value("flag"), "");
  EXPECT_EQ(query.raw("empty"), "");
  EXPECT_FALSE(query.has("si"));
  EXPECT_FALSE(query.has("sidx"));
  EXPECT_EQ(query.raw("none"), std::nullopt);
}

TEST(Query, TheLastValueWins) {
  EXPECT_EQ(Query("a=1&b=2&a=3").raw("a"), "3");
  EXPECT_EQ(Query("a=1&%61=4").raw("a"), "4");
}

TEST(Query, ToleratesWhatNodeTolerates) {
  EXPECT_EQ(Query("a=%ZZ%4").value("a"), "%ZZ%4");
  EXPECT_EQ(Query("&&a=1&&").raw("a"), "1");
  EXPECT_EQ(Query("a=b=c").raw("a"), "b=c");
  EXPECT_EQ(Query("=x").raw(""), "x");
  EXPECT_FALSE(Query("").has(""));
}

TEST(Query, LooksAtSoManyPairs) {
  std::string text;
  for (std::size_t i = 0; i < kQueryPairsMax; ++i) text += "a&";
  EXPECT_FALSE(Query(text + "last").has("last"));
  EXPECT_TRUE(Query(text.substr(2) + "last").has("last"));
}

TEST(Path, IsDecodedOrLeftAlone) {
  std::string out = "x";
  EXPECT_TRUE(decode_path("/a%2Fb+c%C3%A9", out));
  EXPECT_EQ(out, "x/a/b+c\xc3\xa9");
  EXPECT_FALSE(decode_path("/a%2", out));
  EXPECT_EQ(out, "x/a/b+c\xc3\xa9");
}

}  // namespace
}  // namespace tidewire::http
