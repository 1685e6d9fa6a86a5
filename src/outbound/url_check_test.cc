#include "outbound/url_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::outbound {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string complaint(std::string_view url, UrlRules rules = {}) { return check_url(url, rules).message(); }

TEST(UrlCheck, LetsHttpsPass) {
  for (const char* url : {"https://example.com", "https://example.com/hook?key=1", "https://example.com:8443/", "https://[2001:db8::1]/",
                          "https://10.0.0.7/hook", "HTTPS://Example.com/"}) {
    EXPECT_EQ(complaint(url), "") << url;
  }
}

TEST(UrlCheck, LetsHttpPassToThisMachineOnly) {
  for (const char* url : {"http://localhost:3000/hook", "http://LocalHost/", "http://127.0.0.1:3000", "http://127.9.9.9/", "http://[::1]:80/",
                          "http://127.1/" /* libcurl reads 127.0.0.1 */}) {
    EXPECT_EQ(complaint(url), "") << url;
  }
  for (const char* url : {"http://example.com/", "http://10.0.0.7/", "http://128.0.0.1/", "http://localhost.example.com/",
                          "http://127.0.0.1.example.com/", "http://[::2]/", "http://0.0.0.0/", "http://localhostx/"}) {
    EXPECT_THAT(complaint(url), HasSubstr("plain http is only for this machine")) << url;
    EXPECT_EQ(complaint(url, {.allow_http = true}), "") << url;
  }
}

TEST(UrlCheck, RefusesOtherSchemes) {
  for (const char* url : {"file:///etc/passwd", "data:text/plain,hi", "ftp://example.com/", "gopher://example.com/", "dict://localhost/",
                          "javascript:alert(1)", "example.com/hook", "//example.com/hook", "/hook", "unix:///run/socket"}) {
    EXPECT_FALSE(check_url(url, {.allow_http = true}).ok()) << url;
  }
  EXPECT_THAT(complaint("file:///etc/passwd"), HasSubstr("must begin with https://"));
}

TEST(UrlCheck, RefusesCredentialsAndFragments) {
  EXPECT_THAT(complaint("https://ada:secret@example.com/"), HasSubstr("user name or password"));
  EXPECT_THAT(complaint("https://ada@example.com/"), HasSubstr("user name or password"));
  EXPECT_THAT(complaint("http://localhost@example.com/", {.allow_http = true}), HasSubstr("user name or password"));
  EXPECT_THAT(complaint("https://example.com/#part"), HasSubstr("fragment"));
}

TEST(UrlCheck, RefusesWhatIsNoUrl) {
  EXPECT_THAT(complaint(""), HasSubstr("empty"));
  EXPECT_THAT(complaint("https://"), HasSubstr("host"));
  EXPECT_THAT(complaint("https://example.com:0/"), HasSubstr("port"));
  EXPECT_THAT(complaint("https://example.com:65536/"), HasSubstr("port"));
  EXPECT_THAT(complaint("https://[::1/"), HasSubstr("host"));
  EXPECT_THAT(complaint("https://example.com/a b"), HasSubstr("blanks"));
  EXPECT_THAT(complaint("https://example.com/\r\nX: y"), HasSubstr("blanks"));
  EXPECT_THAT(complaint(std::string_view("https://example.com/\0x", 22)), HasSubstr("blanks"));
  EXPECT_THAT(complaint("https://ex\xc3\xa4mple.com/"), HasSubstr("ASCII"));
}

TEST(UrlCheck, KnowsItsLength) {
  const std::string start = "https://example.com/";
  EXPECT_EQ(complaint(start + std::string(kUrlBytesMax - start.size(), 'a')), "");
  EXPECT_THAT(complaint(start + std::string(kUrlBytesMax - start.size() + 1, 'a')), HasSubstr("longer than 2048 bytes"));
}

TEST(UrlCheck, RepeatsNoSecret) {
  EXPECT_THAT(complaint("https://ada:hunter2@example.com/"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(complaint("ftp://example.com/hunter2"), Not(HasSubstr("hunter2")));
}

TEST(UrlOrigin, HasNeitherPathNorQuery) {
  EXPECT_EQ(url_origin("https://example.com/T00/B00/secret?token=x"), "https://example.com");
  EXPECT_EQ(url_origin("http://127.0.0.1:3000/hook"), "http://127.0.0.1:3000");
  EXPECT_EQ(url_origin("https://ada:pw@[::1]:1/"), "https://[::1]:1");
  EXPECT_EQ(url_origin("nonsense"), "");
}

}  // namespace
}  // namespace tidewire::outbound
