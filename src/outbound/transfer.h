// outbound/transfer.h - one request under way: a libcurl easy handle with everything switched off that a server must not do.
//
//   new  -->  added to the multi handle by Client  -->  finish(code) gives the Response  -->  destroyed
//
// TLS 1.2 or newer, certificate and name always verified. HTTP/1.1. No redirect, no cookie, no decompression, no netrc, no HTTP/0.9,
// no other protocol than http and https, a proxy only if asked for. The clock starts at fetch(), see start_ms.
// Threads: the service thread. The CURL handle points into this object: it does not move.
// Limits: request.response_bytes_max, kResponseHeadBytesMax (all heads of one answer, 1xx included).
#pragma once

#include <curl/curl.h>

#include <string>

#include "outbound/fetcher.h"

namespace tidewire::outbound {

inline constexpr std::size_t kResponseHeadBytesMax = 16 * 1024;

struct TransferRules {
  std::string ca_file = {};  // empty: the system's
  bool proxy_from_environment = false;
};

// A header whose name is a token and whose value has no control character: it cannot become two.
bool header_is_clean(const Header& header) noexcept;

class Transfer {
 public:
  // `timeout_ms` is what is left of the request's. REQUIRES: the URL was checked, timeout_ms > 0, curl_global_init() was called
  Transfer(Request request, Fetcher::Done done, base::Milliseconds start_ms, base::Milliseconds timeout_ms, const TransferRules& rules);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // nullptr when memory is out. Its CURLINFO_PRIVATE is this Transfer.
  CURL* handle() noexcept { return handle_; }
  // Calls `done`, once. `code` is libcurl's.
  void finish(CURLcode code, base::Milliseconds now);
  void cancel(base::Milliseconds now);

 private:
  void set_limits(base::Milliseconds timeout_ms);
  void set_security(const TransferRules& rules);
  void set_request();
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);
  void header_line(std::string_view line);
  void answer(FetchError error, std::string text, base::Milliseconds now);

  const Request request_;
  Fetcher::Done done_;
  const base::Milliseconds start_ms_;
  CURL* handle_;
  curl_slist* header_list_ = nullptr;
  Response response_;
  std::size_t head_bytes_ = 0;
  bool too_large_ = false;
};

}  // namespace tidewire::outbound
