// hub/hub.h - one per shard: its namespaces, who is admitted to them, and the way of an event to its listeners.
//
//   dialect --admit()--> who? -> definition? -> middleware chain -> member in the tables -> Admission::admitted()
//              -> connection listeners -> Admission::settled()
//   dialect --dispatch()--> middleware (if any) -> catch-alls -> listeners by name, or those for what nobody listens to
//   dialect --acknowledged()--> the callback that waits
//   dialect --leave()--> disconnecting listeners -> out of the rooms -> disconnect listeners
//
// An exception from a listener is caught here, logged, and ends that member's connection; the others notice nothing.
// Threads: its shard only. Time: handed in with now_ms() of the clock it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/log.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "hub/entrance.h"
#include "hub/event.h"
#include "hub/identity_watch.h"
#include "hub/member.h"
#include "hub/namespace.h"
#include "hub/past_totals.h"
#include "hub/registry.h"
#include "hub/relay.h"

namespace tidewire::hub {

struct HubOptions {
  bool cleanup_empty_child_namespaces = false;
  std::int64_t ack_timeout_ms = 30'000;  // for acknowledgements asked for without a timeout of their own; 0: none
  std::int64_t expiry_warning_ms = 30'000;  // `auth_expiring` this long before an identity ends; 0: never
};

// What the hub borrows from its shard.
struct HubContext {
  base::TimerWheel& timers;
  base::Random& random;
  base::LogSink& log;
  Relay& relay;
  NamespaceRegistry& registry;
  std::function<base::Milliseconds()> now;
  std::function<void(UniqueFunction<void()>)> defer;  // runs it later in this turn
  Authenticate authenticate = {};                     // none: everybody is let in as nobody in particular
  std::function<std::int64_t()> wall_clock_ms = [] { return std::int64_t{0}; };
  RoomQuota* rooms = nullptr;                         // none: no bound
};

struct HubStatistics {
  std::uint64_t connects = 0;
  std::uint64_t refusals = 0;
  std::uint64_t disconnects = 0;
  std::uint64_t events_in = 0;
  std::uint64_t unheard = 0;         // events without a listener
  std::uint64_t acks_in = 0;
  std::uint64_t acks_unknown = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t volatile_dropped = 0;
  std::uint64_t refused_namespaces = 0;  // over the bound of dynamic ones
  std::uint64_t refused_rooms = 0;       // over the bound of rooms
  std::uint64_t listener_failures = 0;
  std::uint64_t identities_expired = 0;
  std::size_t members = 0;           // now
};

// The words for a namespace that was not declared; dialects and clients know them.
inline constexpr std::string_view kInvalidNamespaceText = "Invalid namespace";
// And for one that would be one too many: data and close code too.
inline constexpr std::string_view kTooManyNamespacesText = "Too many namespaces";
inline constexpr std::string_view kTooManyNamespacesData = R"({"code":"too_many_namespaces"})";
inline constexpr std::uint16_t kTryAgainLaterCode = 1013;

// What a member hears before its identity ends, {expiresAt (s), expiresInMs}, and the close code when it has ended.
inline constexpr std::string_view kExpiringEvent = "auth_expiring";
inline constexpr std::uint16_t kExpiredCode = 4002;

// One member's way in. Destroyed by the dialect when the connection dies: then nothing of it is called any more, and a member
// still on its way loses its sink and the rooms that middleware gave it.
class Admission {
 public:
  Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  virtual ~Admission();
  // The member is in the tables. Tell the peer; connection listeners run when this returns.
  virtual void admitted(Member& member) = 0;
  virtual void refused(const Refusal& refusal) = 0;
  // The connection listeners have run: events that waited may be dispatched now.
  virtual void settled(Member& member) { static_cast<void>(member); }

 private:
  friend class Hub;
  MemberRef entering_;
};

class Hub {
 public:
  Hub(const HubOptions& options, HubContext context);
  ~Hub();

  Relay& relay() const noexcept { return context_.relay; }
  base::TimerWheel& timers() const noexcept { return context_.timers; }
  base::LogSink& log() const noexcept { return context_.log; }
  const NamespaceRegistry& registry() const noexcept { return context_.registry; }
  base::Milliseconds now() const { return context_.now(); }
  const HubOptions& options() const noexcept { return options_; }
  // Runs `task` when the listeners that run now have returned.
  void after_dispatch(UniqueFunction<void()> task) { context_.defer(std::move(task)); }
  HubStatistics& statistics() noexcept { return statistics_; }

  Namespace* find(const NamespaceKey& key) const;
  std::vector<Namespace*> namespaces() const;
  // Of the namespaces that this shard had.
  const PastTotals& past_totals() const noexcept { return past_totals_; }

  // Brings a connection into a namespace; `admission` hears the outcome, during the call or later.
  void admit(std::string_view namespace_name, Sink& sink, const Dialect& dialect, std::string auth,
             const std::shared_ptr<Admission>& admission);

  // An event from the member's peer. `key`: null when no acknowledgement is wanted.
  void dispatch(Member& member, std::string_view event, const ArgumentsView& arguments, const AckKey* key);
  // The peer's answer number `id`; unknown ones are counted and ignored.
  void acknowledged(Member& member, std::uint64_t id, const ArgumentsView& arguments);
  // Whether somebody answers for this event of the member: a listener by name, or one for what nobody else listens to.
  bool hears(const Member& member, std::string_view event) const;
  // The member is gone; its sink must not be used any more.
  void leave(Member& member, DisconnectReason reason);

  // A place for one more room, which who frees it gives back. False when there is none: counted, and told once in a while.
  // `beyond_bound`: there is always one.
  bool take_room(bool beyond_bound);
  void give_room_back() noexcept;

  // Questions that wait for answers of other shards (hub/gather.h) live here meanwhile.
  void keep_question(const std::shared_ptr<void>& question) { questions_.emplace(question.get(), question); }
  // Returns the last reference that this hub held.
  std::shared_ptr<void> let_question_go(const void* question);
  // The end of the shard: they are not answered any more.
  void drop_questions() { std::exchange(questions_, {}).clear(); }

  // A broadcast of the namespace waits for no answers any more.
  void forget_broadcast(Namespace& space, std::uint64_t ack_id);

  // Something went wrong with this member's peer or its middleware: its `error` listeners hear it.
  void report_error(Member& member, const Refusal& error);
  // Somebody else, or the same one with more time.
  void set_identity(Member& member, std::shared_ptr<const Identity> identity);
  // Everybody whose identity is chosen: out of the rooms, then ended.
  void close_members_of(const std::function<bool(const Identity&)>& chosen, const Ending& ending);
  // The member's connection takes bytes again.
  void drained(Member& member);

  // Sends an event to one member. With `callback`, asks for an acknowledgement within `timeout_ms` (0: the default).
  void emit(Member& member, Message message, AckCallback callback = {}, std::int64_t timeout_ms = 0);

  // Runs a listener's code: catches what it throws.
  template <typename Call>
  void guarded(Member& member, Call&& call);

 private:
  struct Entry;  // an admission under way
  void authenticate(const std::shared_ptr<Entry>& entry);
  void judged(const std::shared_ptr<Entry>& entry, Verdict verdict);
  void expire(Member& member);
  void turn_out(Member& member, const Ending& ending);
  void warn_of_expiry(Member& member);
  void find_definition(const std::shared_ptr<Entry>& entry, std::size_t parent_index);
  void enter_child(const std::shared_ptr<Entry>& entry, const NamespaceParent& parent);
  void enter(const std::shared_ptr<Entry>& entry, const std::shared_ptr<NamespaceDefinition>& definition);
  void run_middlewares(const std::shared_ptr<Entry>& entry, std::size_t index);
  void finish(const std::shared_ptr<Entry>& entry);
  void refuse(const std::shared_ptr<Entry>& entry, const Refusal& refusal);
  // The member will not be admitted.
  void withdraw(Member& member);
  void cancel_pending(Member& member);
  template <typename Run>
  void each_handler_set(Member& member, Run&& run);
  Namespace& open(const NamespaceKey& key, const std::shared_ptr<NamespaceDefinition>& definition);
  void drop_if_empty(Namespace& space);
  void deliver_event(InboundEvent& event);
  void listener_failed(Member& member, const char* what);
  // Counts what a bound refuses. A log line a minute for each bound is enough.
  void count_refused(std::uint64_t& count, std::optional<base::Milliseconds>& told, std::string_view message);
  MemberId new_id();

  const HubOptions options_;
  HubContext context_;
  HubStatistics statistics_;
  IdentityWatch identities_;
  absl::flat_hash_map<NamespaceKey, NamespaceRef> namespaces_;
  PastTotals past_totals_;
  absl::flat_hash_map<const void*, std::shared_ptr<void>> questions_;
  std::optional<base::Milliseconds> namespaces_told_;  // when the log last heard of the bound
  std::optional<base::Milliseconds> rooms_told_;
  std::uint16_t id_counter_ = 0;
};

template <typename Call>
void Hub::guarded(Member& member, Call&& call) {
  try {
    call();
  } catch (const std::exception& failure) {
    listener_failed(member, failure.what());
  } catch (...) {
    listener_failed(member, "unknown exception");
  }
}

}  // namespace tidewire::hub
