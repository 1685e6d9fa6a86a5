// The grammar, as far as we take it (RFC 9112 2 to 5, RFC 9110 5.6):
//
//   head         = [ CRLF ] request-line *( name ":" OWS value OWS CRLF ) CRLF
//   request-line = method SP target SP "HTTP/1." ( "0" / "1" ) CRLF
//   method       = 1*( upper-case letter / "-" / "_" )
//   target       = path [ "?" query ] / ( "http" / "https" ) "://" authority [ path ] [ "?" query ] / "*"
//   value        = *( HTAB / SP / VCHAR / obs-text )
//
// No line folding, no blank before a colon, no bare CR or LF anywhere.
#include "http/request_codec.h"

#include "base/utf8.h"
#include "http/characters.h"

namespace tidewire::http {
namespace {

namespace limits = base::limits;

constexpr HeadResult refused(std::uint16_t status) noexcept { return {HeadResult::Outcome::kRefused, status, 0}; }

// host [ ":" port ], where host is a name, an IPv4 address or "[" IPv6 "]".
bool valid_host(std::string_view host) noexcept {
  std::string_view rest = host;
  if (!rest.empty() && rest.front() == '[') {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    for (const char c : rest.substr(1, end - 1)) {
      if (hex_value(c) < 0 && c != ':' && c != '.') return false;
    }
    rest.remove_prefix(end + 1);
  } else {
    const std::size_t end = rest.find(':');
    if (end == 0 || rest.empty() || !all(rest.substr(0, end), kHost)) return false;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  if (rest.empty()) return true;
  rest.remove_prefix(1);
  for (const char c : rest) {
    if (c < '0' || c > '9') return false;
  }
  return host[host.size() - rest.size() - 1] == ':' && rest.size() <= 5;
}

// What the header lines say about the message, gathered over all of them.
struct Facts {
  Header* host = nullptr;
  std::string_view authority;  // of an absolute-form target
  int content_lengths = 0;
  int transfer_encodings = 0;
  bool coded_body = false;  // a Content-Encoding other than identity
  bool close = false;
  bool upgrade_token = false;
  bool upgrade_header = false;
};

// Splits the request line; 0 or the status of the refusal.
std::uint16_t parse_request_line(std::string_view line, Request& request) noexcept {
  const std::size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos || method_end == 0) return 400;
  const std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return 400;
  request.method = line.substr(0, method_end);
  request.target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);

  if (!all(request.method, kMethod)) return 400;
  if (request.target.size() > limits::kRequestTargetBytesMax) return 414;
  if (request.target.empty() || !all(request.target, kTarget)) return 400;
  const auto digit = [&version](std::size_t i) { return version[i] >= '0' && version[i] <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(5) || version[6] != '.' || !digit(7)) return 400;
  if (version[5] != '1' || version[7] > '1') return 505;
  request.version_minor = version[7] - '0';
  return request.method == "TRACE" || request.method == "CONNECT" ? 405 : 0;
}

bool strip_scheme(std::string_view& target) noexcept {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      target.remove_prefix(scheme.size());
      return true;
    }
  }
  return false;
}

bool split_target(Request& request, Facts& facts) noexcept {
  std::string_view rest = request.target;
  if (rest == "*") {
    request.path = rest;
    request.query = {};
    return request.method == "OPTIONS";
  }
  if (rest.front() != '/') {
    if (!strip_scheme(rest)) return false;
    facts.authority = rest.substr(0, rest.find_first_of("/?"));
    if (!valid_host(facts.authority)) return false;
    rest.remove_prefix(facts.authority.size());
  }
  const std::size_t question = rest.find('?');
  request.path = rest.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  if (request.path.empty()) request.path = "/";
  return valid_path(request.path);
}

bool parse_content_length(std::string_view text, std::uint64_t& length) noexcept {
  constexpr std::uint64_t kMax = (std::uint64_t{1} << 63) - 1;
  length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kMax - digit) / 10) return false;
    length = length * 10 + digit;
  }
  return !text.empty();
}

void note_connection_tokens(std::string_view value, Facts& facts) noexcept {
  for_each_element(value, [&facts](std::string_view token) {
    if (equals_ignoring_case(token, "close")) facts.close = true;
    if (equals_ignoring_case(token, "upgrade")) facts.upgrade_token = true;
    return true;
  });
}

// Takes note of a header that decides about framing or the connection; 0 or the status of the refusal.
std::uint16_t note_header(Header& header, RequestHead& out, Facts& facts) noexcept {
  const std::string_view value = header.value;
  const auto named = [&header](std::string_view name) { return equals_ignoring_case(header.name, name); };
  switch (header.name.size()) {
    case 4:
      if (!named("host")) return 0;
      if (facts.host != nullptr || !valid_host(value)) return 400;
      facts.host = &header;
      return 0;
    case 6:
      if (!named("expect")) return 0;
      if (!equals_ignoring_case(value, "100-continue")) return 417;
      out.expect_continue = true;
      return 0;
    case 7:
      if (named("upgrade")) facts.upgrade_header = true;
      return 0;
    case 10:
      if (named("connection")) note_connection_tokens(value, facts);
      return 0;
    case 14:
      if (!named("content-length")) return 0;
      return ++facts.content_lengths == 1 && parse_content_length(value, out.content_length) ? 0 : 400;
    case 16:
      if (named("content-encoding") && !value.empty() && !equals_ignoring_case(value, "identity")) facts.coded_body = true;
      return 0;
    case 17:
      if (!named("transfer-encoding")) return 0;
      return ++facts.transfer_encodings == 1 && equals_ignoring_case(value, "chunked") ? 0 : 400;
    default: return 0;
  }
}

// What only all headers together decide; 0 or the status of the refusal.
std::uint16_t conclude(RequestHead& out, const Facts& facts) noexcept {
  const bool http10 = out.request.version_minor == 0;
  if (facts.host == nullptr && !http10) return 400;
  if (facts.transfer_encodings != 0 && (facts.content_lengths != 0 || http10)) return 400;
  if (facts.transfer_encodings != 0) {
    out.framing = BodyFraming::kChunked;
  } else if (facts.content_lengths != 0 && out.content_length > 0) {
    out.framing = BodyFraming::kLength;
  }
  out.request.upgrade = facts.upgrade_token && facts.upgrade_header && !http10;
  if (facts.upgrade_header && out.framing != BodyFraming::kNone) return 400;
  if (facts.coded_body && out.framing != BodyFraming::kNone) return 415;
  out.keep_alive = !http10 && !facts.close;
  if (http10) out.expect_continue = false;
  // RFC 9112 3.2.2: an absolute-form target overrides Host.
  if (facts.host != nullptr && !facts.authority.empty()) facts.host->value = facts.authority;
  return 0;
}

// Whether an unfinished line may still become valid: printable so far, a CR only as its last byte.
bool may_continue(std::string_view line, CharClass char_class) noexcept {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  for (const char c : line) {
    if (!is(c, char_class) && c != ' ') return false;
  }
  return true;
}

HeadResult unfinished_request_line(std::string_view line) noexcept {
  if (!may_continue(line, kTarget)) return refused(400);
  const std::size_t method_end = line.find(' ');
  if (!all(line.substr(0, method_end), kMethod) && line != "\r") return refused(400);
  if (method_end == 0) return refused(400);
  if (method_end == std::string_view::npos) return line.size() > limits::kHeaderLineBytesMax ? refused(400) : HeadResult{};
  const std::size_t target = line.substr(method_end + 1).find(' ');
  const std::size_t target_bytes = target == std::string_view::npos ? line.size() - method_end - 1 : target;
  if (target_bytes > limits::kRequestTargetBytesMax) return refused(414);
  return line.size() > limits::kRequestTargetBytesMax + 64 ? refused(400) : HeadResult{};
}

HeadResult unfinished_header_line(std::string_view line, std::size_t head_bytes) noexcept {
  if (!may_continue(line, kValue)) return refused(400);
  if (line.size() > limits::kHeaderLineBytesMax + 1 || head_bytes >= limits::kRequestHeadBytesMax) return refused(431);
  return {};
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view Request::header(std::string_view name) const noexcept {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

bool Request::has_header(std::string_view name) const noexcept {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return true;
  }
  return false;
}

bool valid_header_name(std::string_view name) noexcept { return !name.empty() && all(name, kToken); }
bool valid_header_value(std::string_view value) noexcept { return all(value, kValue); }

bool parse_header_line(std::string_view line, Header& header) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !valid_header_name(line.substr(0, colon))) return false;
  header.name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  if (!valid_header_value(value)) return false;
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  header.value = value;
  return true;
}

bool valid_path(std::string_view path) noexcept {
  base::Utf8Validator utf8;
  std::size_t segment_bytes = 0;
  std::size_t dots = 0;
  const auto dot_segment = [&] { return segment_bytes == dots && (dots == 1 || dots == 2); };
  for (std::size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    const bool escaped = c == '%';
    if (escaped) {
      const int high = i + 1 < path.size() ? hex_value(path[i + 1]) : -1;
      const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      const int byte = high * 16 + low;
      if (byte < 0x20 || byte == 0x7f) return false;
      c = static_cast<char>(byte);
      i += 2;
    } else if (c == '\\') {
      return false;
    }
    if (!utf8.feed({&c, 1})) return false;
    // An escaped separator does not separate for us, but may for who decodes the path later: no dot segment there either.
    if (c == '/' || c == '\\') {
      if (dot_segment() || (!escaped && i != 0 && path[i - 1] == '/')) return false;
      segment_bytes = 0;
      dots = 0;
    } else {
      ++segment_bytes;
      if (c == '.') ++dots;
    }
  }
  return utf8.complete() && !dot_segment();
}

HeadResult parse_head(std::string_view bytes, RequestHead& out) noexcept {
  std::size_t at = bytes.starts_with("\r\n") ? 2 : 0;  // RFC 9112 2.2: one empty line before a request is forgiven
  const std::size_t begin = at;
  Facts facts;
  out.framing = BodyFraming::kNone;
  out.content_length = 0;
  out.expect_continue = false;
  std::size_t header_count = 0;
  for (bool request_line = true;; request_line = false) {
    const std::string_view rest = bytes.substr(at);
    const std::size_t line_feed = rest.find('\n');
    if (line_feed == std::string_view::npos) {
      return request_line ? unfinished_request_line(rest) : unfinished_header_line(rest, bytes.size() - begin);
    }
    if (line_feed == 0 || rest[line_feed - 1] != '\r') return refused(400);
    const std::string_view line = rest.substr(0, line_feed - 1);
    at += line_feed + 1;
    if (request_line) {
      if (const std::uint16_t status = parse_request_line(line, out.request); status != 0) return refused(status);
      if (!split_target(out.request, facts)) return refused(400);
      continue;
    }
    if (at - begin > limits::kRequestHeadBytesMax) return refused(431);
    if (line.empty()) break;
    if (line.size() > limits::kHeaderLineBytesMax || header_count == limits::kHeaderCountMax) return refused(431);
    Header& header = out.header_array[header_count];
    if (!parse_header_line(line, header)) return refused(400);
    ++header_count;
    if (const std::uint16_t status = note_header(header, out, facts); status != 0) return refused(status);
  }
  if (const std::uint16_t status = conclude(out, facts); status != 0) return refused(status);
  out.request.headers = {out.header_array.data(), header_count};
  out.request.raw_head = bytes.substr(begin, at - begin);
  return {HeadResult::Outcome::kComplete, 0, at};
}

}  // namespace tidewire::http
