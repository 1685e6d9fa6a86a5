#include "engineio/polling_response.h"

#include <utility>

namespace tidewire::engineio {
namespace {

constexpr int kCompressionLevel = 1;  // made once for one reader: fast

}  // namespace

http::Coding payload_coding(const http::Request& request, const Options& options) {
  if (!options.http_compression) return http::Coding::kIdentity;
  return http::choose_coding(request.header("accept-encoding"), http::Coding::kGzip);
}

http::Response payload_response(std::string payload, http::Coding coding, const Options& options) {
  http::Response response;
  // Not a page, whatever a browser may guess from what users wrote to each other.
  response.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  response.content_type = "text/plain; charset=UTF-8";
  response.body = std::move(payload);
  if (coding == http::Coding::kIdentity || response.body.size() < options.http_compression_threshold) return response;
  std::string coded = http::compress(response.body, coding, kCompressionLevel);
  if (coded.empty()) return response;
  response.body = std::move(coded);
  response.headers.emplace_back("Content-Encoding", http::coding_name(coding));
  return response;
}

http::Response taken_response() {
  return {.status = 200, .headers = {{"Cache-Control", "no-store"}}, .body = "ok", .content_type = "text/html"};
}

http::Response bad_payload_response() {
  return {.status = 400,
          .headers = {},
          .body = R"({"code":3,"message":"Bad request"})",
          .content_type = "application/json",
          .close = true};
}

http::Response refused_response() { return {.status = 400, .headers = {}, .body = {}, .close = true}; }

}  // namespace tidewire::engineio
