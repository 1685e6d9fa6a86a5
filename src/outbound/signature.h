// outbound/signature.h - proves to a back end that a body is ours and fresh: HMAC-SHA256 over "<timestamp>.<body>".
//
//   Tidewire-Timestamp: 1700000000                seconds since 1970, of this attempt
//   Tidewire-Signature: v1=<64 hex digits>        HMAC-SHA256(secret, "1700000000." + body)
//
// The timestamp is inside the signature, so that a recorded request cannot be replayed later.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "outbound/fetcher.h"
#include "tidewire/status.h"

namespace tidewire::outbound {

inline constexpr std::size_t kSecretBytesMin = 16;

// OK, or a sentence for whoever configures.
Status check_secret(std::string_view secret);

// The value of Tidewire-Signature.
std::string sign(std::string_view secret, std::string_view timestamp, std::string_view body);

// What a receiver does: recomputes, compares in constant time, and refuses a timestamp further from `now_s` than `tolerance_s`.
bool verify_signature(std::string_view secret, std::string_view timestamp, std::string_view signature, std::string_view body,
                      std::int64_t now_s, std::int64_t tolerance_s = 300);

// The headers of every signed POST: Content-Type, User-Agent, Tidewire-Timestamp, Tidewire-Signature.
std::vector<Header> signed_headers(std::string_view secret, std::int64_t unix_ms, std::string_view body);

}  // namespace tidewire::outbound
