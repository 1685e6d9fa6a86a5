#include "server/openapi.h"

#include <algorithm>

#include "server/api_idempotency.h"

namespace tidewire::server {
namespace {

struct Tag {
  std::string_view name, title;
};
constexpr Tag kTags[] = {{"publish", "Publishing"},   {"rooms", "Rooms and namespaces"}, {"connections", "Connections"},
                         {"users", "Users and tokens"}, {"statistics", "Statistics"},      {"health", "Health"},
                         {"documents", "Documents"}};

std::string right_text(const ApiEndpoint& endpoint) {
  switch (endpoint.right) {
    case ApiRight::kOpen: return "open";
    case ApiRight::kUser: return "token of a user";
    case ApiRight::kRole: return "role " + std::string(endpoint.role);
    case ApiRight::kAdmin: return "role admin";
  }
  return {};
}

// The placeholders of a path.
std::vector<std::string_view> places_of(std::string_view path) {
  std::vector<std::string_view> places;
  for (std::size_t open = path.find('{'); open != std::string_view::npos; open = path.find('{', open + 1)) {
    places.push_back(path.substr(open + 1, path.find('}', open) - open - 1));
  }
  return places;
}

std::string range_text(const ApiParameter& parameter) {
  switch (parameter.type) {
    case ApiParameter::Type::kFlag: return "true or false";
    case ApiParameter::Type::kInteger: return std::to_string(parameter.least) + " to " + std::to_string(parameter.most);
    case ApiParameter::Type::kText: return "at most " + std::to_string(parameter.most) + " bytes";
  }
  return {};
}

// The general answers that this row may give.
std::vector<ApiAnswer> answers_of(const ApiEndpoint& endpoint) {
  std::vector<ApiAnswer> answers = endpoint.answers;
  const auto add = [&answers](int status, std::string_view text) {
    if (std::ranges::find(answers, status, &ApiAnswer::status) == answers.end()) answers.push_back({status, text});
  };
  add(400, "a parameter, the path or the body is wrong");
  if (endpoint.right != ApiRight::kOpen) {
    add(401, "no key or token, or one that is no good");
    add(403, "the key or token may not do that");
  }
  if (std::ranges::find(endpoint.query, std::string_view("namespace"), &ApiParameter::name) != endpoint.query.end()) {
    add(404, "there is no such namespace");
  }
  if (!endpoint.body.empty()) {
    add(413, "the body is too large");
    add(415, "the body is no application/json");
  }
  if (endpoint.limited) add(429, "too many requests; see Retry-After");
  std::ranges::sort(answers, {}, &ApiAnswer::status);
  return answers;
}

Value parameter_value(const ApiParameter& parameter) {
  Value schema = Value::object();
  if (parameter.type == ApiParameter::Type::kFlag) schema.set("type", "boolean");
  if (parameter.type == ApiParameter::Type::kText) {
    schema.set("type", "string");
    schema.set("maxLength", parameter.most);
    if (!parameter.otherwise.empty()) schema.set("default", parameter.otherwise);
  }
  if (parameter.type == ApiParameter::Type::kInteger) {
    schema.set("type", "integer");
    schema.set("minimum", parameter.least);
    schema.set("maximum", parameter.most);
    if (!parameter.otherwise.empty()) schema.set("default", Value::parse(parameter.otherwise).value_or(Value()));
  }
  return Value::object({{"name", parameter.name}, {"in", "query"}, {"description", parameter.text}, {"schema", std::move(schema)}});
}

Value responses_of(const ApiEndpoint& endpoint) {
  Value responses = Value::object();
  for (const ApiAnswer& answer : answers_of(endpoint)) {
    const bool good = answer.status < 400 || answer.status == 503;
    Value schema = good ? Value::object() : Value::object({{"$ref", "#/components/schemas/Problem"}});
    if (good && endpoint.type != "application/json") schema = Value::object({{"type", "string"}});
    const std::string_view type = good ? endpoint.type : std::string_view("application/json");
    responses.set(std::to_string(answer.status),
                  Value::object({{"description", answer.text},
                                 {"content", Value::object({{type, Value::object({{"schema", std::move(schema)}})}})}}));
  }
  return responses;
}

// "getApiV1RoomsRoomMembers": unique, since method and path are.
std::string operation_id(const ApiEndpoint& endpoint) {
  std::string id;
  for (const char c : endpoint.method) id += static_cast<char>(c | 0x20);
  bool upper = false;
  for (const char c : endpoint.path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) id += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
    upper = !letter;
  }
  return id;
}

Value operation(const ApiEndpoint& endpoint) {
  Value made = Value::object({{"operationId", operation_id(endpoint)}, {"tags", Value::array({endpoint.tag})}, {"summary", endpoint.summary}});
  std::vector<Value> parameters;
  for (const std::string_view place : places_of(endpoint.path)) {
    parameters.push_back(Value::object({{"name", place}, {"in", "path"}, {"required", true},
                                        {"schema", Value::object({{"type", "string"}, {"minLength", 1}, {"maxLength", 256}})}}));
  }
  for (const ApiParameter& parameter : endpoint.query) parameters.push_back(parameter_value(parameter));
  if (endpoint.path.starts_with("/api/v1/publish")) {
    parameters.push_back(Value::object({{"name", "Idempotency-Key"}, {"in", "header"},
                                        {"schema", Value::object({{"type", "string"}, {"maxLength", kIdempotencyKeyBytesMax}})}}));
  }
  if (!parameters.empty()) made.set("parameters", Value::array(std::move(parameters)));
  if (!endpoint.body.empty()) {
    Value media = Value::object({{"schema", Value::parse(endpoint.body).value_or(Value())}});
    made.set("requestBody", Value::object({{"required", !endpoint.body_may_be_missing},
                                           {"content", Value::object({{"application/json", std::move(media)}})}}));
  }
  made.set("responses", responses_of(endpoint));
  if (endpoint.right == ApiRight::kOpen) {
    made.set("security", Value::array());
  } else if (endpoint.right == ApiRight::kUser) {
    made.set("security", Value::array({Value::object({{"bearer", Value::array()}})}));
  } else {
    made.set("description", "Needs the " + right_text(endpoint) + ".");
  }
  return made;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// The same, with `words` between grave accents as code.
std::string marked(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : escaped(text)) {
    if (c != '`') {
      out += c;
      continue;
    }
    out += code ? "</code>" : "<code>";
    code = !code;
  }
  return code ? out + "</code>" : out;
}

// ", 1 to 128 characters": what a schema bounds.
std::string bounds_text(const Value& schema) {
  const auto bounds = [&schema](std::string_view least, std::string_view most, std::string_view of) -> std::string {
    const Value* low = schema.find(least);
    const Value* high = schema.find(most);
    if (high == nullptr) return {};
    return ", " + (low == nullptr ? std::string("at most ") : low->to_json() + " to ") + high->to_json() + std::string(of);
  };
  return bounds("minLength", "maxLength", " characters") + bounds("minItems", "maxItems", " of them");
}

std::string type_text(const Value& schema) {
  if (const auto type = schema["type"].as_string()) {
    if (*type == "array") return "list of " + type_text(schema["items"]);
    return std::string(*type);
  }
  if (const Value* only = schema.find("const")) return only->to_json();
  std::string words;
  for (const Value& word : schema["enum"].items()) words.append(words.empty() ? "" : " | ").append(word.to_json());
  return words.empty() ? "any JSON" : words;
}

struct Member {
  std::string name, type, text;
  bool required;
};
std::vector<Member> members_of(std::string_view body) {
  std::vector<Member> members;
  const Value schema = Value::parse(body).value_or(Value());
  for (const Value::Member& member : schema["properties"].members()) {
    bool required = false;
    for (const Value& name : schema["required"].items()) required = required || name == Value(member.key);
    std::string text(member.value["description"].as_string().value_or(""));
    if (const Value* usual = member.value.find("default")) text += (text.empty() ? "default " : "; default ") + usual->to_json();
    members.push_back({member.key.text, type_text(member.value) + bounds_text(member.value), std::move(text), required});
  }
  return members;
}

void write_endpoint(std::string& out, const ApiEndpoint& endpoint) {
  out += "<article><h3><span class=\"method " + escaped(endpoint.method) + "\">" + escaped(endpoint.method) + "</span> <code>" +
         escaped(endpoint.path) + "</code> <span class=\"right\">" + escaped(right_text(endpoint)) + "</span></h3><p>" +
         marked(endpoint.summary) + "</p>";
  const std::vector<Member> members = members_of(endpoint.body);
  if (!members.empty()) {
    out += "<h4>Body</h4><table>";
    for (const Member& member : members) {
      out += "<tr><th><code>" + escaped(member.name) + "</code>" + (member.required ? " <em>required</em>" : "") + "</th><td>" +
             escaped(member.type) + "</td><td>" + marked(member.text) + "</td></tr>";
    }
    out += "</table>";
  }
  if (!endpoint.query.empty()) {
    out += "<h4>Query</h4><table>";
    for (const ApiParameter& parameter : endpoint.query) {
      out += "<tr><th><code>" + escaped(parameter.name) + "</code></th><td>" + range_text(parameter) +
             (parameter.otherwise.empty() ? std::string() : "; default " + escaped(parameter.otherwise)) + "</td><td>" +
             marked(parameter.text) + "</td></tr>";
    }
    out += "</table>";
  }
  out += "<h4>Answers</h4><table>";
  for (const ApiAnswer& answer : answers_of(endpoint)) {
    out += "<tr><th>" + std::to_string(answer.status) + "</th><td colspan=\"2\">" + marked(answer.text) + "</td></tr>";
  }
  out += "</table></article>\n";
}

constexpr std::string_view kStyle = R"(:root{color-scheme:light dark;--ink:#17212b;--soft:#5a6773;--paper:#fff;--line:#dde3e8;--fill:#f5f7f9;--accent:#0b6bcb}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa7b3;--paper:#12181e;--line:#2b353f;--fill:#1a222a;--accent:#6db3ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{margin:2.5rem 0 .75rem;padding-bottom:.3rem;border-bottom:1px solid var(--line);font-size:1.25rem}
h3{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem;margin:0;font-size:1rem}h4{margin:1rem 0 .25rem;color:var(--soft);font-size:.8rem;font-weight:600}
p{margin:.5rem 0}a{color:var(--accent)}nav a{display:inline-block;margin:0 .9rem .3rem 0}
code,pre{font:.875rem/1.45 ui-monospace,monospace;overflow-wrap:anywhere}pre{padding:.75rem;background:var(--fill);border:1px solid var(--line);border-radius:6px;white-space:pre-wrap}
article{margin:1rem 0;padding:1rem;border:1px solid var(--line);border-radius:8px}
.method{min-width:4.2rem;padding:.1rem .4rem;border-radius:4px;background:var(--accent);color:var(--paper);font-size:.8rem;font-weight:700;text-align:center}
.method.POST{background:#1a7f37;color:#fff}.method.DELETE{background:#b42318;color:#fff}
.right{margin-left:auto;color:var(--soft);font-size:.85rem;font-weight:400}
table{width:100%;border-collapse:collapse;font-size:.9rem}th,td{padding:.3rem .75rem .3rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
th{width:11rem}td:nth-child(2):not([colspan]){width:15rem;color:var(--soft)}em{color:var(--soft);font-size:.8rem}
@media(max-width:40rem){th,td,td:nth-child(2):not([colspan]){display:block;width:auto;padding:.15rem 0;border:0}tr{display:block;padding:.3rem 0;border-top:1px solid var(--line)}.right{margin-left:0;width:100%}}
)";

}  // namespace

Value openapi_document(std::span<const ApiEndpoint> table) {
  Value paths = Value::object();
  for (const ApiEndpoint& endpoint : table) {
    Value path = paths[endpoint.path];
    std::string method;
    for (const char c : endpoint.method) method += static_cast<char>(c | 0x20);
    path.set(method, operation(endpoint));
    paths.set(endpoint.path, std::move(path));
  }
  Value tags = Value::array();
  for (const Tag& tag : kTags) tags.push_back(Value::object({{"name", tag.name}, {"description", tag.title}}));
  const Value problem = Value::parse(
      R"({"type":"object","required":["ok","error"],"properties":{"ok":{"const":false},"error":{"type":"object","required":["code","message"],"properties":{"code":{"type":"string"},"message":{"type":"string"},"details":{}}}}})").value_or(Value());
  const Value schemes = Value::parse(
      R"({"bearer":{"type":"http","scheme":"bearer","description":"the admin token, a key of [[api.keys]], or a JSON Web Token"},"key":{"type":"apiKey","in":"header","name":"X-Api-Key"}})").value_or(Value());
  return Value::object({{"openapi", "3.1.0"},
                        {"info", Value::object({{"title", "tidewire"}, {"version", TIDEWIRE_VERSION}})},
                        {"tags", std::move(tags)},
                        {"security", Value::array({Value::object({{"bearer", Value::array()}}), Value::object({{"key", Value::array()}})})},
                        {"paths", std::move(paths)},
                        {"components", Value::object({{"schemas", Value::object({{"Problem", problem}})}, {"securitySchemes", schemes}})}});
}

std::string api_docs_page(std::span<const ApiEndpoint> table) {
  std::string out =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
      "<title>tidewire HTTP API</title><link rel=\"stylesheet\" href=\"/api/docs/style.css\"></head><body><h1>tidewire HTTP API</h1>"
      "<p>Version " TIDEWIRE_VERSION ". The same for programs: <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p><nav>";
  for (const Tag& tag : kTags) out += "<a href=\"#" + std::string(tag.name) + "\">" + std::string(tag.title) + "</a>";
  out += "</nav><p>A key or token goes into <code>Authorization: Bearer ...</code> or <code>X-Api-Key</code>. What is refused says so in one shape:</p>"
         "<pre>{\"ok\":false,\"error\":{\"code\":\"unknown_parameter\",\"message\":\"...\",\"details\":{...}}}</pre>\n";
  for (const Tag& tag : kTags) {
    out += "<h2 id=\"" + std::string(tag.name) + "\">" + std::string(tag.title) + "</h2>\n";
    for (const ApiEndpoint& endpoint : table) {
      if (endpoint.tag == tag.name) write_endpoint(out, endpoint);
    }
  }
  return out + "</body></html>\n";
}

std::string_view api_docs_style() noexcept { return kStyle; }

std::string api_markdown(std::span<const ApiEndpoint> table) {
  std::string out =
      "# HTTP API\n\n<!-- Written by the test OpenApi.* from the table in src/server/api_*.cc; edit those instead. -->\n\n"
      "A running server shows the same with every parameter at `/api/docs`, and for programs at `/api/openapi.json`.\n\n"
      "A key or token goes into `Authorization: Bearer ...` or `X-Api-Key`. Errors have one shape:\n"
      "`{\"ok\":false,\"error\":{\"code\":\"...\",\"message\":\"...\",\"details\":{...}}}`.\n";
  for (const Tag& tag : kTags) {
    out += "\n## " + std::string(tag.title) + "\n\n| Endpoint | Right | What | Answer |\n| --- | --- | --- | --- |\n";
    for (const ApiEndpoint& endpoint : table) {
      if (endpoint.tag != tag.name) continue;
      out += "| `" + std::string(endpoint.method) + " " + std::string(endpoint.path) + "` | " + right_text(endpoint) + " | " +
             std::string(endpoint.summary) + " | " + std::string(endpoint.answers.empty() ? "" : endpoint.answers[0].text) + " |\n";
    }
  }
  return out;
}

}  // namespace tidewire::server
