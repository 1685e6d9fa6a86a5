// hub/broadcast.h - what reaches many members at once, on this shard and on its siblings.
//
// The local fan-out is immediate; siblings get one posted task each, with the frames that exist already. Order: messages of
// one shard to one member keep their order, since tasks between two shards do.
// Threads: called on a shard; callbacks come back to it.
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

// A tenant's namespace over all shards, as seen from one of them, where it may be missing: then nobody is in it here. To ask
// for one, or to tell it something, makes none. Valid during the call it is handed to.
class SharedNamespace {
 public:
  SharedNamespace(Namespace& here) noexcept : hub_(here.hub()), key_(here.key()), here_(&here) {}
  SharedNamespace(Hub& hub, const NamespaceKey& key) : hub_(hub), key_(key), here_(hub.find(key)) {}
  Hub& hub() const noexcept { return hub_; }
  const NamespaceKey& key() const noexcept { return key_; }
  const std::string& name() const noexcept { return key_.name; }
  // Null when it is missing here.
  Namespace* here() const noexcept { return here_; }

 private:
  Hub& hub_;
  const NamespaceKey& key_;
  Namespace* here_;
};

// Delivers to everybody meant, on every shard of the node.
void broadcast(const SharedNamespace& space, const Selector& selector, Message message);

struct BroadcastAnswers {
  Status status;                   // kDeadlineExceeded when somebody did not answer in time
  std::vector<Arguments> answers;  // of those who did
};
// The same, and gathers acknowledgements: at once with an empty list when nobody is meant.
void broadcast_with_ack(const SharedNamespace& space, const Selector& selector, Message message, std::int64_t timeout_ms,
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
void fetch_members(const SharedNamespace& space, const Selector& selector, Snapshots done);

void join_all(const SharedNamespace& space, const Selector& selector, std::vector<std::string> rooms);
void leave_all(const SharedNamespace& space, const Selector& selector, std::vector<std::string> rooms);
// `code` and `text`: as in Ending.
void disconnect_all(const SharedNamespace& space, const Selector& selector, bool close_connections, std::uint16_t code = 0,
                    std::string text = {});

inline constexpr std::int64_t kGatherDeadlineMs = 2'000;

}  // namespace tidewire::hub
