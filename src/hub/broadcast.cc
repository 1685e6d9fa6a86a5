#include "hub/broadcast.h"

#include <memory>
#include <utility>

#include "hub/gather.h"

namespace tidewire::hub {
namespace {

// Runs `action(namespace)` for this namespace on every shard, here first. A shard that has no such namespace has no members.
template <typename Action>
void on_all_shards(const SharedNamespace& space, Action action) {
  Relay& relay = space.hub().relay();
  for (std::uint32_t shard = 0; shard < relay.shard_count(); ++shard) {
    if (shard == relay.shard()) continue;
    relay.post(shard, [key = space.key(), action](Hub& sibling) {
      if (Namespace* there = sibling.find(key)) action(*there);
    });
  }
  if (space.here() != nullptr) action(*space.here());
}

// One shard's share of a broadcast with acknowledgements.
class AckCollector final : public base::Timer, public std::enable_shared_from_this<AckCollector> {
 public:
  using Done = UniqueFunction<void(BroadcastAnswers)>;

  static void start(Namespace& space, const Selector& selector, Message message, std::int64_t timeout_ms, Done done) {
    const std::uint64_t id = space.next_ack_id();
    auto collector = std::make_shared<AckCollector>(space, id, std::move(done));
    message.ack_id = id;
    message.frames = {};  // the ack id is in the frame: this shard's own
    Namespace::BroadcastAcks acks;
    const std::vector<MemberRef> meant = space.select(selector);  // listeners to what goes out may change who is where
    for (const MemberRef& member : meant) {
      if (space.deliver_to(*member, message)) acks.waiting.insert(member.get());
    }
    for (const MemberRef& member : meant) {
      if (!member->connected()) acks.waiting.erase(member.get());
    }
    if (acks.waiting.empty()) {
      collector->finish(Status());
      return;
    }
    acks.answered = [collector](Member&, const ArgumentsView& arguments) { collector->answered(arguments); };
    acks.left = [collector](Member&) { collector->somebody_left_ = true; };
    space.expect_broadcast_acks(id, std::move(acks));
    collector->waits_ = true;
    space.hub().timers().arm(*collector, space.hub().now() + timeout_ms);
  }

  AckCollector(Namespace& space, std::uint64_t id, Done done) : space_(space), id_(id), done_(std::move(done)) {}
  ~AckCollector() = default;

 private:
  void answered(const ArgumentsView& arguments) {
    answers_.push_back(arguments.copy());
    check();
  }
  // Somebody who left without answering counts as late: the sender learns that at the deadline, as with the reference server.
  void check() {
    const auto* acks = space_.broadcast_acks(id_);
    if (acks != nullptr && acks->waiting.empty() && !somebody_left_) finish(Status());
  }
  void expired(base::Milliseconds) override {
    finish(Status(StatusCode::kDeadlineExceeded, "operation has timed out"));
  }
  void finish(Status status) {
    cancel();
    auto keep = shared_from_this();
    if (auto done = std::move(done_)) done({std::move(status), std::move(answers_)});
    // The table entry holds a reference to this object and to the functions that may be running now: drop it last.
    if (waits_) space_.hub().after_dispatch([&space = space_, id = id_] { space.hub().forget_broadcast(space, id); });
  }

  Namespace& space_;
  const std::uint64_t id_;
  Done done_;
  std::vector<Arguments> answers_;
  bool somebody_left_ = false;
  bool waits_ = false;  // stands in the namespace's table, and so keeps the namespace
};

std::vector<MemberSnapshot> snapshots(Namespace& space, const Selector& selector) {
  std::vector<MemberSnapshot> list;
  space.each(selector, [&](Member& member) { list.push_back(snapshot(member)); });
  return list;
}

}  // namespace

MemberSnapshot snapshot(Member& member) {
  MemberSnapshot made;
  made.id = member.id();
  made.dialect = member.dialect().name();
  made.shard = member.home().hub().relay().shard();
  made.rooms = member.home().rooms_of(member);
  if (const Member::Extras* extras = member.extras_if_any()) {
    if (extras->own_data != nullptr) made.data = *extras->own_data;
    if (extras->auth != nullptr) made.auth = *extras->auth;
    made.identity = extras->identity;
  }
  if (const Sink* sink = member.sink()) made.facts = sink->facts();
  return made;
}

void broadcast(const SharedNamespace& space, const Selector& selector, Message message) {
  Relay& relay = space.hub().relay();
  message.namespace_name = space.name();
  if (space.here() != nullptr) space.here()->deliver(selector, message);
  if (relay.shard_count() == 1) return;
  auto shared = std::make_shared<OwnedMessage>(message);
  auto shared_selector = std::make_shared<const Selector>(selector);
  for (std::uint32_t shard = 0; shard < relay.shard_count(); ++shard) {
    if (shard == relay.shard()) continue;
    relay.post_message(shard, [key = space.key(), shared, shared_selector](Hub& sibling) {
      if (Namespace* there = sibling.find(key)) there->deliver(*shared_selector, shared->view());
    }, message.is_volatile);
  }
}

void broadcast_with_ack(const SharedNamespace& space, const Selector& selector, Message message, std::int64_t timeout_ms,
                        UniqueFunction<void(BroadcastAnswers)> done) {
  Relay& relay = space.hub().relay();
  message.namespace_name = space.name();
  // One collector per shard, one that waits for all of them. Each shard keeps the deadline itself; a little more is left for
  // the way back.
  struct Total {
    std::size_t due;
    BroadcastAnswers answers;
    UniqueFunction<void(BroadcastAnswers)> done;
    void add(BroadcastAnswers part) {
      if (!part.status.ok()) answers.status = part.status;
      for (Arguments& answer : part.answers) answers.answers.push_back(std::move(answer));
      if (--due == 0) done(std::move(answers));
    }
  };
  auto total = std::make_shared<Total>(Total{relay.shard_count(), {}, std::move(done)});
  if (relay.shard_count() > 1) {
    auto shared = std::make_shared<OwnedMessage>(message);
    auto shared_selector = std::make_shared<const Selector>(selector);
    const std::uint32_t origin = relay.shard();
    for (std::uint32_t shard = 0; shard < relay.shard_count(); ++shard) {
      if (shard == origin) continue;
      const bool posted = relay.post_message(shard, [key = space.key(), shared, shared_selector, timeout_ms, origin,
                                                     total](Hub& sibling) {
        const auto answer = [&sibling, origin, total](BroadcastAnswers part) {
          sibling.relay().post(origin, [total, part = std::move(part)](Hub&) mutable { total->add(std::move(part)); });
        };
        if (Namespace* there = sibling.find(key)) {
          AckCollector::start(*there, *shared_selector, shared->view(), timeout_ms, answer);
        } else {
          answer({});
        }
      }, message.is_volatile);
      if (!posted) total->add({Status(StatusCode::kDeadlineExceeded, "operation has timed out"), {}});
    }
  }
  if (space.here() == nullptr) return total->add({});
  AckCollector::start(*space.here(), selector, std::move(message), timeout_ms,
                      [total](BroadcastAnswers part) { total->add(std::move(part)); });
}

void fetch_members(const SharedNamespace& space, const Selector& selector, Snapshots done) {
  using Part = std::vector<MemberSnapshot>;
  Gather<Part>::all_shards(
      space.hub(), kGatherDeadlineMs,
      [key = space.key(), selector](Hub& hub) {
        Namespace* there = hub.find(key);
        return there == nullptr ? Part() : snapshots(*there, selector);
      },
      [done = std::move(done)](std::vector<Part> parts, bool) {
        Part all;
        for (Part& part : parts) {
          for (MemberSnapshot& member : part) all.push_back(std::move(member));
        }
        done(std::move(all));
      });
}

void join_all(const SharedNamespace& space, const Selector& selector, std::vector<std::string> rooms) {
  on_all_shards(space, [selector, rooms = std::move(rooms)](Namespace& there) {
    for (const MemberRef& member : there.select(selector)) {
      for (const std::string& room : rooms) static_cast<void>(there.join(*member, room));
    }
  });
}

void leave_all(const SharedNamespace& space, const Selector& selector, std::vector<std::string> rooms) {
  on_all_shards(space, [selector, rooms = std::move(rooms)](Namespace& there) {
    for (const MemberRef& member : there.select(selector)) {
      for (const std::string& room : rooms) there.leave(*member, room);
    }
  });
}

void disconnect_all(const SharedNamespace& space, const Selector& selector, bool close_connections, std::uint16_t code, std::string text) {
  on_all_shards(space, [selector, close_connections, code, text = std::move(text)](Namespace& there) {
    // Namespaces of several members may share a connection, and listeners may do anything: handles, not pointers.
    for (const MemberRef& member : there.select(selector)) {
      if (Sink* sink = member->sink()) sink->disconnect(*member, {close_connections, code, text});
    }
  });
}

}  // namespace tidewire::hub
