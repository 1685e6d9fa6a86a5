// hub/survey.h - who is where, over all shards: pages of rooms, members and namespaces, counts.
//
// A page is the `limit` smallest names above `after`. Each shard answers with its own `limit` smallest, which is enough: a
// name among the smallest of all is among the smallest of every shard that has it. So a page costs one pass over the names of
// each shard and memory for `limit` entries of each, whatever is in the tables.
// Threads: called on a shard; answers come back to it, after kGatherDeadlineMs with what has come.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hub/broadcast.h"

namespace tidewire::hub {

inline constexpr std::size_t kPageMax = 1'000;

struct Page {
  std::string after = {};     // names above this one; empty: from the first on
  std::string prefix = {};    // rooms and namespaces only: names that begin with it
  std::size_t limit = 100;    // 1..kPageMax, anything else is brought into that range
};

struct RoomCount {
  std::string name;
  std::uint64_t members;
};
struct RoomsPage {
  std::vector<RoomCount> rooms;  // by name, bytewise
  bool more = false;
  bool complete = true;          // every shard answered
};
// Rooms that somebody is in; ids of members are no rooms here.
void fetch_rooms(const SharedNamespace& space, const Page& page, UniqueFunction<void(RoomsPage)> done);

struct MembersPage {
  std::vector<MemberSnapshot> members;  // by id as text, bytewise
  bool more = false;
  bool complete = true;
};
void fetch_members(const SharedNamespace& space, const Selector& selector, const Page& page, UniqueFunction<void(MembersPage)> done);

struct MemberCount {
  std::uint64_t count = 0;  // on the shards that answered
  bool complete = true;
};
// Calls `visit` for each, on its shard, and answers how many they were. A shard that answers too late has its members visited
// nevertheless, uncounted.
void visit_members(const SharedNamespace& space, const Selector& selector, std::function<void(Member&)> visit,
                   UniqueFunction<void(MemberCount)> done);

// How many are meant, on every shard.
void count_members(const SharedNamespace& space, const Selector& selector, UniqueFunction<void(MemberCount)> done);

struct NamespacesPage {
  struct Entry {
    std::string name;
    std::uint64_t members = 0;  // now
  };
  std::vector<Entry> namespaces;  // by name, bytewise
  bool more = false;
  bool complete = true;
};
// The tenant's namespaces that some shard has, and in which somebody is or has been.
void fetch_namespaces(Hub& hub, const std::string& tenant, const Page& page, UniqueFunction<void(NamespacesPage)> done);

// Sums of what the shards count as members come and go: nobody is visited.
struct NamespaceTotals {
  DialectTotals now{};
  DialectTotals ever{};   // since the start
  bool exact = true;      // false: `ever` may be too low, see hub/past_totals.h
  bool complete = true;
};
void count_namespace(Hub& hub, const NamespaceKey& key, UniqueFunction<void(NamespaceTotals)> done);

}  // namespace tidewire::hub
