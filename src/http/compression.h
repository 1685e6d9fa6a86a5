// http/compression.h - which coding an answer may have (RFC 9110 12.5.3), and the coding itself: brotli, gzip, deflate.
//
// Compressors are per thread and reset between answers: an idle connection owns none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/exchange.h"

namespace tidewire::http {

enum class Coding : std::uint8_t { kIdentity, kDeflate, kGzip, kBrotli };

// "gzip" and so on; empty for kIdentity.
std::string_view coding_name(Coding coding) noexcept;

// The coding with the highest weight in an Accept-Encoding value; among equals the densest that is at most `densest`.
// kIdentity if none is wanted. An empty value wants none.
Coding choose_coding(std::string_view accept_encoding, Coding densest = Coding::kBrotli) noexcept;

struct CompressionOptions {
  std::size_t threshold_bytes = 1024;  // shorter bodies go out plain
  Coding densest = Coding::kBrotli;    // polling answers: kGzip, as the reference server
  int level = 1;                       // 1 fast .. 9 dense; brotli's qualities are taken to match
};

// The coded bytes; empty when they would not be shorter. REQUIRES: coding != kIdentity
std::string compress(std::string_view body, Coding coding, int level);

// Codes the body if the request wants it and it is worth it; adds Content-Encoding, and Vary whenever the choice existed.
void compress_response(const Request& request, const CompressionOptions& options, Response& response);

}  // namespace tidewire::http
