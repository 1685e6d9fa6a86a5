// hub/member.h - one socket in one namespace, of any dialect, and Sink: the connection it speaks through.
//
// Life: made by Hub::admit(), in its namespace's table while connected, gone from it on disconnect. Handles (MemberRef) may
// outlive the connection and the thread; then connected() is false and sink() null. The count of handles is atomic,
// everything else belongs to the shard.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "base/limits.h"
#include "base/out_queue.h"
#include "base/timer_wheel.h"
#include "hub/handlers.h"
#include "hub/message.h"
#include "tidewire/identity.h"

namespace tidewire::hub {

class Member;
class MemberRef;
class Namespace;
class Room;

using MemberId = std::array<unsigned char, base::limits::kSidBytes>;  // 20 characters as text; public, not the session's sid

// What a person may want to know of a connection; made on demand.
struct ConnectionFacts {
  std::string address = {};    // "127.0.0.1"
  std::string transport = {};  // "polling", "websocket"
  std::string request_head = {};  // the raw head of the handshake request
  std::int64_t issued_ms = 0;  // wall clock of the handshake
  bool secure = false;
};

// How a membership ends from our side.
struct Ending {
  bool connection = false;     // the whole connection, with all its memberships
  std::uint16_t code = 0;      // of the WebSocket close; 0: what the dialect takes for a plain goodbye
  std::string_view text = {};  // its reason
};

// The seam to the wire: one per connection, shared by its members.
class Sink {
 public:
  virtual void send(const base::Frame& frame, base::Lane lane) = 0;
  // False when a volatile message should be dropped now.
  virtual bool writable() const noexcept = 0;
  virtual std::size_t queued_bytes() const noexcept = 0;
  // Ends this member's membership, telling the peer.
  virtual void disconnect(Member& member, const Ending& ending) = 0;
  virtual ConnectionFacts facts() const = 0;
  // ConnectionFacts::address alone, which many ask for and which costs no copy of a head.
  virtual std::string address() const = 0;

 protected:
  ~Sink() = default;
};

// An answer the server waits for.
using AckCallback = UniqueFunction<void(Result<ArgumentsView>)>;

class Member {
 public:
  Member(Namespace& home, Sink& sink, const Dialect& dialect, const MemberId& id);
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  const MemberId& id() const noexcept { return id_; }
  std::string id_text() const;
  Namespace& home() const noexcept { return *home_; }
  const Dialect& dialect() const noexcept { return *dialect_; }
  // Null once the connection is gone.
  Sink* sink() const noexcept { return sink_; }
  // True between admission and disconnect. From any thread (a hint off the shard).
  bool connected() const noexcept { return connected_.load(std::memory_order_acquire); }

  // Listeners, data, pending acknowledgements: only members that use them pay.
  struct Extras;
  Extras& extras();
  Extras* extras_if_any() const noexcept { return extras_.get(); }
  // Its own listeners, if it has any.
  HandlerSet* own_handlers() const noexcept { return extras_ == nullptr ? nullptr : own_handlers_of(*extras_); }
  // Who it is; null when nobody asked.
  const Identity* identity() const noexcept { return extras_ == nullptr ? nullptr : identity_of(*extras_); }

 private:
  friend class MemberRef;
  friend class Namespace;
  friend class Hub;
  ~Member();
  static HandlerSet* own_handlers_of(const Extras& extras) noexcept;
  static const Identity* identity_of(const Extras& extras) noexcept;
  struct Membership {
    Room* room;
    std::uint32_t index;  // in room->members_
  };

  Namespace* home_;
  Sink* sink_;
  const Dialect* dialect_;
  std::unique_ptr<Extras> extras_;
  absl::InlinedVector<Membership, 2> rooms_;
  std::uint32_t index_ = 0;  // in home_->members_
  std::uint32_t mark_ = 0;   // the last fan-out that visited or excluded it
  std::atomic<std::uint32_t> handles_{0};
  MemberId id_;
  std::atomic<bool> connected_{false};
  bool leaving_ = false;     // its disconnecting listeners run, or have run
};

// A counted handle. Copies from any thread.
class MemberRef {
 public:
  MemberRef() noexcept = default;
  explicit MemberRef(Member& member) noexcept : member_(&member) { retain(member); }
  MemberRef(const MemberRef& other) noexcept : member_(other.member_) {
    if (member_ != nullptr) retain(*member_);
  }
  MemberRef(MemberRef&& other) noexcept : member_(std::exchange(other.member_, nullptr)) {}
  MemberRef& operator=(MemberRef other) noexcept {
    std::swap(member_, other.member_);
    return *this;
  }
  ~MemberRef() {
    if (member_ != nullptr) release(*member_);
  }
  Member* get() const noexcept { return member_; }
  Member& operator*() const noexcept { return *member_; }
  Member* operator->() const noexcept { return member_; }
  explicit operator bool() const noexcept { return member_ != nullptr; }

  // For handles that do not hold a MemberRef. REQUIRES: each release() ends one retain().
  static void retain(Member& member) noexcept { member.handles_.fetch_add(1, std::memory_order_relaxed); }
  static void release(Member& member) noexcept {
    if (member.handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete &member;
  }

 private:
  Member* member_ = nullptr;
};

struct Member::Extras {
  // One answer the server waits for, with its deadline.
  struct Pending final : base::Timer {
    Pending(Member& owner, std::uint64_t id, AckCallback done) : member(owner), ack_id(id), callback(std::move(done)) {}
    ~Pending() = default;
    void expired(base::Milliseconds now) override;
    Member& member;
    const std::uint64_t ack_id;
    AckCallback callback;
  };

  using PendingAcks = absl::flat_hash_map<std::uint64_t, std::unique_ptr<Pending>>;

  // Made when first used: most members have an identity, or data, few have listeners of their own.
  HandlerSet& handlers() {
    if (own_handlers == nullptr) own_handlers = std::make_unique<HandlerSet>();
    return *own_handlers;
  }
  PendingAcks& pending() {
    if (own_pending == nullptr) own_pending = std::make_unique<PendingAcks>();
    return *own_pending;
  }

  Value& data() {
    if (own_data == nullptr) own_data = std::make_unique<Value>();
    return *own_data;
  }

  std::unique_ptr<HandlerSet> own_handlers;
  std::unique_ptr<PendingAcks> own_pending;
  std::shared_ptr<const Identity> identity;  // null: no authenticator, or nobody in particular
  std::unique_ptr<Value> own_data;
  std::unique_ptr<const std::string> auth;  // JSON text of the CONNECT payload; null for none or when the authenticator keeps it
};

inline HandlerSet* Member::own_handlers_of(const Extras& extras) noexcept { return extras.own_handlers.get(); }
inline const Identity* Member::identity_of(const Extras& extras) noexcept { return extras.identity.get(); }

}  // namespace tidewire::hub
