#include "server/api_endpoint.h"

#include <charconv>

#include "base/assert.h"

namespace tidewire::server {

ApiCall::~ApiCall() {
  if (!answered_) refuse(500, api_codes::kInternal, "no answer was given");
}

const std::string& ApiCall::place(std::string_view name) const {
  for (const auto& [key, value] : path) {
    if (key == name) return value;
  }
  static const std::string nowhere;
  TW_ASSERT(false);
  return nowhere;
}

bool ApiCall::has(std::string_view name) const noexcept {
  for (const auto& [key, value] : query) {
    if (key == name) return true;
  }
  return false;
}

std::string ApiCall::text(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

std::int64_t ApiCall::number(std::string_view name) const {
  const std::string digits = text(name);
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

void ApiCall::refuse(int status, std::string_view code, std::string message, Value details, ApiHeaders more) {
  const Problem problem{.code = std::string(code), .message = std::move(message), .details = std::move(details)};
  send(status, "application/json", refusal(problem).to_json(), std::move(more), code);
}

void ApiCall::send(int status, std::string_view type, std::string text, ApiHeaders more, std::string_view code) {
  if (std::exchange(answered_, true)) return;
  if (answered_by_) answered_by_(*this, status, code);
  for (auto& header : more) headers_.push_back(std::move(header));
  reply_.send(status, type, std::move(text), std::move(headers_));
}

}  // namespace tidewire::server
