// server/contract.h - an event contract: what one event from a client is, who may send it, and what becomes of it.
//
//   [[events]]
//   name = "test-case-editing"            aliases = ["testCaseEditing"]   namespace = "/"   description = "..."
//   from = "authenticated"                # who may send it (who.h); default: everybody
//   rate = "20/s burst 40"                # of one user, or of one socket without a user
//   payload_key = "projectId"             # a first argument that is a text or a number is read as {"projectId": it}
//   schema = { type = "object", ... }     # of the one argument there may be (policy/json_schema.h), a table or JSON text
//   member_of = "project:{projectId}"     # the room that the sender must be in; default: the one of `to`, if the sender has a say in it; "" for none
//   join = "project:{projectId}"          # rooms that the sender joins, by the rules of [[rooms]]; also leave
//   ask = "prices"                        # the question of [[hooks.questions]] that answers it
//   to = "project:{projectId}"            # who gets it: a room or several; "*" is everybody in the namespace, "sender" the sender
//   to_rooms = "project:{id}"             # instead: every room of that pattern that the sender is in
//   others = true                         # without the sender; default: false
//   emit = "test-case-update"             # the name under which receivers see it; default: its own
//   stamp = { userId = "{sender.id}" }    # fields that the server sets in what receivers see, see filling.h; a null one is not there
//   reply = { sessionId = "{sessionId}" } # members of the acknowledgement {"ok":true,...}; "arguments": the arguments as they came
//   volatile = true                       # dropped for whoever cannot take it now
//
// Of the issue on delivery, refused until then: priority, ttl, coalesce, history, durable.
// Threads: immutable after read_contracts().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/json_schema.h"
#include "policy/rate.h"
#include "policy/room_pattern.h"
#include "policy/template.h"
#include "server/config_node.h"
#include "server/filling.h"
#include "server/who.h"

namespace tidewire::server {

inline constexpr std::string_view kRefreshEvent = "auth_refresh";  // the gate's own, no contract's
inline constexpr std::size_t kContractRoomsMax = 8;    // of join, leave and to, each
inline constexpr std::size_t kContractAliasesMax = 16;

struct Contract {
  enum class Audience : std::uint8_t { kNobody, kRooms, kPattern, kEverybody, kSender };
  enum class Reply : std::uint8_t { kOk, kFields, kArguments };

  std::string name;
  std::vector<std::string> aliases;
  std::string namespace_name;
  std::string description;
  Who from;
  std::optional<policy::Rate> rate;
  std::string payload_key;
  Value schema_source;
  std::optional<policy::JsonSchema> schema;
  std::optional<policy::Template> member_of;
  std::vector<policy::Template> join;
  std::vector<policy::Template> leave;
  std::string ask;
  Audience audience = Audience::kNobody;
  std::vector<policy::Template> to;
  std::optional<policy::RoomPattern> to_rooms;
  bool others = false;
  std::string emit;
  std::optional<ValueTemplate> stamp;
  Value stamp_source;
  Reply reply = Reply::kOk;
  std::optional<ValueTemplate> reply_fields;
  Value reply_source;
  bool is_volatile = false;
  ConfigSource source;

  // Whether a template names a claim of the sender's token.
  bool reads_claims = false;
  // Whether the first argument must be looked into; else it passes as it came.
  bool reads_payload = false;

  Value to_value() const;
};

using Contracts = std::vector<std::unique_ptr<const Contract>>;

// Those of `node`, then those of `defaults` whose names are not taken. `names_max` bounds the names of all of them together.
Contracts read_contracts(const ConfigNode& defaults, const ConfigNode& node, std::size_t names_max, ConfigErrors& errors);

}  // namespace tidewire::server
