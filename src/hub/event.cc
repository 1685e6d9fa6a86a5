#include "hub/event.h"

namespace tidewire::hub {
namespace {

void send_ack(Member& member, const AckKey& key, const ArgumentsView& arguments) {
  if (Sink* sink = member.sink()) {
    sink->send(member.dialect().encode_ack(member.home().name(), key, arguments), base::Lane::kNormal);
  }
}

}  // namespace

void Reply::send(const ArgumentsView& arguments) {
  if (!member_) return;
  const MemberRef member = std::exchange(member_, MemberRef());
  send_ack(*member, key_, arguments);
}

void InboundEvent::acknowledge(const ArgumentsView& arguments) {
  if (key_ == nullptr) return;
  send_ack(member_, *std::exchange(key_, nullptr), arguments);
}

Reply InboundEvent::take_reply() {
  if (key_ == nullptr) return Reply();
  return Reply(MemberRef(member_), *std::exchange(key_, nullptr));
}

}  // namespace tidewire::hub
