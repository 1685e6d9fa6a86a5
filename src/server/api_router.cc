#include "server/api_router.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/json_scanner.h"
#include "base/utf8.h"
#include "http/exchange.h"
#include "http/query.h"
#include "server/config_node.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kTenantText = "Whose rooms and sockets; for the administrator of no tenant. Others have their own.";
constexpr ApiParameter kTenant{.name = "tenant", .text = kTenantText};

// At most so many as no row has: a longer path is no row's.
constexpr std::size_t kSegmentsMax = 16;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (segments.size() < kSegmentsMax) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
  return {};
}

bool is_place(std::string_view segment) noexcept { return segment.starts_with('{'); }

bool good_name(std::string_view text) noexcept { return base::valid_utf8(text) && !base::has_control_characters(text); }

ApiProblem bad(std::string_view code, std::string message, Value details = {}) {
  return {400, {.code = std::string(code), .message = std::move(message), .details = std::move(details)}};
}

// Like decode_form, but a bad escape is an error.
bool decode_value(std::string_view text, std::string& out) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return http::decode_path(spaced, out);
}

std::optional<std::string> wrong_value(const ApiParameter& parameter, std::string_view value) {
  using Type = ApiParameter::Type;
  if (parameter.type == Type::kFlag) {
    if (value == "true" || value == "false") return std::nullopt;
    return "must be true or false";
  }
  if (parameter.type == Type::kText) {
    if (!good_name(value)) return "must be UTF-8 without control characters";
    if (value.size() <= static_cast<std::size_t>(parameter.most)) return std::nullopt;
    return "must have at most " + std::to_string(parameter.most) + " bytes";
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  if (whole && number >= parameter.least && number <= parameter.most) return std::nullopt;
  return "must be a whole number from " + std::to_string(parameter.least) + " to " + std::to_string(parameter.most);
}

}  // namespace

ApiRouter::ApiRouter(std::vector<ApiEndpoint> endpoints) : endpoints_(std::move(endpoints)) {
  for (ApiEndpoint& endpoint : endpoints_) {
    if (endpoint.takes_tenant()) endpoint.query.push_back(kTenant);
    Row row{.segments = split(endpoint.path), .body = {}};
    if (!endpoint.body.empty()) {
      const auto text = Value::parse(endpoint.body);
      TW_ASSERT(text.ok());
      auto schema = policy::JsonSchema::compile(*text);
      TW_ASSERT(schema.ok());
      row.body = std::move(*schema);
    }
    rows_.push_back(std::move(row));
  }
}

bool ApiRouter::fits(const Row& row, const std::vector<std::string_view>& segments) noexcept {
  if (row.segments.size() != segments.size()) return false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_place(row.segments[i]) && row.segments[i] != segments[i]) return false;
  }
  return true;
}

ApiRouter::Match ApiRouter::find(std::string_view method, std::string_view path) const {
  Match match;
  const std::vector<std::string_view> segments = split(path);
  const Row* row = nullptr;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!fits(rows_[i], segments)) continue;
    row = &rows_[i];
    const std::string_view serves = endpoints_[i].method;
    match.methods.append(match.methods.empty() ? "" : ", ").append(serves);
    if (serves == "GET") match.methods += ", HEAD";
    if (serves == method || (serves == "GET" && method == "HEAD")) match.endpoint = &endpoints_[i];
  }
  if (row == nullptr) return match;
  match.methods += ", OPTIONS";
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_place(row->segments[i])) continue;
    const std::string_view name = row->segments[i].substr(1, row->segments[i].size() - 2);
    std::string value;
    if (!http::decode_path(segments[i], value)) {
      match.failure = "the path has an escape that is none";
    } else if (value.empty() || value.size() > kApiNameBytesMax) {
      match.failure = "a name in the path must have 1 to 256 bytes";
    } else if (!good_name(value)) {
      match.failure = "a name in the path must be UTF-8 without control characters";
    }
    match.places.emplace_back(name, std::move(value));
  }
  return match;
}

std::optional<ApiProblem> ApiRouter::read_query(const ApiEndpoint& endpoint, std::string_view query, Places& out) {
  std::optional<ApiProblem> problem;
  std::vector<std::string_view> known;
  for (const ApiParameter& parameter : endpoint.query) known.push_back(parameter.name);
  http::Query(query).for_each_raw([&](std::string_view raw_key, std::string_view raw_value) {
    if (problem) return;
    std::string key;
    std::string value;
    if (!decode_value(raw_key, key) || !decode_value(raw_value, value)) {
      problem = bad(api_codes::kInvalidParameter, "the query has an escape that is none");
      return;
    }
    const auto parameter = std::ranges::find(endpoint.query, std::string_view(key), &ApiParameter::name);
    const std::string shown = good_name(key) ? key.substr(0, 64) : std::string("(no text)");
    const Value where = Value::object({{"parameter", shown}});
    if (parameter == endpoint.query.end()) {
      problem = bad(api_codes::kUnknownParameter, "unknown parameter \"" + shown + "\"" + suggestion(shown, known), where);
    } else if (std::ranges::find(out, parameter->name, &Places::value_type::first) != out.end()) {
      problem = bad(api_codes::kInvalidParameter, "the parameter \"" + shown + "\" came twice", where);
    } else if (auto wrong = wrong_value(*parameter, value)) {
      problem = bad(api_codes::kInvalidParameter, "the parameter \"" + shown + "\" " + *wrong, where);
    } else {
      out.emplace_back(parameter->name, std::move(value));
    }
  });
  for (const ApiParameter& parameter : endpoint.query) {
    if (parameter.otherwise.empty() || std::ranges::find(out, parameter.name, &Places::value_type::first) != out.end()) continue;
    out.emplace_back(parameter.name, std::string(parameter.otherwise));
  }
  return problem;
}

std::optional<ApiProblem> ApiRouter::read_body(const ApiEndpoint& endpoint, std::string_view content_type, std::string_view body,
                                               const BodyLimits& limits, Value& out) const {
  const auto& schema = rows_[static_cast<std::size_t>(&endpoint - endpoints_.data())].body;
  if (!schema) {
    if (body.empty()) return std::nullopt;
    return bad(api_codes::kInvalidBody, "this endpoint takes no body");
  }
  if (body.empty() && endpoint.body_may_be_missing) {
    out = Value::object();
    return std::nullopt;
  }
  // Also what stops a page of somebody else: its browser asks first before it sends JSON anywhere.
  if (!is_json_type(content_type)) {
    return ApiProblem{415, {std::string(api_codes::kUnsupportedMediaType), "the Content-Type must be application/json", {}}};
  }
  if (body.size() > limits.bytes_max) {
    return ApiProblem{413, {std::string(api_codes::kBodyTooLarge), "the body must have at most " + std::to_string(limits.bytes_max) + " bytes", {}}};
  }
  const base::JsonError scan_error = base::scan_json(body, {.depth = limits.depth_max, .nodes = kApiBodyNodesMax});
  if (scan_error == base::JsonError::kTooDeep) {
    return bad(api_codes::kInvalidJson, "the body is deeper than " + std::to_string(limits.depth_max) + " levels");
  }
  if (scan_error != base::JsonError::kOk) {
    return bad(api_codes::kInvalidJson, "the body is no JSON: " + std::string(base::json_error_text(scan_error)));
  }
  auto value = Value::parse(body);
  if (!value.ok()) return bad(api_codes::kInvalidJson, "the body is no JSON: " + value.status().message());
  if (const auto violation = schema->validate(*value)) {
    const Value where = Value::object({{"pointer", violation->pointer}, {"keyword", violation->keyword}});
    return bad(api_codes::kInvalidBody, (violation->pointer.empty() ? "the body" : violation->pointer) + ": " + violation->message, where);
  }
  out = std::move(*value);
  return std::nullopt;
}

bool is_json_type(std::string_view content_type) noexcept {
  const auto trim = [](std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
  };
  const std::size_t semicolon = content_type.find(';');
  if (!http::equals_ignoring_case(trim(content_type.substr(0, semicolon)), "application/json")) return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trim(content_type.substr(semicolon + 1));
  return http::equals_ignoring_case(parameter, "charset=utf-8") || http::equals_ignoring_case(parameter, "charset=\"utf-8\"");
}

}  // namespace tidewire::server
