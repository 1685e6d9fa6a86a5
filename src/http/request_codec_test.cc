#include "http/request_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace tidewire::http {
namespace {

using Outcome = HeadResult::Outcome;

// Parses from a heap buffer of exactly this size, so that the sanitizer sees a read beyond it.
HeadResult parse_exactly(std::string_view bytes, RequestHead& head) {
  static std::unique_ptr<char[]> buffer;  // outlives the call: `head` points into it
  buffer.reset(new char[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), buffer.get());
  return parse_head({buffer.get(), bytes.size()}, head);
}

// The status with which a head is refused, whole and in prefixes; 0 if it is accepted, -1 if it is not complete.
// A prefix may be refused early, but only with what the whole is refused with, and never if the whole is accepted.
int status_of(const std::string& text) {
  RequestHead head;
  const HeadResult whole = parse_exactly(text, head);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const HeadResult part = parse_exactly(std::string_view(text).substr(0, size), head);
    if (whole.outcome == Outcome::kComplete && size < whole.bytes) {
      EXPECT_EQ(part.outcome, Outcome::kNeedMore) << "after " << size << " bytes of " << text;
    }
    if (part.outcome == Outcome::kRefused) {
      EXPECT_EQ(whole.outcome, Outcome::kRefused) << text;
      EXPECT_EQ(part.status, whole.status) << "after " << size << " bytes of " << text;
    }
  }
  if (whole.outcome == Outcome::kNeedMore) return -1;
  return whole.outcome == Outcome::kComplete ? 0 : whole.status;
}

int status_of_get(std::string_view header_lines) {
  return status_of("GET / HTTP/1.1\r\nHost: example.org\r\n" + std::string(header_lines) + "\r\n");
}
int status_of_post(std::string_view header_lines) {
  return status_of("POST / HTTP/1.1\r\nHost: example.org\r\n" + std::string(header_lines) + "\r\n");
}
int status_of_target(std::string_view target) {
  return status_of("GET " + std::string(target) + " HTTP/1.1\r\nHost: example.org\r\n\r\n");
}

constexpr std::string_view kHandshake =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: example.org:3000\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ== \t\r\n"
    "Origin: https://example.org\r\n"
    "\r\n";

TEST(RequestHead, OfAHandshakeIsReadCompletely) {
  RequestHead head;
  const HeadResult result = parse_head(kHandshake, head);
  ASSERT_EQ(result.outcome, Outcome::kComplete);
  EXPECT_EQ(result.bytes, kHandshake.size());
  const Request& request = head.request;
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/socket.io/?EIO=4&transport=websocket");
  EXPECT_EQ(request.path, "/socket.io/");
  EXPECT_EQ(request.query, "EIO=4&transport=websocket");
  EXPECT_EQ(request.version_minor, 1);
  EXPECT_EQ(request.headers.size(), 6u);
  EXPECT_EQ(request.header("SEC-websocket-KEY"), "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(request.raw_head, kHandshake);
  EXPECT_TRUE(request.upgrade);
  EXPECT_TRUE(request.has_header("origin"));
  EXPECT_FALSE(request.has_header("cookie"));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.framing, BodyFraming::kNone);
  EXPECT_EQ(status_of(std::string(kHandshake)), 0);
}

TEST(RequestHead, LeavesWhatFollowsAlone) {
  RequestHead head;
  const std::string text = std::string(kHandshake) + "behind";
  EXPECT_EQ(parse_head(text, head).bytes, kHandshake.size());
}

TEST(RequestHead, MayFollowOneEmptyLine) {
  EXPECT_EQ(status_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

// H01 to H05, H11 to H13, B25: one reading of the length, or none.
TEST(RequestFraming, IsRefusedWhenTwoReadersCouldDisagree) {
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(status_of_post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400);
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(status_of_post("Content-Length: 5, 5\r\n"), 400);
  for (const char* coding : {"xchunked", "chunked, identity", "chunked, chunked",
                             "\x0b"
                             "chunked",
                             "gzip", "identity", "", "gzip, chunked"}) {
    EXPECT_EQ(status_of_post("Transfer-Encoding: " + std::string(coding) + "\r\n"), 400) << coding;
  }
  EXPECT_EQ(status_of_post("Transfer-Encoding : chunked\r\n"), 400);
  EXPECT_EQ(status_of_post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  for (const char* length :
       {"-1", "+5", "0x5", "5 5", "", "9223372036854775808", "18446744073709551616", "1e3", "5;", "\t"}) {
    EXPECT_EQ(status_of_post("Content-Length: " + std::string(length) + "\r\n"), 400) << length;
  }
}

TEST(RequestFraming, TakesLengthOrChunked) {
  RequestHead head;
  ASSERT_EQ(parse_head("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", head).outcome,
            Outcome::kComplete);
  EXPECT_EQ(head.framing, BodyFraming::kLength);
  EXPECT_EQ(head.content_length, 9223372036854775807u);
  ASSERT_EQ(parse_head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n", head).outcome,
            Outcome::kComplete);
  EXPECT_EQ(head.framing, BodyFraming::kChunked);
  ASSERT_EQ(parse_head("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", head).outcome, Outcome::kComplete);
  EXPECT_EQ(head.framing, BodyFraming::kNone);
}

// H06 to H10, C03.
TEST(RequestLines, AreRefusedForEveryDeviation) {
  EXPECT_EQ(status_of_get("Name : value\r\n"), 400);
  EXPECT_EQ(status_of_get(": value\r\n"), 400);
  EXPECT_EQ(status_of_get("no colon\r\n"), 400);
  EXPECT_EQ(status_of_get("A: b\r\n folded\r\n"), 400);
  EXPECT_EQ(status_of_get("A: b\r\n\tfolded\r\n"), 400);
  EXPECT_EQ(status_of_get("A: b\n"), 400);
  EXPECT_EQ(status_of_get("A: b\rC: d\r\n"), 400);
  EXPECT_EQ(status_of_get("A: b\r\r\n"), 400);
  EXPECT_EQ(status_of_get(std::string_view("A: b\0c\r\n", 8)), 400);
  EXPECT_EQ(status_of_get("A: b\x01\r\n"), 400);
  EXPECT_EQ(status_of_get("A: b\x7f\r\n"), 400);
  EXPECT_EQ(status_of_get("A(b): c\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of_get("A: caf\xc3\xa9 \t x\r\n"), 0);
  EXPECT_EQ(status_of_get("A:\r\n"), 0);
}

// H14, H15.
TEST(RequestHost, IsExactlyOneAndAHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  for (const char* host :
       {"a b", "user@a", "a/b", "", "a:b", "a:123456", "[::1", "[]", "[::1]x", "a?b", "a\\b", ":80", "[zz]"}) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  for (const char* host : {"a", "a.example.org:8080", "[::1]", "[2001:db8::1]:443", "127.0.0.1", "a:"}) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
  }
}

// H16, C04.
TEST(RequestVersion, OneDotZeroClosesAndKnowsNoChunks) {
  RequestHead head;
  ASSERT_EQ(parse_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head).outcome, Outcome::kComplete);
  EXPECT_EQ(head.request.version_minor, 0);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  ASSERT_EQ(parse_head("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", head).outcome,
            Outcome::kComplete);
  EXPECT_FALSE(head.request.upgrade);
}

// H17, H18, B26.
TEST(RequestVersion, OthersAreRefused) {
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/9.9\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
  for (const char* version : {"HTTP/1", "HTTP/1.", "HTTP/11.1", "http/1.1", "HTTP 1.1", "HTTPS/1.1", "HTTP/1.1 "}) {
    EXPECT_EQ(status_of("GET / " + std::string(version) + "\r\nHost: a\r\n\r\n"), 400) << version;
  }
  EXPECT_EQ(status_of("GET /\r\n\r\n"), 400);
}

// H20 to H22, H38.
TEST(RequestMethod, DecidesEarly) {
  EXPECT_EQ(status_of("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
  EXPECT_EQ(status_of("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), 405);
  EXPECT_EQ(status_of("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
}

// H19: the authority of the target overrides Host.
TEST(RequestTarget, InAbsoluteFormIsRoutedByItsPath) {
  RequestHead head;
  ASSERT_EQ(parse_head("GET http://other.org:81/a?b HTTP/1.1\r\nHost: example.org\r\n\r\n", head).outcome,
            Outcome::kComplete);
  EXPECT_EQ(head.request.path, "/a");
  EXPECT_EQ(head.request.query, "b");
  EXPECT_EQ(head.request.header("host"), "other.org:81");
  ASSERT_EQ(parse_head("GET HTTPS://other.org?b HTTP/1.1\r\nHost: a\r\n\r\n", head).outcome, Outcome::kComplete);
  EXPECT_EQ(head.request.path, "/");
  for (const char* target : {"http:///a", "http://u@h/", "ftp://h/", "a", "h:80", "http:/a", "?q"}) {
    EXPECT_EQ(status_of_target(target), 400) << target;
  }
}

// H34.
TEST(RequestTarget, PathsThatCouldMeanAnotherPathAreRefused) {
  for (const char* target : {"/%00",       "/%2e%2e/",   "//socket.io/", "/socket.io/../admin",
                             "/%ZZ",       "/%c0%ae",    "/a//b",        "/.",
                             "/..",        "/a/.",       "/./a",         "/%2e",
                             "/a%",        "/a%4",       "/a\\b",        "/%2e%2e%2fadmin",
                             "/a/..%5cb",  "/%0d%0aX:1", "/%7f",         "/a#b",
                             "/%ed%a0%80", "/%ff",       "/caf\xc3\xa9"}) {
    EXPECT_EQ(status_of_target(target), 400) << target;
  }
  for (const char* target : {"/", "/socket.io/", "/a.b/..c/...", "/%2Fchat/x", "/caf%C3%A9", "/a?../..//%00%ZZ",
                             "/~a;b=c,d@e:f!$&'()*+", "/.a"}) {
    EXPECT_EQ(status_of_target(target), 0) << target;
  }
}

// H23, H24, B05, B30.
TEST(RequestLimits, OfHeaderCountAreExact) {
  const auto with_headers = [](int count) {
    std::string lines;
    for (int i = 1; i < count; ++i) lines += "A: b\r\n";
    return lines;
  };
  EXPECT_EQ(status_of_get(with_headers(100)), 0);
  EXPECT_EQ(status_of_get(with_headers(101)), 431);
  EXPECT_EQ(status_of_get(with_headers(150) + "Connection: Upgrade\r\nUpgrade: websocket\r\n"), 431);
}

HeadResult parse_once(const std::string& text) {
  RequestHead head;
  return parse_exactly(text, head);
}

// H25 to H27.
TEST(RequestLimits, OfBytesAreExact) {
  const auto get = [](std::string_view target, std::string_view lines) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
  };
  const auto line = [](std::size_t bytes) { return "A: " + std::string(bytes - 3, 'x') + "\r\n"; };
  EXPECT_EQ(parse_once(get("/", line(8192))).outcome, Outcome::kComplete);
  EXPECT_EQ(parse_once(get("/", line(8193))).status, 431);
  EXPECT_EQ(parse_once("GET / HTTP/1.1\r\nA: " + std::string(8191, 'x')).status, 431);
  EXPECT_EQ(parse_once("GET / HTTP/1.1\r\nA: " + std::string(8189, 'x') + "\r").outcome, Outcome::kNeedMore);

  const std::string target = "/" + std::string(8191, 'x');
  EXPECT_EQ(parse_once(get(target, "")).outcome, Outcome::kComplete);
  EXPECT_EQ(parse_once(get(target + "x", "")).status, 414);
  EXPECT_EQ(parse_once("GET /" + std::string(8192, 'x')).status, 414);
  EXPECT_EQ(parse_once("GET /" + std::string(20'000, 'x')).status, 414);
  EXPECT_EQ(parse_once(std::string(20'000, 'X')).status, 400);

  const std::string most = line(8000) + line(8000);
  const std::size_t left = 16384 - get("/", most).size() - 2;
  EXPECT_EQ(parse_once(get("/", most + line(left))).outcome, Outcome::kComplete);
  EXPECT_EQ(parse_once(get("/", most + line(left + 1))).status, 431);
  std::string endless = "GET / HTTP/1.1\r\nHost: a\r\n" + most;
  endless += "A: " + std::string(16384 - endless.size() - 3, 'x');
  EXPECT_EQ(parse_once(endless).status, 431);
  EXPECT_EQ(parse_once(endless.substr(0, endless.size() - 1)).outcome, Outcome::kNeedMore);
}

// H32, C01, H37, H56.
TEST(RequestHead, IsRefusedForBodiesItCannotHave) {
  EXPECT_EQ(status_of_get("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(status_of_get("Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(status_of_get("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"), 0);
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nExpect: a miracle\r\n"), 417);
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nExpect: 100-Continue\r\n"), 0);
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nContent-Encoding: gzip\r\n"), 415);
  EXPECT_EQ(status_of_post("Content-Length: 5\r\nContent-Encoding: identity\r\n"), 0);
}

// H35, H36, B27: what is not HTTP is refused as soon as it shows.
TEST(RequestHead, OtherProtocolsAreRefused) {
  EXPECT_EQ(status_of(std::string("\x16\x03\x01\x02\x00\x01\x00", 7)), 400);
  EXPECT_EQ(status_of("SSH-2.0-OpenSSH_9.2\r\n"), 400);
  EXPECT_EQ(status_of("HTTP/1.1 200 OK\r\n\r\n"), 400);
  EXPECT_EQ(status_of("\xff\xfe\x00"), 400);
  EXPECT_EQ(status_of("{\"a\":1}"), 400);
  EXPECT_EQ(status_of("\r\n\r\n"), 400);
  EXPECT_EQ(status_of(""), -1);
}

TEST(RequestConnection, TokensAreReadFromAllHeaders) {
  RequestHead head;
  ASSERT_EQ(parse_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: foo, ClOsE\r\n\r\n", head).outcome,
            Outcome::kComplete);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(parse_head("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", head).outcome, Outcome::kComplete);
  EXPECT_FALSE(head.request.upgrade);
}

}  // namespace
}  // namespace tidewire::http
