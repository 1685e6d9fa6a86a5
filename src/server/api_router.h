// server/api_router.h - from a request to the row of the table that answers it, or to what is wrong with the request.
//
//   path --find--> the rows of that path (one for each method) and its placeholders, decoded
//        --read_query--> each parameter known, once, of its type and in its range
//        --read_body--> JSON, bounded, as the schema of the row says
//
// Pure: no clock, no sockets, no answer sent. Names are decoded strictly: a bad escape, bytes that are no UTF-8 and control
// characters are errors, never another name.
// Threads: immutable once made.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/json_schema.h"
#include "server/api_endpoint.h"

namespace tidewire::server {

inline constexpr std::size_t kApiNameBytesMax = 256;  // of a decoded segment of a path
inline constexpr std::size_t kApiBodyNodesMax = 200'000;  // JSON values in a body

struct ApiProblem {
  int status;
  Problem problem;
};

class ApiRouter {
 public:
  // REQUIRES: schemas that compile, methods and paths that stand once
  explicit ApiRouter(std::vector<ApiEndpoint> endpoints);
  ApiRouter(const ApiRouter&) = delete;
  ApiRouter& operator=(const ApiRouter&) = delete;

  const std::vector<ApiEndpoint>& endpoints() const noexcept { return endpoints_; }

  using Places = std::vector<std::pair<std::string_view, std::string>>;
  struct Match {
    const ApiEndpoint* endpoint = nullptr;  // null: no such method there
    std::string methods;                    // of that path: "GET, HEAD, OPTIONS"; empty: no such path
    std::string_view failure = {};          // what is wrong with the path
    Places places = {};
  };
  // HEAD is answered by GET.
  Match find(std::string_view method, std::string_view path) const;

  // Every parameter of the row that was sent or has a value of its own.
  static std::optional<ApiProblem> read_query(const ApiEndpoint& endpoint, std::string_view query, Places& out);
  struct BodyLimits {
    std::size_t bytes_max;
    std::size_t depth_max;
  };
  std::optional<ApiProblem> read_body(const ApiEndpoint& endpoint, std::string_view content_type, std::string_view body,
                                      const BodyLimits& limits, Value& out) const;

 private:
  struct Row {
    std::vector<std::string_view> segments;
    std::optional<policy::JsonSchema> body;
  };
  static bool fits(const Row& row, const std::vector<std::string_view>& segments) noexcept;

  std::vector<ApiEndpoint> endpoints_;
  std::vector<Row> rows_;  // as endpoints_
};

// "application/json", with charset=utf-8 or without.
bool is_json_type(std::string_view content_type) noexcept;

}  // namespace tidewire::server
