#include "server/filling.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "server/clock.h"

namespace tidewire::server {
namespace {

constexpr std::size_t kDepthMax = 16;
constexpr std::array<std::string_view, 6> kSenderFields = {"id", "name", "email", "tenant", "socket", "address"};

// RFC 9562, version 4.
std::string uuid() {
  thread_local base::SystemRandom random;
  std::array<unsigned char, 16> bytes{};
  random.fill(bytes);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

// "a.b" of a value; the value itself for an empty path.
const Value& member_at(const Value& value, std::string_view path) {
  const Value* here = &value;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    here = &(*here)[path.substr(0, dot)];
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return *here;
}

// "sender.id" into "sender" and "id".
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const std::size_t dot = path.find('.');
  return {path.substr(0, dot), dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1)};
}

}  // namespace

std::optional<std::string> Filling::sender_text(std::string_view field) const {
  const auto known = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
  if (field == "id") return known(sender_.user_id);
  if (field == "name") return known(sender_.name);
  if (field == "email") return known(sender_.email);
  if (field == "tenant") return known(sender_.tenant);
  if (field == "socket") return socket_.id();
  return known(socket_.address());
}

Value Filling::value(std::string_view path) const {
  const auto [first, rest] = split(path);
  if (first == "sender") {
    auto text = sender_text(rest);
    return text ? Value(std::move(*text)) : Value();
  }
  if (first == "claims") return member_at(sender_.claims, rest);
  if (first == "payload") return member_at(payload_, rest);
  if (path == "time") return iso_time(wall_clock_ms());
  if (path == "time_ms") return wall_clock_ms();
  if (path == "uuid") return uuid();
  return member_at(payload_, path);
}

std::optional<std::string> Filling::text(std::string_view path) const {
  const auto [first, rest] = split(path);
  if (first == "sender") return sender_text(rest);
  if (first == "claims") return policy::value_at(sender_.claims, rest);
  if (first == "payload") return policy::value_at(payload_, rest);
  return policy::value_at(value(path), "");
}

Status Filling::check(std::string_view path) {
  const auto [first, rest] = split(path);
  if (first == "sender" && std::ranges::find(kSenderFields, rest) == kSenderFields.end()) {
    return Status(StatusCode::kInvalidArgument,
                  "\"" + std::string(path) + "\" is nothing: of the sender there are id, name, email, tenant, socket and address");
  }
  if (first == "claims" && rest.empty()) return Status(StatusCode::kInvalidArgument, "\"claims\" needs the name of one: claims.team");
  return Status();
}

namespace {

Status check_paths(const policy::Template& text) {
  for (const policy::Template::Piece& piece : text.pieces()) {
    if (piece.path.empty()) continue;
    if (Status status = Filling::check(piece.path); !status.ok()) return status;
  }
  return Status();
}

}  // namespace

Result<policy::Template> compile_room_template(std::string_view text) {
  // One place alone is a whole name, colons and all: who may go there is asked afterwards, of whatever room it turns out to be.
  const bool whole = text.starts_with('{') && text.find('}') == text.size() - 1;
  auto compiled = policy::Template::compile(text, whole ? policy::Template::Use::kText : policy::Template::Use::kRoom);
  if (!compiled.ok()) return compiled;
  if (Status status = check_paths(*compiled); !status.ok()) return status;
  return compiled;
}

// ---- values

struct ValueTemplate::Node {
  Value literal;                         // when there is nothing below
  std::string place;                     // a text that is one place alone
  std::optional<policy::Template> text;  // a text with places
  Value::Kind kind = Value::Kind::kNull; // kArray or kObject: of the parts
  std::vector<std::pair<Text, std::shared_ptr<const Node>>> parts;
};

Result<std::shared_ptr<const ValueTemplate::Node>> ValueTemplate::compile_node(const Value& value, std::size_t depth) {
  using Made = std::shared_ptr<const Node>;
  if (depth > kDepthMax) return Status(StatusCode::kInvalidArgument, "is nested too deeply");
  auto node = std::make_shared<Node>();
  node->literal = value;
  if (const auto text = value.as_string(); text && text->find_first_of("{}") != std::string_view::npos) {
    auto compiled = policy::Template::compile(*text, policy::Template::Use::kText);
    if (!compiled.ok()) return compiled.status();
    if (Status status = check_paths(*compiled); !status.ok()) return status;
    const auto& pieces = compiled->pieces();
    if (pieces.size() == 1 && pieces.front().literal.empty()) {
      node->place = pieces.front().path;
    } else {
      node->text = std::move(*compiled);
    }
  }
  const auto add = [&](Text key, const Value& part) -> Status {
    auto made = compile_node(part, depth + 1);
    if (!made.ok()) return made.status();
    node->parts.emplace_back(std::move(key), std::move(*made));
    return Status();
  };
  if (value.is_array() || value.is_object()) node->kind = value.kind();
  for (const Value& item : value.items()) {
    if (Status status = add({}, item); !status.ok()) return status;
  }
  for (const Value::Member& member : value.members()) {
    if (Status status = add(member.key, member.value); !status.ok()) return status;
  }
  return Made(std::move(node));
}

Result<ValueTemplate> ValueTemplate::compile(const Value& value) {
  auto root = compile_node(value, 0);
  if (!root.ok()) return root.status();
  return ValueTemplate(std::move(*root));
}

Value ValueTemplate::fill(const Filling& filling) const { return fill_node(*root_, filling); }

Value ValueTemplate::fill_node(const Node& node, const Filling& filling) {
  if (!node.place.empty()) return filling.value(node.place);
  if (node.text) {
    auto filled = node.text->fill([&](std::string_view path) { return filling.text(path); });
    return filled.ok() ? Value(std::move(*filled)) : Value();
  }
  if (node.kind == Value::Kind::kNull) return node.literal;
  std::vector<Value> items;
  std::vector<Value::Member> members;
  for (const auto& [key, part] : node.parts) {
    if (node.kind == Value::Kind::kArray) {
      items.push_back(fill_node(*part, filling));
    } else {
      members.push_back({key, fill_node(*part, filling)});
    }
  }
  return node.kind == Value::Kind::kArray ? Value::array(std::move(items)) : Value::object(std::move(members));
}

}  // namespace tidewire::server
