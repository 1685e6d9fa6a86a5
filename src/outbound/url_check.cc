#include "outbound/url_check.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "net/address.h"

namespace tidewire::outbound {
namespace {

struct ParsedUrl {
  explicit ParsedUrl(std::string_view url) : handle(curl_url()) {
    const std::string text(url);  // libcurl wants its zero
    result = handle == nullptr ? CURLUE_OUT_OF_MEMORY : curl_url_set(handle, CURLUPART_URL, text.c_str(), 0);
  }
  ~ParsedUrl() { curl_url_cleanup(handle); }
  ParsedUrl(const ParsedUrl&) = delete;
  ParsedUrl& operator=(const ParsedUrl&) = delete;

  // nullopt if the URL has no such part.
  std::optional<std::string> part(CURLUPart which) const {
    char* text = nullptr;
    if (curl_url_get(handle, which, &text, 0) != CURLUE_OK) return std::nullopt;
    std::string copy(text);
    curl_free(text);
    return copy;
  }

  CURLU* handle;
  CURLUcode result;
};

Status bad(std::string sentence) { return {StatusCode::kInvalidArgument, std::move(sentence)}; }

bool visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// Of a host as libcurl has normalised it: "127.1" has become "127.0.0.1".
bool is_loopback(std::string_view host) {
  if (host.size() == 9 && std::equal(host.begin(), host.end(), "localhost", [](char a, char b) { return (a | 0x20) == b; })) return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::optional<net::Address> address = net::Address::parse_ip(host);
  if (!address) return false;
  static const std::optional<net::Network> kLoopback4 = net::Network::parse("127.0.0.0/8");
  static const std::optional<net::Network> kLoopback6 = net::Network::parse("::1");
  return kLoopback4->contains(*address) || kLoopback6->contains(*address);
}

Status check_parts(const ParsedUrl& parsed, const UrlRules& rules) {
  const std::string scheme = parsed.part(CURLUPART_SCHEME).value_or("");
  const std::string host = parsed.part(CURLUPART_HOST).value_or("");
  if (scheme != "https" && scheme != "http") return bad("the URL must begin with https:// (or http://)");
  if (host.empty()) return bad("the URL names no host");
  if (parsed.part(CURLUPART_USER) || parsed.part(CURLUPART_PASSWORD)) return bad("the URL must not contain a user name or password");
  if (parsed.part(CURLUPART_FRAGMENT)) return bad("the URL must not contain a fragment (#...)");
  if (parsed.part(CURLUPART_PORT) == "0") return bad("the URL's port must be 1 to 65535");
  if (scheme == "http" && !rules.allow_http && !is_loopback(host)) {
    return bad("the URL must begin with https://: plain http is only for this machine, unless it is allowed");
  }
  return {};
}

}  // namespace

Status check_url(std::string_view url, const UrlRules& rules) {
  if (url.empty()) return bad("the URL is empty");
  if (url.size() > kUrlBytesMax) return bad("the URL is longer than " + std::to_string(kUrlBytesMax) + " bytes");
  if (!visible_ascii(url)) return bad("the URL contains blanks, control characters or letters beyond ASCII");
  const ParsedUrl parsed(url);
  switch (parsed.result) {
    case CURLUE_OK: return check_parts(parsed, rules);
    case CURLUE_BAD_SCHEME:
    case CURLUE_UNSUPPORTED_SCHEME: return bad("the URL must begin with https:// (or http://)");
    case CURLUE_BAD_PORT_NUMBER: return bad("the URL's port must be 1 to 65535");
    case CURLUE_NO_HOST:
    case CURLUE_BAD_HOSTNAME:
    case CURLUE_BAD_IPV6: return bad("the URL's host is not one");
    default: return bad(std::string("the URL cannot be read: ") + curl_url_strerror(parsed.result));
  }
}

std::string url_origin(std::string_view url) {
  const ParsedUrl parsed(url);
  if (parsed.result != CURLUE_OK) return {};
  std::string origin = parsed.part(CURLUPART_SCHEME).value_or("") + "://" + parsed.part(CURLUPART_HOST).value_or("");
  if (const auto port = parsed.part(CURLUPART_PORT)) origin += ":" + *port;
  return origin;
}

}  // namespace tidewire::outbound
