#include "base/base64.h"

#include <gtest/gtest.h>

#include <array>

namespace tidewire::base {
namespace {

std::string encoded(std::string_view bytes) {
  std::string out(base64_size(bytes.size()), '?');
  base64_encode(bytes, out.data());
  return out;
}

TEST(Base64, WritesTheVectorsOfRfc4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xfb\xff\xfe"), "+//+");
}

TEST(Base64, ReadsBackWhatItWrote) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    std::string back = "kept";
    const std::string text = encoded(bytes);
    ASSERT_TRUE(base64_decode(text, back));
    EXPECT_EQ(back, "kept" + bytes);
    back.clear();
    ASSERT_TRUE(base64_decode(std::string_view(text).substr(0, text.find('=')), back)) << "without padding";
    EXPECT_EQ(back, bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST(Base64, RefusesWhatIsNotCanonicalAndLeavesTheOutputAlone) {
  for (const std::string_view bad :
       {"A",     "=",      "==",   "====", "A===", "AA=", "AAA==", "AAAAA",      "AA=A",     "AA==AAAA", "A A=",
        "AA\n=", "Zg==\n", "Zh==", "Zh",   "Zm9=", "Zm9", "-___",  "\xc3\xa9==", "Zm9v====", "Zm9v!m9v"}) {
    std::string out = "kept";
    EXPECT_FALSE(base64_decode(bad, out)) << bad;
    EXPECT_EQ(out, "kept");
  }
}

TEST(Base64Url, CarriesIdentifiers) {
  std::array<unsigned char, 15> id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<unsigned char>(250 + i);
  std::string text(20, '?');
  base64url_encode(id, text.data());
  EXPECT_EQ(text.find_first_of("+/="), std::string::npos);
  std::array<unsigned char, 15> back{};
  EXPECT_TRUE(base64url_decode(text, back));
  EXPECT_EQ(back, id);
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char bad : {'+', '/', '=', ' ', '\0', '\xff'}) {
      std::string broken = text;
      broken[i] = bad;
      EXPECT_FALSE(base64url_decode(broken, back));
    }
  }
}

TEST(Base64Url, CarriesAnyLengthInOneSpelling) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    const std::string text = base64url_encode(bytes);
    EXPECT_EQ(text.size(), (bytes.size() * 4 + 2) / 3);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos);
    std::string back = "kept";
    ASSERT_TRUE(base64url_decode(text, back));
    EXPECT_EQ(back, "kept" + bytes);
    for (const std::string_view more : {"=", "==", " ", "\n", "."}) {
      EXPECT_FALSE(base64url_decode(text + std::string(more), back)) << text << more;
    }
    EXPECT_EQ(back, "kept" + bytes);
    bytes.push_back(static_cast<char>(i * 7 - 5));
  }
  std::string back;
  for (const std::string_view bad : {"A", "AAAAA", "Zh", "Zm9", "+A", "/w", "Zg==", " Zg", "Z\x7f", "Zm9v\xc3\xa9"}) {
    EXPECT_FALSE(base64url_decode(bad, back)) << bad;
  }
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
}

}  // namespace
}  // namespace tidewire::base
