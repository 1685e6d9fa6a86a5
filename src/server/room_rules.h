// server/room_rules.h - which rooms exist by which right: [[rooms]] of the configuration, compiled.
//
//   [[rooms]]
//   pattern = "project:{id}"                       # what a rule is about, see policy/room_pattern.h
//   join = ["role:admin", "claim:projects"]        # who may join, see who.h; one of them is enough. Default: nobody
//   auto_join = false                              # whoever may join is a member from the start
//   ask = "rights"                                 # the [[hooks.questions]] that "ask" means
//   parameter = "id"                               # the placeholder that claim: and own mean; default: the first
//
// A room that no rule matches cannot be joined. Of several rules that match the most particular one decides; over user:... only one
// that begins so itself.
// Threads: immutable after read().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/room_pattern.h"
#include "server/config_node.h"
#include "server/who.h"

namespace tidewire::server {

struct RoomRule {
  policy::RoomPattern pattern;
  Who join;
  bool auto_join = false;
  std::string ask;
  std::string parameter;  // name of the placeholder; empty for an exact room
  std::string description;
  ConfigSource source;

  // The room of an auto_join rule with a placeholder that belongs to this user; nothing for other rules, for nobody, and for an id
  // that no room's name can hold.
  std::optional<std::string> own_room(const Identity& identity) const;
  Value to_value() const;
};

// Where all devices of a user are. The API reaches users there, so no rule of another shape decides over these rooms.
inline constexpr std::string_view kUserRoomPrefix = "user:";
std::string user_room(std::string_view user_id);
// Somebody's id is that socket's own room: being in it means reading its mail.
bool looks_like_a_socket_id(std::string_view room);

class RoomRules {
 public:
  RoomRules() = default;
  // A rule of `node` with the shape of one that is there already takes its place when that one came with `defaults`.
  void read(const ConfigNode& defaults, const ConfigNode& node, ConfigErrors& errors);

  struct Found {
    const RoomRule* rule;
    std::string_view parameter;  // a view of the room's name
  };
  // REQUIRES: policy::valid_room_name(room)
  std::optional<Found> find(std::string_view room) const;
  const std::vector<std::unique_ptr<const RoomRule>>& rules() const noexcept { return rules_; }

 private:
  static std::unique_ptr<const RoomRule> read_rule(const ConfigNode& node, ConfigErrors& errors);

  std::vector<std::unique_ptr<const RoomRule>> rules_;
  policy::RoomPatternTable<const RoomRule*> table_;
};

}  // namespace tidewire::server
