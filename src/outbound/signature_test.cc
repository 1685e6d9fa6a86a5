#include "outbound/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::outbound {
namespace {

constexpr std::string_view kSecret = "a secret of sixteen";
constexpr std::string_view kStamp = "1700000000";
constexpr std::string_view kBody = "{\"id\":\"x\"}";
constexpr std::int64_t kNow = 1'700'000'000;

TEST(Signature, IsWhatPythonsHmacComputes) {
  EXPECT_EQ(sign(kSecret, kStamp, kBody), "v1=8a3d8bed95cfefeebeb31d8e87f154500dc86fd83c31e539950f9835f3794940");
}

TEST(Signature, OfItsOwnMakingIsGood) {
  EXPECT_TRUE(verify_signature(kSecret, kStamp, sign(kSecret, kStamp, kBody), kBody, kNow));
}

TEST(Signature, OfAnotherBodySecretOrTimeIsNot) {
  const std::string good = sign(kSecret, kStamp, kBody);
  EXPECT_FALSE(verify_signature(kSecret, kStamp, good, "{\"id\":\"y\"}", kNow));
  EXPECT_FALSE(verify_signature("another secret, long", kStamp, good, kBody, kNow));
  EXPECT_FALSE(verify_signature(kSecret, "1700000001", good, kBody, kNow));
  EXPECT_FALSE(verify_signature(kSecret, kStamp, good.substr(0, good.size() - 1), kBody, kNow));
  EXPECT_FALSE(verify_signature(kSecret, kStamp, good + "0", kBody, kNow));
  EXPECT_FALSE(verify_signature(kSecret, kStamp, "", kBody, kNow));
}

TEST(Signature, IsGoodForSoLong) {
  const std::string good = sign(kSecret, kStamp, kBody);
  EXPECT_TRUE(verify_signature(kSecret, kStamp, good, kBody, kNow + 300));
  EXPECT_TRUE(verify_signature(kSecret, kStamp, good, kBody, kNow - 300));
  EXPECT_FALSE(verify_signature(kSecret, kStamp, good, kBody, kNow + 301));
  EXPECT_FALSE(verify_signature(kSecret, kStamp, good, kBody, kNow - 301));
}

TEST(Signature, NeedsATimestampThatIsANumber) {
  for (const char* stamp : {"", "x", "1700000000x", " 1700000000", "99999999999999999999"}) {
    EXPECT_FALSE(verify_signature(kSecret, stamp, sign(kSecret, stamp, kBody), kBody, kNow)) << stamp;
  }
}

TEST(Secret, HasALengthBelowWhichItIsNone) {
  EXPECT_FALSE(check_secret(std::string(kSecretBytesMin - 1, 's')).ok());
  EXPECT_TRUE(check_secret(std::string(kSecretBytesMin, 's')).ok());
}

TEST(SignedHeaders, AreMadeByTheServerAlone) {
  std::vector<std::string> names;
  for (const Header& header : signed_headers(kSecret, kNow * 1'000 + 999, kBody)) names.push_back(header.name);
  EXPECT_THAT(names, ::testing::ElementsAre("Content-Type", "User-Agent", "Tidewire-Timestamp", "Tidewire-Signature"));
}

}  // namespace
}  // namespace tidewire::outbound
