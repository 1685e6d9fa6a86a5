// outbound/url_check.h - may the server call this URL? Asked of configured URLs at start, and once more by the Client.
//
// Good are https, and http to the machine itself (localhost, 127.0.0.0/8, ::1) or, if allowed, to anyone. Nothing else:
// no file:, no data:, no credentials, no fragment.
// The URL is read by libcurl's parser, which also makes the call: two parsers would be two opinions on where it goes.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tidewire/status.h"

namespace tidewire::outbound {

inline constexpr std::size_t kUrlBytesMax = 2'048;

struct UrlRules {
  bool allow_http = false;  // plain http to other machines, too: inside a private network
};

// OK, or kInvalidArgument with a sentence that does not repeat the URL, since it may hold a secret.
Status check_url(std::string_view url, const UrlRules& rules);

// What a log may show of a URL: "https://example.com:8443", without path and query; empty if it is none.
std::string url_origin(std::string_view url);

}  // namespace tidewire::outbound
