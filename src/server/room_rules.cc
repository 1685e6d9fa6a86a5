#include "server/room_rules.h"

#include <algorithm>

#include "base/base64.h"
#include "base/limits.h"

namespace tidewire::server {

std::string user_room(std::string_view user_id) { return std::string(kUserRoomPrefix).append(user_id); }

bool looks_like_a_socket_id(std::string_view room) {
  unsigned char id[base::limits::kSidBytes];
  return room.size() == base::limits::kSidTextBytes && base::base64url_decode(room, id);
}

std::optional<std::string> RoomRule::own_room(const Identity& identity) const {
  if (!auto_join || pattern.exact() || identity.anonymous()) return std::nullopt;
  std::string room = pattern.text();
  const std::size_t open = room.find('{');
  const std::size_t close = room.find('}');
  const bool last = close + 1 == room.size();
  room.replace(open, close - open + 1, identity.user_id);
  // An id may hold what no placeholder does, a colon say: at the end it cannot be taken for anything else.
  if (!policy::valid_room_name(room) || (!last && !pattern.match(room))) return std::nullopt;
  return room;
}

Value RoomRule::to_value() const {
  Value value = Value::object({{"pattern", pattern.text()}, {"join", join.text()}, {"auto_join", auto_join}});
  if (!ask.empty()) value.set("ask", ask);
  if (!description.empty()) value.set("description", description);
  return value;
}

std::unique_ptr<const RoomRule> RoomRules::read_rule(const ConfigNode& node, ConfigErrors& errors) {
  ConfigReader table(node, errors);
  const std::string text = table.required_text("pattern");
  auto pattern = policy::RoomPattern::compile(text);
  if (!text.empty() && !pattern.ok()) table.complain("pattern", pattern.status().message());
  auto join = Who::parse(table.texts("join", {"nobody"}), Who::Of::kRoom);
  if (!join.ok()) table.complain("join", join.status().message());
  const bool auto_join = table.flag("auto_join", false);
  const std::string ask = table.text("ask", "");
  std::string parameter = table.text("parameter", "");
  const std::string description = table.text("description", "");
  table.finish();
  if (!pattern.ok() || !join.ok()) return nullptr;

  const auto names = pattern->names();
  if (parameter.empty() && !names.empty()) parameter = names.front();
  if (!parameter.empty() && std::ranges::find(names, parameter) == names.end()) {
    table.complain("parameter", "is no placeholder of " + pattern->text());
  }
  if (join->asks() && ask.empty()) table.complain("join", "says ask: name a question of [[hooks.questions]] in \"ask\"");
  if (auto_join && !pattern->exact() && !(join->is_own() && names.size() == 1)) {
    table.complain("auto_join", "needs a room without placeholders, or the right \"own\" with one");
  }
  return std::make_unique<const RoomRule>(
      RoomRule{std::move(*pattern), std::move(*join), auto_join, ask, std::move(parameter), description, node.source()});
}

void RoomRules::read(const ConfigNode& defaults, const ConfigNode& node, ConfigErrors& errors) {
  std::vector<std::pair<std::unique_ptr<const RoomRule>, ConfigSource>> own;
  for (const ConfigNode* each : tables_of(node, errors)) {
    if (auto rule = read_rule(*each, errors)) own.emplace_back(std::move(rule), each->source());
  }
  const auto replaced = [&](const RoomRule& rule) {
    return std::ranges::any_of(own, [&](const auto& entry) { return entry.first->pattern.same_shape(rule.pattern); });
  };
  for (const ConfigNode* each : tables_of(defaults, errors)) {
    auto rule = read_rule(*each, errors);
    if (rule != nullptr && !replaced(*rule)) own.emplace_back(std::move(rule), each->source());
  }
  for (auto& [rule, source] : own) {
    const Status added = table_.add(rule->pattern, rule.get());
    if (added.ok()) {
      rules_.push_back(std::move(rule));
    } else {
      errors.add(source, added.message());
    }
  }
}

std::optional<RoomRules::Found> RoomRules::find(std::string_view room) const {
  const auto found = table_.find(room);
  if (!found) return std::nullopt;
  const RoomRule& rule = **found->value;
  if (room.starts_with(kUserRoomPrefix) && !rule.pattern.text().starts_with(kUserRoomPrefix)) return std::nullopt;
  return Found{&rule, rule.parameter.empty() ? std::string_view() : found->match[rule.parameter]};
}

}  // namespace tidewire::server
