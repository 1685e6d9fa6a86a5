#include "server/header_values.h"

#include <gtest/gtest.h>

namespace tidewire::server {
namespace {

TEST(HeaderValues, ABearerTokenHasTheSchemeInAnyCase) {
  EXPECT_EQ(bearer_token("Bearer abc"), "abc");
  EXPECT_EQ(bearer_token("bEARER   abc "), "abc");
  for (const std::string_view other : {"", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc"}) EXPECT_EQ(bearer_token(other), "") << other;
}

TEST(HeaderValues, AHostStandsBeforeThePort) {
  EXPECT_EQ(host_name("localhost:4000"), "localhost");
  EXPECT_EQ(host_name("localhost"), "localhost");
  EXPECT_EQ(host_name("[::1]:4000"), "::1");
  EXPECT_EQ(host_name("[::1]"), "::1");
  EXPECT_EQ(host_name("[::1"), "");
  EXPECT_EQ(host_name(""), "");
}

TEST(HeaderValues, HostsAreComparedWithoutCaseAndLastDot) {
  EXPECT_EQ(comparable_host("ACME.Example.:4000"), "acme.example");
  EXPECT_EQ(comparable_host("acme.example"), "acme.example");
  EXPECT_NE(comparable_host("acme.example"), comparable_host("acme.example.org"));
}

TEST(HeaderValues, ACookieIsFoundByItsWholeName) {
  EXPECT_EQ(cookie_value("a=1; token=abc=; b=2", "token"), "abc=");
  EXPECT_EQ(cookie_value("mytoken=1;token=2", "token"), "2");
  EXPECT_EQ(cookie_value("token", "token"), "");
  EXPECT_EQ(cookie_value("", "token"), "");
}

}  // namespace
}  // namespace tidewire::server
