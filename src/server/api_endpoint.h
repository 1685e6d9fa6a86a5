// server/api_endpoint.h - the HTTP API as a table: one row for each method of each path.
//
//   row --> dispatch        path, method, right, parameters and body are judged before the handler runs
//       --> /api/openapi.json, /api/docs, docs/http-api.md
//
// What the table says is what is enforced: there is no second description that could be wrong.
// Lifetime: rows and their texts live as long as the server. Threads: rows are immutable; handlers run on the shard of the
// request, or where the judge of its token answered; an ApiCall may travel.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api_caller.h"
#include "server/problem.h"
#include "tidewire/http.h"
#include "tidewire/value.h"

namespace tidewire::server {

// Codes of the HTTP API, beside those of problem.h.
namespace api_codes {
inline constexpr std::string_view kNotFound = "not_found";
inline constexpr std::string_view kMethodNotAllowed = "method_not_allowed";
inline constexpr std::string_view kInvalidPath = "invalid_path";
inline constexpr std::string_view kInvalidParameter = "invalid_parameter";
inline constexpr std::string_view kUnknownParameter = "unknown_parameter";
inline constexpr std::string_view kUnsupportedMediaType = "unsupported_media_type";
inline constexpr std::string_view kBodyTooLarge = "body_too_large";
inline constexpr std::string_view kInvalidJson = "invalid_json";
inline constexpr std::string_view kInvalidBody = "invalid_body";
inline constexpr std::string_view kInvalidEvent = "invalid_event";
inline constexpr std::string_view kUnknownNamespace = "unknown_namespace";
inline constexpr std::string_view kIdempotencyMismatch = "idempotency_mismatch";
inline constexpr std::string_view kNotAvailable = "not_available";  // this server has no such part
inline constexpr std::string_view kInternal = "internal";
}  // namespace api_codes

enum class ApiRight : std::uint8_t {
  kOpen,   // everybody
  kUser,   // somebody with a good token
  kRole,   // a key or a token with the role of the row
  kAdmin,  // the admin token, a key or a token with the role admin
};

struct ApiParameter {
  enum class Type : std::uint8_t { kText, kInteger, kFlag };
  std::string_view name;
  std::string_view text;  // a sentence for people
  Type type = Type::kText;
  std::int64_t least = 0;  // of a number; of a text its bytes
  std::int64_t most = 128;
  std::string_view otherwise = {};  // as it would be written; empty: none
};

struct ApiAnswer {
  int status;
  std::string_view text;
};

class ApiCall;
using ApiCallPointer = std::shared_ptr<ApiCall>;

struct ApiEndpoint {
  std::string_view method;
  std::string_view path;  // "/api/v1/rooms/{room}": a name in braces is one segment
  std::string_view tag;
  std::string_view summary;
  ApiRight right = ApiRight::kOpen;
  std::string_view role = {};  // kRole
  bool whole_server = false;   // not for callers who are bound to a tenant
  bool figures = false;        // how many clients there are: with tenants it takes the role "read", and tells of the caller's own
  bool limited = true;         // counts against the rate; probes do not
  std::vector<ApiParameter> query = {};
  std::string_view body = {};  // a JSON Schema as text; empty: no body
  bool body_may_be_missing = false;
  std::vector<ApiAnswer> answers = {};  // the good one first, then those beyond the general ones
  std::string_view type = "application/json";
  std::function<void(const ApiCallPointer&)> handler = {};

  bool takes_tenant() const noexcept { return (right >= ApiRight::kRole || figures) && !whole_server; }
};

using ApiHeaders = std::vector<std::pair<std::string, std::string>>;

// A request that was found good, until it is answered. Answered once; dropped unanswered it is a 500 in the usual shape.
class ApiCall {
 public:
  ApiCall(HttpReply reply, ApiHeaders headers) : reply_(std::move(reply)), headers_(std::move(headers)) {}
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;
  ~ApiCall();

  // Hears of the answer, before it is sent. `code`: of a refusal.
  using Answered = UniqueFunction<void(const ApiCall& call, int status, std::string_view code)>;
  void on_answer(Answered answered) { answered_by_ = std::move(answered); }

  // Filled by the dispatch.
  const ApiEndpoint* endpoint = nullptr;
  std::vector<std::pair<std::string_view, std::string>> path;   // decoded
  std::vector<std::pair<std::string_view, std::string>> query;  // decoded, with the values of those that were not sent
  Value body;
  std::string idempotency_key;  // of the header
  ApiCaller caller;
  std::string tenant;           // whose rooms and sockets this is about

  // A placeholder of the path. REQUIRES: the row has it
  const std::string& place(std::string_view name) const;
  bool has(std::string_view name) const noexcept;
  // Empty, 0, false when it was not sent and has no value of its own.
  std::string text(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
  bool flag(std::string_view name) const { return text(name) == "true"; }

  // {"ok":true, members of `more`}
  void accept(Value more = {}) { answer(acceptance(std::move(more))); }
  void answer(const Value& value, int status = 200) { send(status, "application/json", value.to_json()); }
  void refuse(int status, std::string_view code, std::string message, Value details = {}, ApiHeaders more = {});
  void send(int status, std::string_view type, std::string text, ApiHeaders more = {}, std::string_view code = {});

 private:
  HttpReply reply_;
  ApiHeaders headers_;
  Answered answered_by_;
  bool answered_ = false;
};

}  // namespace tidewire::server
