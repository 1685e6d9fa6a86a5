// answer = "HTTP/1.1 " status SP reason CRLF *( name ": " value CRLF ) CRLF [ body ]
#include "http/response_codec.h"

#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "http/request_codec.h"

namespace tidewire::http {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kContentType = "Content-Type";
constexpr std::string_view kClose = "Connection: close\r\n";

bool is_framing(std::string_view name) noexcept {
  return equals_ignoring_case(name, "content-length") || equals_ignoring_case(name, "transfer-encoding") ||
         equals_ignoring_case(name, "connection");
}

bool writable(const Header& header, int status) noexcept {
  if (!valid_header_name(header.name) || !valid_header_value(header.value)) return false;
  if (!is_framing(header.name)) return true;
  return status == 204 && header.value == "0" && equals_ignoring_case(header.name, "content-length");
}

bool has_length(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

// First measures, then writes: the same walk with another sink, so the two cannot disagree.
struct Measure {
  std::size_t bytes = 0;
  void put(std::string_view text) noexcept { bytes += text.size(); }
};
struct Write {
  char* at;
  void put(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
};

std::string_view decimal(std::uint64_t number, std::span<char, 20> buffer) noexcept {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

template <typename Sink>
void put_header(Sink& sink, const Header& header) {
  sink.put(header.name);
  sink.put(": ");
  sink.put(header.value);
  sink.put(kCrlf);
}

template <typename Sink>
void put_answer(Sink& sink, const Answer& answer) {
  std::array<char, 20> digits;
  sink.put("HTTP/1.1 ");
  sink.put(decimal(static_cast<std::uint64_t>(answer.status), digits));
  sink.put(" ");
  sink.put(reason_phrase(answer.status));
  sink.put(kCrlf);
  if (!answer.content_type.empty()) put_header(sink, {kContentType, answer.content_type});
  if (has_length(answer.status)) put_header(sink, {"Content-Length", decimal(answer.body.size(), digits)});
  for (const Header& header : answer.headers) {
    if (writable(header, answer.status)) put_header(sink, header);
  }
  sink.put(answer.header_lines);
  if (answer.close) sink.put(kClose);
  sink.put(kCrlf);
  if (!answer.head_only && has_length(answer.status)) sink.put(answer.body);
}

}  // namespace

base::Frame encode_answer(const Answer& answer) {
  TW_ASSERT(answer.status >= 100 && answer.status <= 999);
  Measure measure;
  put_answer(measure, answer);
  base::Frame frame = base::Frame::allocate(measure.bytes);
  Write write{frame.data()};
  put_answer(write, answer);
  frame.set_extent(0, measure.bytes);
  return frame;
}

base::Frame encode_response(const Response& response, std::string_view header_lines, bool head_only, bool close) {
  // Handlers give few headers; more than these go the long way.
  std::array<Header, 16> few;
  std::vector<Header> many;
  std::span<Header> headers(few);
  if (response.headers.size() > few.size()) {
    many.resize(response.headers.size());
    headers = many;
  }
  std::size_t count = 0;
  for (const auto& [name, value] : response.headers) headers[count++] = {name, value};
  return encode_answer({.status = response.status,
                        .headers = headers.first(count),
                        .header_lines = header_lines,
                        .content_type = response.content_type,
                        .body = response.body,
                        .head_only = head_only,
                        .close = close});
}

bool append_header_line(std::string& lines, std::string_view name, std::string_view value) {
  if (!valid_header_name(name) || !valid_header_value(value)) return false;
  if (is_framing(name)) return false;
  lines.append(name).append(": ").append(value).append(kCrlf);
  return true;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Entity";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace tidewire::http
