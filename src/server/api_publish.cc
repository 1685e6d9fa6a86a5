#include "server/api_publish.h"

#include <algorithm>

#include "base/base64.h"
#include "base/random.h"
#include "hub/event_name.h"
#include "policy/room_pattern.h"
#include "server/api.h"
#include "server/room_rules.h"

namespace tidewire::server {
namespace {

constexpr std::string_view kMessageSchema =
    R"({"type":"object","required":["event"],"additionalProperties":false,"properties":{
"event":{"type":"string","minLength":1,"maxLength":128,"description":"its name; those of the life-cycle (connect, disconnect, ...) are not for events"},
"data":{"description":"its one argument, any JSON; {\"$bytes\":\"<base64>\"} is octets"},
"args":{"type":"array","maxItems":100,"description":"its arguments, instead of data"},
"room":{"type":"string","description":"for the members of this room"},
"rooms":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":1000,"description":"of these rooms, each member once"},
"user":{"type":"string","description":"for every connection of this user"},
"users":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":1000},
"session":{"type":"string","description":"for the connections of this session"},
"socket":{"type":"string","description":"for one connection"},
"all":{"const":true,"description":"for everybody in the namespace"},
"namespace":{"type":"string","default":"/"},
"except":{"type":"array","items":{"type":"string"},"maxItems":1000,"description":"not for the members of these rooms"},
"volatile":{"type":"boolean","default":false,"description":"dropped for whoever cannot take it now"},
"compress":{"type":"boolean","default":true},
"idempotency_key":{"type":"string","minLength":1,"maxLength":64,"description":"the same key again answers the first answer and sends nothing"}}})";

std::string_view batch_schema() {
  static const std::string schema =
      R"({"type":"object","required":["messages"],"additionalProperties":false,"properties":{"messages":{"type":"array","minItems":1,"maxItems":1000,"items":)" +
      std::string(kMessageSchema) + "}}}";
  return schema;
}

constexpr std::string_view kAnnouncementSchema =
    R"({"type":"object","required":["message"],"additionalProperties":false,"properties":{
"title":{"type":"string","maxLength":200},"message":{"type":"string","minLength":1,"maxLength":10000},
"level":{"enum":["info","warning","error"],"default":"info"}}})";

constexpr std::string_view kTargets[] = {"room", "rooms", "user", "users", "session", "socket", "all"};

Problem problem(std::string_view code, std::string message) { return {std::string(code), std::move(message), {}}; }

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> found;
  for (const Value& item : list.items()) found.emplace_back(*item.as_string());
  return found;
}

// The rooms that are meant; nullopt with a problem.
std::optional<std::vector<std::string>> rooms_of(const Value& message, Problem& wrong) {
  const auto named = std::ranges::count_if(kTargets, [&](std::string_view name) { return message.find(name) != nullptr; });
  if (named != 1) {
    wrong = problem(api_codes::kInvalidBody, "exactly one of room, rooms, user, users, session, socket and all must be there");
    return std::nullopt;
  }
  const auto one = [&](std::string_view key, std::string_view prefix) -> std::vector<std::string> {
    return {std::string(prefix).append(*message[key].as_string())};
  };
  std::vector<std::string> rooms;
  if (message.find("room") != nullptr) rooms = one("room", "");
  if (message.find("rooms") != nullptr) rooms = texts(message["rooms"]);
  if (message.find("user") != nullptr) rooms = one("user", kUserRoomPrefix);
  if (message.find("session") != nullptr) rooms = one("session", "session:");
  if (message.find("socket") != nullptr) {
    rooms = one("socket", "");
    if (!looks_like_a_socket_id(rooms.front())) {
      wrong = problem(api_codes::kInvalidBody, "\"socket\" is the id of a connection");
      return std::nullopt;
    }
  }
  if (message.find("users") != nullptr) {
    for (std::string& user : texts(message["users"])) rooms.push_back(user_room(user));
  }
  for (const std::string& room : rooms) {
    if (policy::valid_room_name(room)) continue;
    wrong = problem(problems::kInvalidRoom, "the name of a room has 1 to 128 bytes of UTF-8 without control characters");
    return std::nullopt;
  }
  return rooms;
}

bool read_arguments(const Value& message, const PublishLimits& limits, Arguments& out, Problem& wrong) {
  const Value* args = message.find("args");
  const Value* data = message.find("data");
  if (args != nullptr && data != nullptr) {
    wrong = problem(api_codes::kInvalidBody, "either data or args, not both");
    return false;
  }
  std::size_t attachments = 0;
  std::vector<Value> values;
  if (args != nullptr) values.assign(args->items().begin(), args->items().end());
  if (data != nullptr) values.push_back(*data);
  std::string text;
  std::vector<Bytes> octets;
  JsonOut writer(text, octets);
  for (const Value& value : values) {
    Value taken;
    if (!take_bytes(value, taken, attachments)) {
      wrong = problem(api_codes::kInvalidBody, "what stands under $bytes is no base64");
      return false;
    }
    writer.value(taken);
  }
  if (attachments > limits.attachments_max) {
    wrong = problem(api_codes::kInvalidBody, "at most " + std::to_string(limits.attachments_max) + " pieces of octets in one message");
    return false;
  }
  out = Arguments(std::move(text), values.size(), std::move(octets));
  return true;
}

std::string new_id() {
  unsigned char bytes[15];
  base::SystemRandom().fill(bytes);
  std::string id(20, '\0');
  base::base64url_encode(std::span<const unsigned char>(bytes), id.data());
  return id;
}

Value sent(const ApiIdempotency::Claim& claim) {
  Value answer = Value::object({{"id", claim.id}});
  if (claim.duplicate) answer.set("duplicate", true);
  return answer;
}

class Publisher {
 public:
  explicit Publisher(std::shared_ptr<ApiContext> context) : context_(std::move(context)) {}

  void one(ApiCall& call) const {
    std::vector<Publication> messages;
    if (!read(call, call.body, messages, Value())) return;
    if (messages[0].idempotency_key.empty()) messages[0].idempotency_key = call.idempotency_key;
    if (const auto claims = send_all(call, messages, {&call.body, 1})) call.accept(sent((*claims)[0]));
  }

  // Each message is judged before the first one is sent.
  void batch(ApiCall& call) const {
    const std::span<const Value> bodies = call.body["messages"].items();
    std::vector<Publication> messages;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      if (!read(call, bodies[i], messages, Value::object({{"index", i}}))) return;
      std::string& key = messages.back().idempotency_key;
      if (key.empty() && !call.idempotency_key.empty()) key = call.idempotency_key + '\n' + std::to_string(i);
    }
    const auto claims = send_all(call, messages, bodies);
    if (!claims) return;
    std::vector<Value> results;
    for (const ApiIdempotency::Claim& claim : *claims) results.push_back(sent(claim));
    call.accept(Value::object({{"results", Value::array(std::move(results))}}));
  }

 private:
  bool read(ApiCall& call, const Value& body, std::vector<Publication>& messages, Value where) const {
    Problem wrong;
    const auto knows = [this](std::string_view name) { return context_->io.accepts_namespace(name); };
    auto message = read_publication(body, {knows, context_->settings.socketio.attachments_max}, wrong);
    if (message.ok()) {
      messages.push_back(std::move(*message));
      return true;
    }
    call.refuse(400, wrong.code, wrong.message, std::move(where));
    return false;
  }

  std::optional<std::vector<ApiIdempotency::Claim>> send_all(ApiCall& call, std::span<const Publication> messages,
                                                             std::span<const Value> bodies) const {
    std::vector<ApiIdempotency::Claim> claims(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      claims[i].id = new_id();
      if (messages[i].idempotency_key.empty()) continue;
      claims[i].key = ApiIdempotency::scoped_key(call.tenant, call.caller.scope(), messages[i].idempotency_key);
      claims[i].digest = ApiIdempotency::digest_of(bodies[i].to_json());
    }
    const std::size_t other = context_->idempotency.claim(claims, context_->now_ms());
    if (other != ApiIdempotency::kAllGood) {
      call.refuse(409, api_codes::kIdempotencyMismatch, "this idempotency key was used for another message",
                  Value::object({{"index", other}}));
      return std::nullopt;
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (!claims[i].duplicate) send(messages[i], context_->space(call, messages[i].namespace_name));
    }
    return claims;
  }

  std::shared_ptr<ApiContext> context_;
};

void announce(const ApiContext& context, const ApiCallPointer& call) {
  const Value* level = call->body.find("level");
  Value announcement = Value::object({{"message", call->body["message"]}, {"level", level != nullptr ? *level : Value("info")},
                                      {"timestamp", iso_time(wall_clock_ms())}});
  if (const Value* title = call->body.find("title")) announcement.set("title", *title);
  const BroadcastOperator everybody = context.space(*call, "/").to("global");
  everybody.emit("system-announcement", announcement);
  everybody.count_sockets().then([log = context.services.log, call, announcement](SocketsCount reached) {
    if (log != nullptr) {
      log->write(LogLevel::kInfo, "System announcement delivered", {{"connections", std::to_string(reached.count)}, {"by", call->caller.name}});
    }
    call->accept(Value::object({{"announcement", announcement}, {"connections", reached.count}}));
  });
}

void test_broadcast(const ApiContext& context, ApiCall& call) {
  const Value* given = call.body.find("message");
  const Value message = given != nullptr ? *given : Value("Test broadcast message");
  const Value event = Value::object({{"message", message}, {"timestamp", iso_time(wall_clock_ms())}});
  context.space(call, "/").to("global").emit("test-broadcast", event);
  call.answer(Value::object({{"success", true}, {"message", message}, {"timestamp", event["timestamp"]}, {"event", "test-broadcast"},
                             {"room", "global"}}));
}

}  // namespace

bool take_bytes(const Value& value, Value& out, std::size_t& attachments) {
  if (value.is_array()) {
    out = Value::array();
    for (const Value& item : value.items()) {
      Value taken;
      if (!take_bytes(item, taken, attachments)) return false;
      out.push_back(std::move(taken));
    }
    return true;
  }
  if (!value.is_object()) {
    out = value;
    return true;
  }
  const auto base64 = value["$bytes"].as_string();
  if (value.size() == 1 && base64) {
    std::string octets;
    if (!base::base64_decode(*base64, octets)) return false;
    ++attachments;
    out = Bytes::take(std::move(octets));
    return true;
  }
  std::vector<Value::Member> members;
  for (const Value::Member& member : value.members()) {
    Value taken;
    if (!take_bytes(member.value, taken, attachments)) return false;
    members.push_back({member.key, std::move(taken)});
  }
  out = Value::object(std::move(members));
  return true;
}

Result<Publication> read_publication(const Value& message, const PublishLimits& limits, Problem& wrong) {
  const Status no(StatusCode::kInvalidArgument, "see the problem");
  Publication publication;
  publication.event = *message["event"].as_string();
  if (publication.event.size() > kEventNameBytesMax || hub::is_reserved_event(publication.event)) {
    wrong = problem(api_codes::kInvalidEvent, "\"" + publication.event.substr(0, kEventNameBytesMax) + "\" is no name for an event");
    return no;
  }
  if (const Value* name = message.find("namespace")) publication.namespace_name = *name->as_string();
  if (!limits.knows_namespace(publication.namespace_name)) {
    wrong = problem(api_codes::kUnknownNamespace, "there is no such namespace");
    return no;
  }
  auto rooms = rooms_of(message, wrong);
  if (!rooms) return no;
  publication.rooms = std::move(*rooms);
  publication.except = texts(message["except"]);
  publication.is_volatile = message["volatile"].as_bool().value_or(false);
  publication.compress = message["compress"].as_bool().value_or(true);
  publication.idempotency_key = message["idempotency_key"].as_string().value_or("");
  if (publication.idempotency_key.size() > kIdempotencyKeyBytesMax) {
    wrong = problem(api_codes::kInvalidBody, "an idempotency key has at most 64 bytes");
    return no;
  }
  if (!read_arguments(message, limits, publication.arguments, wrong)) return no;
  return publication;
}

void send(const Publication& publication, BroadcastOperator everybody) {
  BroadcastOperator to = everybody.to(publication.rooms).except(publication.except).compress(publication.compress);
  if (publication.is_volatile) to = to.volatile_();
  to.emit(publication.event, publication.arguments.view());
}

void add_publish_endpoints(const std::shared_ptr<ApiContext>& context, std::vector<ApiEndpoint>& table) {
  const auto publisher = std::make_shared<const Publisher>(context);
  table.push_back({.method = "POST", .path = "/api/v1/publish", .tag = "publish", .summary = "Send an event to a room, a user, a session, a socket or everybody.",
                   .right = ApiRight::kRole, .role = "publish", .body = kMessageSchema,
                   .answers = {{200, "{ok, id, duplicate?}; sent to those who are there now"},
                               {409, "the idempotency key was used for another message"}},
                   .handler = [publisher](const ApiCallPointer& call) { publisher->one(*call); }});
  table.push_back({.method = "POST", .path = "/api/v1/publish/batch", .tag = "publish",
                   .summary = "Send up to 1,000 events; all are judged before the first is sent.", .right = ApiRight::kRole,
                   .role = "publish", .body = batch_schema(),
                   .answers = {{200, "{ok, results: [{id, duplicate?}]}, in the order of the messages"},
                               {409, "an idempotency key was used for another message; nothing was sent"}},
                   .handler = [publisher](const ApiCallPointer& call) { publisher->batch(*call); }});
  table.push_back({.method = "POST", .path = "/api/v1/announcements", .tag = "publish",
                   .summary = "Send `system-announcement` {title?, message, level, timestamp} to the room global.",
                   .right = ApiRight::kRole, .role = "publish", .body = kAnnouncementSchema,
                   .answers = {{200, "{ok, announcement, connections}: what was sent, and to how many"}},
                   .handler = [context](const ApiCallPointer& call) { announce(*context, call); }});
  if (!context->settings.api.test_broadcast) return;
  table.push_back({.method = "POST", .path = "/api/websocket/test-broadcast", .tag = "publish",
                   .summary = "Send `test-broadcast` {message, timestamp} to the room global.", .right = ApiRight::kRole, .role = "publish",
                   .body = R"({"type":"object","additionalProperties":false,"properties":{"message":{"type":"string","maxLength":1000}}})",
                   .body_may_be_missing = true,
                   .answers = {{200, "{success, message, timestamp, event, room}"}},
                   .handler = [context](const ApiCallPointer& call) { test_broadcast(*context, *call); }});
}

}  // namespace tidewire::server
