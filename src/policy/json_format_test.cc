#include "policy/json_format.h"

#include <gtest/gtest.h>

#include <string>

namespace tidewire::policy {
namespace {

void expect(Format format, std::initializer_list<std::string_view> good, std::initializer_list<std::string_view> bad) {
  for (const std::string_view text : good) {
    EXPECT_TRUE(matches(format, text)) << text;
    // No truncation reads beyond the end, and no format takes a blank at an end.
    for (std::size_t size = 0; size < text.size(); ++size) static_cast<void>(matches(format, std::string(text.substr(0, size))));
    EXPECT_FALSE(matches(format, std::string(text) + " ")) << text;
    EXPECT_FALSE(matches(format, " " + std::string(text))) << text;
    EXPECT_FALSE(matches(format, std::string(text) + '\n')) << text;
  }
  for (const std::string_view text : bad) EXPECT_FALSE(matches(format, text)) << text;
  EXPECT_FALSE(matches(format, ""));
}

TEST(JsonFormat, DateTime) {
  expect(Format::kDateTime,
         {"2026-01-31T12:00:00Z", "1963-06-19t08:30:06.283185z", "1937-01-01T12:00:27.87+00:20", "1990-12-31T15:59:60-08:00",
          "1998-12-31T23:59:60Z", "1990-12-31T15:59:50.123-08:00", "2024-02-29T00:00:00-23:59", "2016-12-31T23:59:60.5Z"},
         {"2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-1-31T12:00:00Z", "2026-02-29T12:00:00Z",
          "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "1998-12-31T22:59:60Z", "1998-12-31T23:58:60Z",
          "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+00:60", "2026-01-31T12:00:00+0000",
          "2026-01-31T12:00Z", "2013-350T01:01:01", "2026-01-31T12:00:00ZZ", "2026-01-31T12:00:0\xd9\xa1Z"});
}

TEST(JsonFormat, Date) {
  expect(Format::kDate, {"2026-01-31", "2024-02-29", "2000-02-29", "0000-01-01"},
         {"2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31", "20260131", "2026-01-31T", "+026-01-31"});
}

TEST(JsonFormat, Uuid) {
  expect(Format::kUuid, {"123e4567-e89b-12d3-a456-426614174000", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", "00000000-0000-0000-0000-000000000000"},
         {"123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-4266141740000",
          "123e4567-e89b-12d3-a456-42661417400g", "{123e4567-e89b-12d3-a456-426614174000}", "123e4567-e89b-12d3a-456-426614174000"});
}

TEST(JsonFormat, Email) {
  const std::string local64(64, 'a'), local65(65, 'a'), label63(63, 'b');
  const std::string longest = local64 + "@" + label63 + "." + label63 + "." + std::string(61, 'c');
  expect(Format::kEmail, {"joe.bloggs@example.com", "a+b_c@x.y", "a@localhost", "o'hara@example.org", longest},
         {"2962", "@example.com", "a@", "a@b@c", "a..b@example.com", ".a@example.com", "a.@example.com", "a b@example.com",
          "a@-b.com", "a@b-.com", "a@b..com", "a@.b", "a@b.", "a@b_c", "a\r\nb@example.com", local65 + "@example.com", longest + "c"});
}

TEST(JsonFormat, Uri) {
  expect(Format::kUri,
         {"https://example.org/path?q=1#f", "mailto:a@b.c", "urn:x:y", "ldap://[2001:db8::7]/c=GB?one", "http://u:p@h:80/", "http://h:/",
          "file:///etc", "x:", "http://a/%41", "news:a.b", "http://h/a?b/c?d#e/f?g"},
         {"abc", "//foo/bar", "/abc", ":x", "1x:y", "http://a b", "http://a/%4", "http://a/%zz", "http://a/\"", "http://a/<b>", "http://[::1",
          "http://[]/", "http://[::1]x/", "http://a:8x/", "http://a/[b]", "http://a/#b#c", "http://a\\b", "http://a/\xc3\xa9", "java\nscript:x",
          "http://a^b/"});
}

TEST(JsonFormat, Ipv4) {
  expect(Format::kIpv4, {"192.168.0.1", "0.0.0.0", "255.255.255.255"},
         {"127.0.0.0.1", "256.256.256.256", "127.0", "0x7f000001", "127.0.0.01", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.1000", "+1.2.3.4", "1.2.3.-4"});
}

TEST(JsonFormat, IsFoundByName) {
  EXPECT_EQ(format_of("uuid"), Format::kUuid);
  EXPECT_EQ(format_of("UUID"), std::nullopt);
  EXPECT_EQ(format_of(""), std::nullopt);
  EXPECT_EQ(format_example(Format::kIpv4), "an IPv4 address as 192.0.2.1");
  EXPECT_TRUE(matches(Format::kNone, "anything"));
  std::string names(format_names());
  for (std::size_t at = 0; at < names.size(); at = names.find(", ", at) == std::string::npos ? names.size() : names.find(", ", at) + 2) {
    EXPECT_TRUE(format_of(names.substr(at, names.find(", ", at) - at))) << names.substr(at);
  }
}

}  // namespace
}  // namespace tidewire::policy
