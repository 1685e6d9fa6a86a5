#include "hub/survey.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "hub/gather.h"

namespace tidewire::hub {
namespace {

Page within_bounds(Page page) {
  page.limit = std::clamp<std::size_t>(page.limit, 1, kPageMax);
  return page;
}

// The `limit` + 1 smallest of what is added, in memory for twice as many: the one more tells that there is more.
template <typename Entry, typename Key>
class Smallest {
 public:
  Smallest(std::size_t limit, Key key) : kept_max_(limit + 1), key_(std::move(key)) {}
  void add(Entry entry) {
    entries_.push_back(std::move(entry));
    if (entries_.size() >= 2 * kept_max_) shrink();
  }
  std::vector<Entry> take() {
    shrink();
    std::sort(entries_.begin(), entries_.end(), less());
    return std::move(entries_);
  }

 private:
  auto less() const {
    return [this](const Entry& a, const Entry& b) { return key_(a) < key_(b); };
  }
  void shrink() {
    if (entries_.size() <= kept_max_) return;
    std::nth_element(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(kept_max_), entries_.end(), less());
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(kept_max_), entries_.end());
  }
  const std::size_t kept_max_;
  const Key key_;
  std::vector<Entry> entries_;
};

std::vector<RoomCount> rooms_of_shard(const Namespace& space, const Page& page) {
  Smallest<const Room*, const std::string& (*)(const Room* const&)> smallest(
      page.limit, [](const Room* const& room) -> const std::string& { return room->name(); });
  space.each_room([&](const Room& room) {
    if (room.name() > page.after && room.name().starts_with(page.prefix)) smallest.add(&room);
  });
  std::vector<RoomCount> counts;
  for (const Room* room : smallest.take()) counts.push_back({room->name(), room->members().size()});
  return counts;
}

using NamespaceEntry = NamespacesPage::Entry;

std::vector<NamespaceEntry> namespaces_of_shard(const Hub& hub, const std::string& tenant, const Page& page) {
  Smallest<const Namespace*, const std::string& (*)(const Namespace* const&)> smallest(
      page.limit, [](const Namespace* const& space) -> const std::string& { return space->name(); });
  for (const Namespace* space : hub.namespaces()) {
    const bool wanted = space->entered() && space->key().tenant == tenant;
    if (wanted && space->name() > page.after && space->name().starts_with(page.prefix)) smallest.add(space);
  }
  std::vector<NamespaceEntry> counts;
  for (const Namespace* space : smallest.take()) counts.push_back({space->name(), space->members().size()});
  return counts;
}

// The first `limit` names of all parts, each once, with the sum of their members. True when there are more.
template <typename Count>
bool merge(std::vector<std::vector<Count>> parts, std::size_t limit, std::vector<Count>& merged) {
  std::vector<Count> all;
  for (auto& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all));
  std::sort(all.begin(), all.end(), [](const Count& a, const Count& b) { return a.name < b.name; });
  for (Count& count : all) {
    if (!merged.empty() && merged.back().name == count.name) {
      merged.back().members += count.members;
    } else if (merged.size() == limit) {
      return true;
    } else {
      merged.push_back(std::move(count));
    }
  }
  return false;
}

using Chosen = std::pair<std::string, Member*>;

std::vector<MemberSnapshot> members_of_shard(Namespace& space, const Selector& selector, const Page& page) {
  Smallest<Chosen, const std::string& (*)(const Chosen&)> smallest(
      page.limit, [](const Chosen& chosen) -> const std::string& { return chosen.first; });
  space.each(selector, [&](Member& member) {
    std::string id = member.id_text();
    if (id > page.after) smallest.add({std::move(id), &member});
  });
  std::vector<MemberSnapshot> list;
  for (const auto& [id, member] : smallest.take()) list.push_back(snapshot(*member));
  return list;
}

MemberCount sum_of(const std::vector<std::uint64_t>& counts, bool complete) {
  return {std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), complete};
}

}  // namespace

void fetch_rooms(const SharedNamespace& space, const Page& wish, UniqueFunction<void(RoomsPage)> done) {
  using Part = std::vector<RoomCount>;
  const Page page = within_bounds(wish);
  Gather<Part>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), page](Hub& hub) {
        const Namespace* there = hub.find(key);
        return there == nullptr ? Part() : rooms_of_shard(*there, page);
      },
      [done = std::move(done), limit = page.limit](std::vector<Part> parts, bool complete) {
        RoomsPage all;
        all.more = merge(std::move(parts), limit, all.rooms);
        all.complete = complete;
        done(std::move(all));
      });
}

void fetch_members(const SharedNamespace& space, const Selector& selector, const Page& wish, UniqueFunction<void(MembersPage)> done) {
  using Part = std::vector<MemberSnapshot>;
  const Page page = within_bounds(wish);
  Gather<Part>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), selector, page](Hub& hub) {
        Namespace* there = hub.find(key);
        return there == nullptr ? Part() : members_of_shard(*there, selector, page);
      },
      [done = std::move(done), limit = page.limit](std::vector<Part> parts, bool complete) {
        MembersPage all;
        all.complete = complete;
        for (Part& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all.members));
        std::sort(all.members.begin(), all.members.end(),
                  [](const MemberSnapshot& a, const MemberSnapshot& b) { return a.rooms.front() < b.rooms.front(); });
        all.more = all.members.size() > limit;
        if (all.more) all.members.erase(all.members.begin() + static_cast<std::ptrdiff_t>(limit), all.members.end());
        done(std::move(all));
      });
}

void visit_members(const SharedNamespace& space, const Selector& selector, std::function<void(Member&)> visit,
                   UniqueFunction<void(MemberCount)> done) {
  Gather<std::uint64_t>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), selector, visit = std::move(visit)](Hub& hub) -> std::uint64_t {
        Namespace* there = hub.find(key);
        if (there == nullptr) return 0;
        const std::vector<MemberRef> meant = there->select(selector);  // a visit may change who is where
        for (const MemberRef& member : meant) hub.guarded(*member, [&] { visit(*member); });
        return meant.size();
      },
      [done = std::move(done)](const std::vector<std::uint64_t>& counts, bool complete) { done(sum_of(counts, complete)); });
}

void count_members(const SharedNamespace& space, const Selector& selector, UniqueFunction<void(MemberCount)> done) {
  Gather<std::uint64_t>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), selector](Hub& hub) {
        std::uint64_t count = 0;
        Namespace* there = hub.find(key);
        if (there != nullptr && selector.rooms.empty() && selector.except.empty()) count = there->members().size();
        else if (there != nullptr) there->each(selector, [&](Member&) { ++count; });
        return count;
      },
      [done = std::move(done)](const std::vector<std::uint64_t>& counts, bool complete) { done(sum_of(counts, complete)); });
}

void fetch_namespaces(Hub& hub, const std::string& tenant, const Page& wish, UniqueFunction<void(NamespacesPage)> done) {
  using Part = std::vector<NamespaceEntry>;
  const Page page = within_bounds(wish);
  Gather<Part>::all_shards(
      hub, kGatherDeadlineMs, [tenant, page](Hub& there) { return namespaces_of_shard(there, tenant, page); },
      [done = std::move(done), limit = page.limit](std::vector<Part> parts, bool complete) {
        NamespacesPage all;
        all.more = merge(std::move(parts), limit, all.namespaces);
        all.complete = complete;
        done(std::move(all));
      });
}

void count_namespace(Hub& hub, const NamespaceKey& key, UniqueFunction<void(NamespaceTotals)> done) {
  Gather<NamespaceTotals>::all_shards(
      hub, kGatherDeadlineMs,
      [key](Hub& there) {
        NamespaceTotals part;
        const Namespace* space = there.find(key);
        part.ever = space == nullptr ? there.past_totals().find(key) : space->members_ever();
        if (space != nullptr) part.now = space->members_now();
        // What was not kept may have been this one's, unless it is of those that are never forgotten: declared, and no tenant's.
        const auto definition = there.registry().find(key.name);
        const bool stays = key.tenant.empty() && definition != nullptr && !definition->dynamic;
        part.exact = stays || !there.past_totals().lost(key.tenant);
        return part;
      },
      [done = std::move(done)](const std::vector<NamespaceTotals>& parts, bool complete) {
        NamespaceTotals sum;
        for (const NamespaceTotals& part : parts) {
          for (std::size_t i = 0; i < sum.now.size(); ++i) {
            sum.now[i] += part.now[i];
            sum.ever[i] += part.ever[i];
          }
          sum.exact = sum.exact && part.exact;
        }
        sum.complete = complete;
        done(sum);
      });
}

}  // namespace tidewire::hub
