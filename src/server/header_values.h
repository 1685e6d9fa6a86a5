// server/header_values.h - what stands in the headers that say who asks, and where.
//
// Threads: pure functions; the views are of their argument.
#pragma once

#include <string>
#include <string_view>

namespace tidewire::server {

// The token of `Authorization: Bearer ...`, of any case; empty when the value is something else.
std::string_view bearer_token(std::string_view authorization) noexcept;
// "localhost:4000" and "[::1]:4000" without port and brackets; empty when a bracket is left open.
std::string_view host_name(std::string_view host) noexcept;
// The same as hosts are compared: in lower case, without the dot at the end (RFC 9110 section 4.2.3).
std::string comparable_host(std::string_view host);
// The value of a cookie in `a=1; b=2` (RFC 6265 section 4.2); empty when it is not there.
std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept;

}  // namespace tidewire::server
