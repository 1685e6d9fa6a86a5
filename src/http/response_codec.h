// http/response_codec.h - an answer as one frame. The only place that writes header lines, so nothing reflected splits one.
//
// Pure. One allocation: the frame. Date-free: no cache sits in front of our answers, and reading a clock per answer is not free.
// Framing headers (Content-Length, Transfer-Encoding, Connection) are ours: a handler's are dropped. The one exception is
// Content-Length on a 204, where we write none but browsers of old want to see the 0 of a preflight answer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "http/exchange.h"

namespace tidewire::http {

struct Answer {
  int status = 200;
  std::span<const Header> headers;
  std::string_view header_lines = {};  // more of them, made by append_header_line()
  std::string_view content_type = {};  // empty: no header
  std::string_view body = {};
  bool head_only = false;  // the request was HEAD: Content-Length of `body`, but no body
  bool close = false;      // announces that the connection ends
};

// A complete answer, ready to be sent.
base::Frame encode_answer(const Answer& answer);
// The same of a Response, with `header_lines` as above.
base::Frame encode_response(const Response& response, std::string_view header_lines, bool head_only, bool close);

// Appends "name: value\r\n"; false, and nothing appended, for an invalid name or value, or a framing header.
bool append_header_line(std::string& lines, std::string_view name, std::string_view value);

// "Not Found"; "Unknown" for a status this library never sends by itself.
std::string_view reason_phrase(int status) noexcept;

}  // namespace tidewire::http
