#include "hub/member.h"

#include "base/base64.h"
#include "hub/hub.h"
#include "hub/namespace.h"

namespace tidewire::hub {

static_assert(sizeof(Member) <= 136, "an idle member pays for every byte");

Member::Member(Namespace& home, Sink& sink, const Dialect& dialect, const MemberId& id)
    : home_(&home), sink_(&sink), dialect_(&dialect), id_(id) {
  home_->refer();
}

Member::~Member() { home_->unrefer(); }

std::string Member::id_text() const {
  std::string text(base::limits::kSidTextBytes, '\0');
  base::base64url_encode(id_, text.data());
  return text;
}

Member::Extras& Member::extras() {
  if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
  return *extras_;
}

void Member::Extras::Pending::expired(base::Milliseconds) {
  MemberRef keep(member);
  auto owned = std::move(member.extras().pending().at(ack_id));
  member.extras().pending().erase(ack_id);
  member.home().hub().guarded(member, [&] {
    owned->callback(Status(StatusCode::kDeadlineExceeded, "operation has timed out"));
  });
}

}  // namespace tidewire::hub
