#include "http/forwarded.h"

#include <gtest/gtest.h>

namespace tidewire::http {
namespace {

struct ForwardedTest : testing::Test {
  // Client and scheme as one text: "1.2.3.4:80 https".
  std::string read(std::vector<Header> headers) {
    Request request;
    request.headers = headers;
    const Forwarded forwarded = read_forwarded(request, trusted);
    std::string text = "-";
    if (forwarded.client) text = forwarded.client->port != 0 ? forwarded.client->text() : forwarded.client->ip_text();
    if (forwarded.secure) text += *forwarded.secure ? " https" : " http";
    return text;
  }
  std::vector<net::Network> trusted = {net::Network::parse("10.0.0.0/8").value(), net::Network::parse("fd00::/8").value()};
};

TEST_F(ForwardedTest, TakesTheLastAddressThatIsNoProxyOfOurs) {
  EXPECT_EQ(read({{"X-Forwarded-For", "1.1.1.1, 2.2.2.2, 10.0.0.1"}}), "2.2.2.2");
  EXPECT_EQ(read({{"X-Forwarded-For", "1.1.1.1"}, {"x-forwarded-for", "10.0.0.1,10.0.0.2"}}), "1.1.1.1");
  EXPECT_EQ(read({{"X-Forwarded-For", "10.0.0.1, 10.0.0.2"}}), "10.0.0.1") << "the client is inside";
  EXPECT_EQ(read({}), "-");
}

TEST_F(ForwardedTest, ReadsEveryFormOfAnAddress) {
  EXPECT_EQ(read({{"X-Forwarded-For", "1.2.3.4:80"}}), "1.2.3.4:80");
  EXPECT_EQ(read({{"X-Forwarded-For", "2001:db8::1"}}), "2001:db8::1");
  EXPECT_EQ(read({{"X-Forwarded-For", "[2001:db8::1]:443"}}), "[2001:db8::1]:443");
  EXPECT_EQ(read({{"Forwarded", "for=\"[2001:db8::1]\";proto=https"}}), "2001:db8::1 https");
}

TEST_F(ForwardedTest, StopsAtWhatItCannotRead) {
  EXPECT_EQ(read({{"X-Forwarded-For", "1.1.1.1, unknown"}}), "-");
  EXPECT_EQ(read({{"X-Forwarded-For", "1.1.1.1, example.org, 10.0.0.1"}}), "10.0.0.1");
  for (const char* bad : {"1.2.3.4:", "1.2.3.4:99999", "[::1", "[::1]x", "1.2.3", "", ",", "1.2.3.4 5"}) {
    EXPECT_EQ(read({{"X-Forwarded-For", bad}}), "-") << bad;
  }
  EXPECT_EQ(read({{"Forwarded", "for=_hidden"}}), "-");
  EXPECT_EQ(read({{"Forwarded", ";;=;for"}}), "-");
}

TEST_F(ForwardedTest, ReadsTheSchemeOfTheSameHop) {
  EXPECT_EQ(read({{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-Proto", "http, https"}}), "1.1.1.1 https");
  EXPECT_EQ(read({{"Forwarded", "for=6.6.6.6;proto=https, FOR=1.1.1.1; Proto=http, for=10.0.0.1"}}), "1.1.1.1 http");
}

TEST_F(ForwardedTest, OneHeaderIsEnough) {
  EXPECT_EQ(read({{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "1.1.1.1"}}), "1.1.1.1");
}

}  // namespace
}  // namespace tidewire::http
