#include "net/address.h"

#include <gtest/gtest.h>

namespace tidewire::net {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = Address::parse_ip(text, 4000);
  return address ? address->text() : "none";
}

bool inside(std::string_view network, std::string_view address) {
  return Network::parse(network)->contains(*Address::parse_ip(address));
}

TEST(Address, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(round_trip("127.0.0.1"), "127.0.0.1:4000");
  EXPECT_EQ(round_trip("::1"), "[::1]:4000");
  EXPECT_EQ(round_trip("2001:DB8:0:0::7"), "[2001:db8::7]:4000");
  EXPECT_EQ(round_trip("::ffff:10.0.0.7"), "10.0.0.7:4000");
}

TEST(Address, KnowsAnIpv4MappedAddressAsIpv4) {
  EXPECT_TRUE(Address::parse_ip("::ffff:10.0.0.7")->is_v4());
  EXPECT_EQ(Address::parse_ip("::ffff:10.0.0.7"), Address::parse_ip("10.0.0.7"));
  EXPECT_FALSE(Address::parse_ip("::10.0.0.7")->is_v4());
}

TEST(Address, RefusesWhatIsNoLiteral) {
  for (const std::string_view text : {"", "localhost", "127.0.0.1:80", "[::1]", "1.2.3", "1.2.3.256", "01.2.3.4.5", ":::",
                                      "12345::", " ::1", "::1 ", "fe80::1%eth0"}) {
    EXPECT_EQ(round_trip(text), "none") << text;
  }
  EXPECT_EQ(round_trip(std::string_view("::1\0", 4)), "none");
  EXPECT_EQ(round_trip(std::string(100'000, '1')), "none");
}

TEST(Network, ContainsByPrefix) {
  EXPECT_TRUE(inside("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(inside("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(inside("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(inside("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(inside("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(inside("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, OfOneAddressContainsOnlyThat) {
  EXPECT_TRUE(inside("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(inside("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(inside("::1/128", "::1"));
}

TEST(Network, OfPrefixZeroContainsItsWholeFamily) {
  EXPECT_TRUE(inside("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(inside("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(inside("::/0", "2001:db8::1"));
  EXPECT_TRUE(inside("::/0", "8.8.8.8"));
}

TEST(Network, RefusesAWrongPrefix) {
  for (const std::string_view text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "/8", "10.0.0.0/8/8",
                                      "10.0.0.0/99999999999"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

}  // namespace
}  // namespace tidewire::net
