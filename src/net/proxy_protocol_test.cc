#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace tidewire::net {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string binary(unsigned char version_command, unsigned char family_protocol, const std::string& body) {
  std::string header = kSignature;
  header += static_cast<char>(version_command);
  header += static_cast<char>(family_protocol);
  header += static_cast<char>(body.size() >> 8);
  header += static_cast<char>(body.size() & 0xff);
  return header + body;
}

const std::string kIpv4Body("\x0a\x00\x00\x07\x0a\x00\x00\x01\x1f\x90\x01\xbb", 12);
const std::string kIpv6Body = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x07" + std::string(15, '\0') + "\x01" +
                              std::string("\x1f\x90\x01\xbb", 4);

// Reads `header` whole, with a stream behind it, and at every truncated length, which must ask for more and nothing else.
// That is byte by byte too, since the reader keeps no state.
ProxyHeader read_in_every_way(const std::string& header) {
  for (std::size_t length = 0; length < header.size(); ++length) {
    EXPECT_EQ(read_proxy_header(std::string_view(header).substr(0, length)).outcome, ProxyOutcome::kNeedMore) << length;
  }
  const ProxyHeader whole = read_proxy_header(header);
  EXPECT_EQ(whole.bytes, header.size());
  const ProxyHeader followed = read_proxy_header(header + "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(followed.bytes, header.size());
  EXPECT_EQ(followed.source, whole.source);
  return whole;
}

std::string source_of(const std::string& header) {
  const ProxyHeader read = read_in_every_way(header);
  if (read.outcome == ProxyOutcome::kLocal) return "local";
  return read.outcome == ProxyOutcome::kAddress ? read.source.text() : "malformed";
}

TEST(ProxyProtocol, ReadsTheTextForm) {
  EXPECT_EQ(source_of("PROXY TCP4 10.0.0.7 10.0.0.1 8080 443\r\n"), "10.0.0.7:8080");
  EXPECT_EQ(source_of("PROXY TCP6 2001:db8::7 ::1 8080 443\r\n"), "[2001:db8::7]:8080");
  EXPECT_EQ(source_of("PROXY UNKNOWN\r\n"), "local");
  EXPECT_EQ(source_of("PROXY UNKNOWN ffff::1 what ever \r\n"), "local");
}

TEST(ProxyProtocol, ReadsTheBinaryForm) {
  EXPECT_EQ(source_of(binary(0x21, 0x11, kIpv4Body)), "10.0.0.7:8080");
  EXPECT_EQ(source_of(binary(0x21, 0x21, kIpv6Body)), "[2001:db8::7]:8080");
  EXPECT_EQ(source_of(binary(0x20, 0x00, "")), "local");
  EXPECT_EQ(source_of(binary(0x21, 0x31, std::string(216, 'u'))), "local");
}

TEST(ProxyProtocol, SkipsTheExtensionsOfTheBinaryForm) {
  EXPECT_EQ(source_of(binary(0x21, 0x11, kIpv4Body + std::string("\x04\x00\x03" "abc", 6))), "10.0.0.7:8080");
}

TEST(ProxyProtocol, RefusesEverythingElse) {
  const std::string malformed[] = {
      "GET / HTTP/1.1\r\n",
      "proxy TCP4 10.0.0.7 10.0.0.1 8080 443\r\n",
      "PROXY  TCP4 10.0.0.7 10.0.0.1 8080 443\r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 8080 443 \r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 8080 443 x\r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 8080\r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 65536 443\r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 -1 443\r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 08 443\r\n",
      "PROXY TCP4 localhost 10.0.0.1 8080 443\r\n",
      "PROXY TCP4 ::1 ::1 8080 443\r\n",
      "PROXY TCP6 10.0.0.7 10.0.0.1 8080 443\r\n",
      "PROXY UDP4 10.0.0.7 10.0.0.1 8080 443\r\n",
      "PROXY TCP4 10.0.0.7 10.0.0.1 8080 443\n" + std::string(100, 'x'),
      "PROXY UNKNOWN " + std::string(107, 'x') + "\r\n",
      binary(0x11, 0x11, kIpv4Body),
      binary(0x22, 0x11, kIpv4Body),
      binary(0x21, 0x41, kIpv4Body),
      binary(0x21, 0x13, kIpv4Body),
      binary(0x21, 0x11, kIpv4Body.substr(1)),
      binary(0x21, 0x21, kIpv4Body),
      binary(0x21, 0x11, std::string(kProxyHeaderBytesMax, 'x')),
  };
  for (const std::string& header : malformed) EXPECT_EQ(read_proxy_header(header).outcome, ProxyOutcome::kMalformed) << header;
}

TEST(ProxyProtocol, RefusesAtTheFirstWrongByte) {
  EXPECT_EQ(read_proxy_header("G").outcome, ProxyOutcome::kMalformed);
  EXPECT_EQ(read_proxy_header("PROXZ").outcome, ProxyOutcome::kMalformed);
  EXPECT_EQ(read_proxy_header("\r\n\r\n\r").outcome, ProxyOutcome::kMalformed);
}

}  // namespace
}  // namespace tidewire::net
