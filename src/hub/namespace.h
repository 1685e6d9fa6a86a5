// hub/namespace.h - one shard's part of a namespace: its members, its rooms, and the fan-out to them.
//
//   members_  vector, index kept in the member: O(1) leave, dense to walk      by_id_  id -> member
//   rooms_    set of Room{name, members}, by name; exists while somebody is in it            a member's own id is a virtual room: no entry
//
// Fan-out visits each chosen member once: members carry the number of the last fan-out that visited or excluded them.
// Threads: its shard only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "base/string_map.h"
#include "hub/member.h"
#include "hub/message.h"

namespace tidewire::hub {

class Hub;

// Tenant and name; one tenant has the empty name.
struct NamespaceKey {
  std::string tenant;
  std::string name;
  friend bool operator==(const NamespaceKey&, const NamespaceKey&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const NamespaceKey& key) {
    return H::combine(std::move(hash), key.tenant, key.name);
  }
};

// Who is meant: the union of `rooms` (everybody when empty) without whoever is in one of `except`. Socket ids are rooms.
struct Selector {
  std::vector<std::string> rooms = {};
  std::vector<std::string> except = {};
};

// How many members, by Dialect::index().
using DialectTotals = std::array<std::uint64_t, Dialect::kCountMax>;

class Room {
 public:
  explicit Room(std::string_view name) : name_(name) {}
  const std::string& name() const noexcept { return name_; }
  std::span<Member* const> members() const noexcept { return members_; }

 private:
  friend class Namespace;
  const std::string name_;
  absl::InlinedVector<Member*, 2> members_;  // the room of one user is mostly a room of one
};

// A table of rooms holds each name once.
struct RoomHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return base::StringHash()(name); }
  std::size_t operator()(const std::unique_ptr<Room>& room) const { return (*this)(room->name()); }
};
struct RoomEqual {
  using is_transparent = void;
  bool operator()(const std::unique_ptr<Room>& a, const std::unique_ptr<Room>& b) const noexcept { return a->name() == b->name(); }
  bool operator()(const std::unique_ptr<Room>& a, std::string_view b) const noexcept { return a->name() == b; }
};

// What the adapters of other nodes and the curious want to know; called on the shard.
class RoomObserver {
 public:
  virtual void room_created(std::string_view room) = 0;
  virtual void room_deleted(std::string_view room) = 0;
  virtual void room_joined(std::string_view room, Member& member) = 0;
  virtual void room_left(std::string_view room, Member& member) = 0;

 protected:
  ~RoomObserver() = default;
};

// How many rooms there may be, over all shards. Counts what is made and freed, not who comes and goes. Threads: any.
class RoomQuota {
 public:
  explicit RoomQuota(std::size_t rooms_max) noexcept : max_(rooms_max) {}
  // False when there are as many as there may be, unless `beyond_bound`.
  bool take(bool beyond_bound) noexcept {
    if (count_.fetch_add(1, std::memory_order_relaxed) < max_ || beyond_bound) return true;
    give_back();
    return false;
  }
  void give_back() noexcept { count_.fetch_sub(1, std::memory_order_relaxed); }
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  const std::size_t max_;
  std::atomic<std::size_t> count_{0};
};

class Namespace {
 public:
  // With one reference, the caller's. `ever`: who was in it before, if it is made again.
  Namespace(Hub& hub, NamespaceKey key, std::shared_ptr<NamespaceDefinition> definition, const DialectTotals& ever = {});
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  Hub& hub() const noexcept { return hub_; }
  const NamespaceKey& key() const noexcept { return key_; }
  const std::string& name() const noexcept { return key_.name; }
  NamespaceDefinition& definition() const noexcept { return *definition_; }
  const std::shared_ptr<NamespaceDefinition>& shared_definition() const noexcept { return definition_; }

  const std::vector<Member*>& members() const noexcept { return members_; }
  Member* find(std::string_view id_text) const;
  // Kept as they come and go: now, and since the start. Somebody has been here when one of the latter is not zero.
  const DialectTotals& members_now() const noexcept { return now_; }
  const DialectTotals& members_ever() const noexcept { return ever_; }
  bool entered() const noexcept { return ever_ != DialectTotals{}; }
  // True once the tables hold nobody, also nobody on the way in, and no broadcast waits for its deadline.
  bool empty() const noexcept { return members_.empty() && admitting_ == 0 && broadcast_acks_.empty(); }

  // Joining twice, or one's own id, changes nothing. How many rooms a peer may ask for is its dialect's business.
  // kResourceExhausted when the room would be one too many of all (RoomQuota), unless `beyond_bound`.
  Status join(Member& member, std::string_view room, bool beyond_bound = false);
  void leave(Member& member, std::string_view room);
  void leave_all(Member& member);
  bool is_in(const Member& member, std::string_view room) const;
  // Its rooms, its own id first.
  std::vector<std::string> rooms_of(const Member& member) const;
  // Without its own id.
  std::size_t room_count_of(const Member& member) const noexcept { return member.rooms_.size(); }
  const Room* room(std::string_view name) const;
  std::size_t room_count() const noexcept { return rooms_.size(); }
  std::vector<std::string> room_names() const;
  // Calls `visit(room)` for each; it must not change membership.
  template <typename Visit>
  void each_room(Visit&& visit) const {
    for (const auto& room : rooms_) visit(*room);
  }

  // Calls `visit(member)` once for each connected member that is meant. `visit` must not change membership: collect first
  // when it does.
  template <typename Visit>
  void each(const Selector& selector, Visit&& visit);
  std::vector<MemberRef> select(const Selector& selector);

  // Delivers to this shard's members; returns to how many. Volatile messages skip who cannot take them now.
  std::size_t deliver(const Selector& selector, const Message& message);
  // One member. False when a volatile message was dropped.
  bool deliver_to(Member& member, const Message& message);

  std::uint64_t next_ack_id() noexcept { return next_ack_id_++; }
  void set_room_observer(RoomObserver* observer) noexcept { observer_ = observer; }

  // A broadcast that waits for answers: `waiting` are those who have not answered yet.
  struct BroadcastAcks {
    absl::flat_hash_set<const Member*> waiting;
    UniqueFunction<void(Member&, const ArgumentsView&)> answered;
    UniqueFunction<void(Member&)> left;  // a waiting member is gone
  };
  void expect_broadcast_acks(std::uint64_t ack_id, BroadcastAcks acks) { broadcast_acks_.emplace(ack_id, std::move(acks)); }
  BroadcastAcks* broadcast_acks(std::uint64_t ack_id);
  void forget_broadcast_acks(std::uint64_t ack_id) { broadcast_acks_.erase(ack_id); }
  // Tells every broadcast that still waits for this member.
  void member_left(Member& member);

  // The hub and every member hold a reference: a handle finds the namespace of a member that has left. From any thread.
  void refer() noexcept { referrers_.fetch_add(1, std::memory_order_relaxed); }
  void unrefer() noexcept {
    if (referrers_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  friend class Hub;
  ~Namespace() = default;
  struct IdHash {
    using is_transparent = void;
    std::size_t operator()(const Member* member) const { return (*this)(member->id()); }
    std::size_t operator()(const MemberId& id) const {
      std::uint64_t bits;  // random bytes: no further mixing needed
      std::memcpy(&bits, id.data(), sizeof bits);
      return bits;
    }
  };
  struct IdEqual {
    using is_transparent = void;
    bool operator()(const Member* a, const Member* b) const { return a->id() == b->id(); }
    bool operator()(const Member* a, const MemberId& id) const { return a->id() == id; }
    bool operator()(const MemberId& id, const Member* a) const { return a->id() == id; }
  };

  void add(Member& member);
  void remove(Member& member);
  void leave_at(Member& member, std::size_t position);
  void mark_excluded(const Selector& selector, std::uint32_t mark);
  std::uint32_t new_mark();
  template <typename Visit>
  void visit_room(std::string_view name, std::uint32_t mark, Visit&& visit);

  Hub& hub_;
  const NamespaceKey key_;
  const std::shared_ptr<NamespaceDefinition> definition_;
  std::vector<Member*> members_;
  DialectTotals now_{};
  DialectTotals ever_;
  absl::flat_hash_set<Member*, IdHash, IdEqual> by_id_;
  absl::flat_hash_set<std::unique_ptr<Room>, RoomHash, RoomEqual> rooms_;
  absl::flat_hash_map<std::uint64_t, BroadcastAcks> broadcast_acks_;
  RoomObserver* observer_ = nullptr;
  std::uint64_t next_ack_id_ = 0;
  std::size_t admitting_ = 0;
  std::atomic<std::uint32_t> referrers_{1};
  std::uint32_t last_mark_ = 0;
};

struct NamespaceRelease {
  void operator()(Namespace* space) const noexcept { space->unrefer(); }
};
using NamespaceRef = std::unique_ptr<Namespace, NamespaceRelease>;

template <typename Visit>
void Namespace::visit_room(std::string_view name, std::uint32_t mark, Visit&& visit) {
  if (const Room* found = room(name)) {
    for (Member* member : found->members_) {
      if (member->mark_ == mark || !member->connected()) continue;
      member->mark_ = mark;
      visit(*member);
    }
  }
  // A room may be called like somebody's id; it takes nothing away from the one whose id it is.
  if (Member* member = find(name); member != nullptr && member->mark_ != mark) {
    member->mark_ = mark;
    visit(*member);
  }
}

template <typename Visit>
void Namespace::each(const Selector& selector, Visit&& visit) {
  const std::uint32_t mark = new_mark();
  if (!selector.except.empty()) mark_excluded(selector, mark);
  if (selector.rooms.empty()) {
    for (Member* member : members_) {
      if (member->mark_ != mark) visit(*member);
    }
  } else {
    for (const std::string& name : selector.rooms) visit_room(name, mark, visit);
  }
}

}  // namespace tidewire::hub
