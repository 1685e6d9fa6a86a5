#include "hub/survey.h"

#include <algorithm>
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

RoomsPage merge(std::vector<std::vector<RoomCount>> parts, std::size_t limit, bool complete) {
  std::vector<RoomCount> all;
  for (auto& part : parts) std::move(part.begin(), part.end(), std::back_inserter(all));
  std::sort(all.begin(), all.end(), [](const RoomCount& a, const RoomCount& b) { return a.name < b.name; });
  RoomsPage page;
  page.complete = complete;
  for (RoomCount& count : all) {
    if (!page.rooms.empty() && page.rooms.back().name == count.name) {
      page.rooms.back().members += count.members;
    } else if (page.rooms.size() == limit) {
      page.more = true;
      break;
    } else {
      page.rooms.push_back(std::move(count));
    }
  }
  return page;
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
        done(merge(std::move(parts), limit, complete));
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
                   UniqueFunction<void(std::uint64_t)> done) {
  Gather<std::uint64_t>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), selector, visit = std::move(visit)](Hub& hub) -> std::uint64_t {
        Namespace* there = hub.find(key);
        if (there == nullptr) return 0;
        const std::vector<MemberRef> meant = there->select(selector);  // a visit may change who is where
        for (const MemberRef& member : meant) hub.guarded(*member, [&] { visit(*member); });
        return meant.size();
      },
      [done = std::move(done)](std::vector<std::uint64_t> counts, bool) {
        std::uint64_t sum = 0;
        for (const std::uint64_t count : counts) sum += count;
        done(sum);
      });
}

void count_members(const SharedNamespace& space, const Selector& selector, UniqueFunction<void(std::uint64_t)> done) {
  Gather<std::uint64_t>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), selector](Hub& hub) {
        std::uint64_t count = 0;
        Namespace* there = hub.find(key);
        if (there != nullptr && selector.rooms.empty() && selector.except.empty()) count = there->members().size();
        else if (there != nullptr) there->each(selector, [&](Member&) { ++count; });
        return count;
      },
      [done = std::move(done)](std::vector<std::uint64_t> counts, bool) {
        std::uint64_t sum = 0;
        for (const std::uint64_t count : counts) sum += count;
        done(sum);
      });
}

}  // namespace tidewire::hub
