// hub/broadcast.h - what reaches many members at once, on this shard and on its siblings.
//
// The local fan-out is immediate; siblings get one posted task each, with the frames that exist already. Order: messages of
// one shard to one member keep their order, since tasks between two shards do.
// Threads: called on a shard, about that shard's namespace; callbacks come back to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"
#include "hub/namespace.h"
#include "tidewire/function.h"
#include "tidewire/arguments.h"

namespace tidewire::hub {

// Delivers to everybody meant, on every shard of the node.
void broadcast(Namespace& space, const Selector& selector, Message message);

struct BroadcastAnswers {
  Status status;                   // kDeadlineExceeded when somebody did not answer in time
  std::vector<Arguments> answers;  // of those who did
};
// The same, and gathers acknowledgements: at once with an empty list when nobody is meant.
void broadcast_with_ack(Namespace& space, const Selector& selector, Message message, std::int64_t timeout_ms,
                        UniqueFunction<void(BroadcastAnswers)> done);

// A member seen from elsewhere.
struct MemberSnapshot {
  MemberId id;
  std::uint32_t shard;
  std::string_view dialect;  // static
  std::vector<std::string> rooms;
  Value data;
  std::string auth;  // JSON text, empty for none
  std::shared_ptr<const Identity> identity;
  ConnectionFacts facts;
};
MemberSnapshot snapshot(Member& member);
using Snapshots = UniqueFunction<void(std::vector<MemberSnapshot>)>;
// Everybody meant, from every shard; after kGatherDeadlineMs those that answered.
void fetch_members(Namespace& space, const Selector& selector, Snapshots done);

void join_all(Namespace& space, const Selector& selector, std::vector<std::string> rooms);
void leave_all(Namespace& space, const Selector& selector, std::vector<std::string> rooms);
// `code` and `text`: as in Ending.
void disconnect_all(Namespace& space, const Selector& selector, bool close_connections, std::uint16_t code = 0, std::string text = {});

inline constexpr std::int64_t kGatherDeadlineMs = 2'000;

}  // namespace tidewire::hub
