// hub/event.h - an event on its way from a member to its listeners, and Reply: the acknowledgement it may ask for.
//
// Lifetime: an InboundEvent lives on the stack of one dispatch; its views point into the receive buffer. A listener that
// answers later takes the Reply, which holds the member by a handle.
// Threads: the member's shard. A Reply may be moved to another thread, and must come home to be used.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hub/member.h"
#include "hub/namespace.h"

namespace tidewire::hub {

class Reply {
 public:
  Reply() = default;
  Reply(MemberRef member, AckKey key) : member_(std::move(member)), key_(std::move(key)) {}

  // Whether an answer is still due.
  bool due() const noexcept { return static_cast<bool>(member_); }
  Member* member() const noexcept { return member_.get(); }
  // Sends the answer; further calls and answers to nobody do nothing.
  void send(const ArgumentsView& arguments);

 private:
  MemberRef member_;
  AckKey key_;
};

class InboundEvent {
 public:
  InboundEvent(Member& member, std::string_view name, const ArgumentsView& arguments, const AckKey* key)
      : member_(member), name_(name), arguments_(arguments), key_(key) {}
  InboundEvent(const InboundEvent&) = delete;
  InboundEvent& operator=(const InboundEvent&) = delete;

  Member& member() const noexcept { return member_; }
  std::string_view name() const noexcept { return name_; }
  const ArgumentsView& arguments() const noexcept { return arguments_; }

  // The peer asked for an acknowledgement and has none yet.
  bool wants_ack() const noexcept { return key_ != nullptr; }
  // Sends it now; a second one, or one nobody asked for, does nothing.
  void acknowledge(const ArgumentsView& arguments);
  // Takes the right to answer away, for later.
  Reply take_reply();

  // For middleware, which may change what the next one sees. The bytes must outlive the dispatch.
  void replace(std::string_view name, const ArgumentsView& arguments) noexcept {
    name_ = name;
    arguments_ = arguments;
  }

 private:
  Member& member_;
  std::string_view name_;
  ArgumentsView arguments_;
  const AckKey* key_;
};

}  // namespace tidewire::hub
