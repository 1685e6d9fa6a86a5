#include "outbound/fetcher.h"

#include <strings.h>

namespace tidewire::outbound {

std::string_view fetch_error_text(FetchError error) noexcept {
  switch (error) {
    case FetchError::kNone: return "none";
    case FetchError::kBadRequest: return "bad request";
    case FetchError::kOverloaded: return "too many requests wait";
    case FetchError::kCancelled: return "cancelled";
    case FetchError::kTimeout: return "timeout";
    case FetchError::kResolve: return "host not found";
    case FetchError::kConnect: return "cannot connect";
    case FetchError::kTls: return "TLS failed";
    case FetchError::kTooLarge: return "answer too large";
    case FetchError::kProtocol: return "no complete HTTP answer";
  }
  return "unknown";
}

std::string_view Response::header(std::string_view name) const noexcept {
  for (const Header& each : headers) {
    if (each.name.size() == name.size() && strncasecmp(each.name.data(), name.data(), name.size()) == 0) return each.value;
  }
  return {};
}

Response refused(FetchError error, std::string text) {
  Response response;
  response.error = error;
  response.error_text = std::move(text);
  return response;
}

}  // namespace tidewire::outbound
