#include "hub/namespace.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/base64.h"
#include "hub/hub.h"

namespace tidewire::hub {

Namespace::Namespace(Hub& hub, NamespaceKey key, std::shared_ptr<NamespaceDefinition> definition, const DialectTotals& ever)
    : hub_(hub), key_(std::move(key)), definition_(std::move(definition)), ever_(ever) {}

Member* Namespace::find(std::string_view id_text) const {
  MemberId id;
  if (id_text.size() != base::limits::kSidTextBytes || !base::base64url_decode(id_text, id)) return nullptr;
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : *found;
}

void Namespace::add(Member& member) {
  member.index_ = static_cast<std::uint32_t>(members_.size());
  members_.push_back(&member);
  by_id_.insert(&member);
  ++now_[member.dialect().index()];
  ++ever_[member.dialect().index()];
  member.connected_.store(true, std::memory_order_release);
}

void Namespace::remove(Member& member) {
  leave_all(member);
  if (!member.connected()) return;
  member.connected_.store(false, std::memory_order_release);
  by_id_.erase(&member);
  --now_[member.dialect().index()];
  Member* last = members_.back();
  members_[member.index_] = last;
  last->index_ = member.index_;
  members_.pop_back();
}

const Room* Namespace::room(std::string_view name) const {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : found->get();
}

bool Namespace::is_in(const Member& member, std::string_view name) const {
  const auto& rooms = member.rooms_;
  return std::any_of(rooms.begin(), rooms.end(), [&](const auto& entry) { return entry.room->name() == name; }) ||
         name == member.id_text();
}

Status Namespace::join(Member& member, std::string_view name, bool beyond_bound) {
  if (member.sink_ == nullptr) return Status(StatusCode::kDisconnected, "the socket is disconnected");
  if (is_in(member, name)) return Status();
  auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    if (!hub_.take_room(beyond_bound)) return Status(StatusCode::kResourceExhausted, "the server has as many rooms as it may");
    found = rooms_.insert(std::make_unique<Room>(name)).first;
    if (observer_ != nullptr) observer_->room_created(name);
  }
  Room& room = **found;
  member.rooms_.push_back({&room, static_cast<std::uint32_t>(room.members_.size())});
  room.members_.push_back(&member);
  if (observer_ != nullptr) observer_->room_joined(name, member);
  return Status();
}

void Namespace::leave(Member& member, std::string_view name) {
  for (std::size_t i = 0; i < member.rooms_.size(); ++i) {
    if (member.rooms_[i].room->name() == name) {
      leave_at(member, i);
      return;
    }
  }
}

void Namespace::leave_all(Member& member) {
  while (!member.rooms_.empty()) leave_at(member, member.rooms_.size() - 1);
}

void Namespace::leave_at(Member& member, std::size_t position) {
  const Member::Membership membership = member.rooms_[position];
  member.rooms_[position] = member.rooms_.back();
  member.rooms_.pop_back();

  Room& room = *membership.room;
  Member* last = room.members_.back();
  room.members_.pop_back();
  if (last != &member) {
    room.members_[membership.index] = last;
    for (auto& entry : last->rooms_) {
      if (entry.room == &room) entry.index = membership.index;
    }
  }
  if (observer_ != nullptr) observer_->room_left(room.name(), member);
  if (room.members_.empty()) {
    if (observer_ != nullptr) observer_->room_deleted(room.name());
    rooms_.erase(rooms_.find(room.name()));
    hub_.give_room_back();
  }
}

std::vector<std::string> Namespace::rooms_of(const Member& member) const {
  std::vector<std::string> names{member.id_text()};
  for (const auto& entry : member.rooms_) names.push_back(entry.room->name());
  return names;
}

std::vector<std::string> Namespace::room_names() const {
  std::vector<std::string> names;
  names.reserve(rooms_.size());
  for (const auto& room : rooms_) names.push_back(room->name());
  return names;
}

std::uint32_t Namespace::new_mark() {
  if (++last_mark_ == 0) {  // wrapped: forget all old marks
    for (Member* member : members_) member->mark_ = 0;
    last_mark_ = 1;
  }
  return last_mark_;
}

void Namespace::mark_excluded(const Selector& selector, std::uint32_t mark) {
  for (const std::string& name : selector.except) visit_room(name, mark, [](Member&) {});
}

std::vector<MemberRef> Namespace::select(const Selector& selector) {
  std::vector<MemberRef> chosen;
  each(selector, [&](Member& member) { chosen.emplace_back(member); });
  return chosen;
}

bool Namespace::deliver_to(Member& member, const Message& message) {
  if (member.sink_ == nullptr) return false;
  if (message.is_volatile && !member.sink_->writable()) {
    ++hub_.statistics().volatile_dropped;
    return false;
  }
  if (HandlerSet* own = member.own_handlers(); own != nullptr && !own->any_outgoing.empty()) {
    hub_.guarded(member, [&] {
      own->any_outgoing.each([&](OutgoingHandler& handler) { handler(member, message.event, message.arguments); });
    });
    if (member.sink_ == nullptr) return false;
  }
  member.sink_->send(message.frame_for(member.dialect()), message.lane);
  ++hub_.statistics().deliveries;
  return true;
}

std::size_t Namespace::deliver(const Selector& selector, const Message& message) {
  std::size_t delivered = 0;
  std::vector<MemberRef> listening;  // their listeners may change who is where
  each(selector, [&](Member& member) {
    if (const HandlerSet* own = member.own_handlers(); own != nullptr && !own->any_outgoing.empty()) {
      listening.emplace_back(member);
    } else {
      delivered += deliver_to(member, message) ? 1 : 0;
    }
  });
  for (const MemberRef& member : listening) delivered += deliver_to(*member, message) ? 1 : 0;
  return delivered;
}

Namespace::BroadcastAcks* Namespace::broadcast_acks(std::uint64_t ack_id) {
  const auto found = broadcast_acks_.find(ack_id);
  return found == broadcast_acks_.end() ? nullptr : &found->second;
}

void Namespace::member_left(Member& member) {
  if (broadcast_acks_.empty()) return;
  std::vector<std::uint64_t> concerned;
  for (auto& [id, acks] : broadcast_acks_) {
    if (acks.waiting.erase(&member) > 0) concerned.push_back(id);
  }
  for (const std::uint64_t id : concerned) {
    if (BroadcastAcks* acks = broadcast_acks(id)) acks->left(member);
  }
}

}  // namespace tidewire::hub
