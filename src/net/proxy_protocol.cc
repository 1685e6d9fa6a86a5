// Version 1, at most 107 bytes:   "PROXY" SP ("TCP4" | "TCP6") SP source SP destination SP port SP port CRLF
//                                 "PROXY UNKNOWN" anything CRLF
// Version 2:   signature[12]  version<<4 | command   family<<4 | protocol   length[2]   addresses and extensions[length]
//              command: 0 LOCAL, 1 PROXY     family: 0 unspecified, 1 IPv4 (12 bytes), 2 IPv6 (36), 3 UNIX
#include "net/proxy_protocol.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace tidewire::net {
namespace {

constexpr std::string_view kTextPrefix = "PROXY ";
constexpr std::size_t kTextBytesMax = 107;
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kBinaryHeadBytes = 16;

constexpr ProxyHeader kMalformed{ProxyOutcome::kMalformed, 0, {}};

bool begins_like(std::string_view input, std::string_view pattern) {
  const std::size_t common = std::min(input.size(), pattern.size());
  return input.substr(0, common) == pattern.substr(0, common);
}

// Takes the next word off `line`; words are separated by exactly one blank.
std::string_view take_word(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  return word;
}

std::optional<std::uint16_t> read_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool leading_zero = digits.size() > 1 && digits.front() == '0';
  if (error != std::errc() || end != digits.data() + digits.size() || leading_zero) return std::nullopt;
  return port;
}

ProxyHeader read_text(std::string_view input) {
  const std::size_t end = input.substr(0, kTextBytesMax).find("\r\n");
  if (end == std::string_view::npos) return input.size() >= kTextBytesMax ? kMalformed : ProxyHeader{};
  const std::size_t bytes = end + 2;
  std::string_view line = input.substr(kTextPrefix.size(), end - kTextPrefix.size());
  // A blank after the last word would be an empty word too many.
  if (line.ends_with(' ') && !line.starts_with("UNKNOWN")) return kMalformed;
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") return {ProxyOutcome::kLocal, bytes, {}};
  if (family != "TCP4" && family != "TCP6") return kMalformed;
  const std::string_view source_text = take_word(line);
  const std::string_view destination_text = take_word(line);
  const std::optional<std::uint16_t> source_port = read_port(take_word(line));
  const std::optional<std::uint16_t> destination_port = read_port(take_word(line));
  const std::optional<Address> source = Address::parse_ip(source_text, source_port.value_or(0));
  const std::optional<Address> destination = Address::parse_ip(destination_text);
  if (!line.empty() || !source_port || !destination_port || !source || !destination) return kMalformed;
  const bool has_colons = source_text.find(':') != std::string_view::npos;
  if (has_colons != (family == "TCP6") || has_colons != (destination_text.find(':') != std::string_view::npos)) return kMalformed;
  return {ProxyOutcome::kAddress, bytes, *source};
}

std::uint16_t read_big_endian(std::string_view bytes) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
}

ProxyHeader read_binary(std::string_view input) {
  if (input.size() < kBinaryHeadBytes) return {};
  const auto version_command = static_cast<unsigned char>(input[12]);
  const auto family = static_cast<unsigned char>(input[13]) >> 4;
  const auto protocol = static_cast<unsigned char>(input[13]) & 0x0f;
  const std::size_t length = read_big_endian(input.substr(14));
  const std::size_t bytes = kBinaryHeadBytes + length;
  const unsigned command = version_command & 0x0f;
  if (version_command >> 4 != 2 || command > 1 || family > 3 || protocol > 2 || bytes > kProxyHeaderBytesMax) return kMalformed;
  if (input.size() < bytes) return {};
  if (command == 0 || family == 0 || family == 3) return {ProxyOutcome::kLocal, bytes, {}};
  const std::string_view body = input.substr(kBinaryHeadBytes, length);
  if (body.size() < (family == 1 ? 12u : 36u)) return kMalformed;
  ProxyHeader header{ProxyOutcome::kAddress, bytes, {}};
  if (family == 1) {
    header.source.ip[10] = header.source.ip[11] = 0xff;
    std::memcpy(header.source.ip.data() + 12, body.data(), 4);
    header.source.port = read_big_endian(body.substr(8));
  } else {
    std::memcpy(header.source.ip.data(), body.data(), 16);
    header.source.port = read_big_endian(body.substr(32));
  }
  return header;
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view input) {
  if (begins_like(input, kTextPrefix)) return input.size() < kTextPrefix.size() ? ProxyHeader{} : read_text(input);
  if (begins_like(input, kSignature)) return read_binary(input);
  return kMalformed;
}

}  // namespace tidewire::net
