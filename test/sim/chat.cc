#include "sim/chat.h"

#include <algorithm>
#include <utility>

#include "app/shard.h"

namespace tidewire::sim {
namespace {

constexpr std::ptrdiff_t kPeople = 10;
constexpr base::Milliseconds kActiveMs = 6'000;
constexpr base::Milliseconds kSettleMs = 6'000;   // longer than a dead peer may live: ping interval and timeout
constexpr base::Milliseconds kVanishMs = 60'000;  // longer than every timeout of the column
constexpr base::Milliseconds kHoldMs = 400;       // shorter than what a peer may take
constexpr base::Milliseconds kStallMs = 4'000;    // shorter and longer than that
constexpr std::size_t kFillBytes = 6'000;
constexpr std::size_t kHeldBytes = 64 * 1024;     // prepared frames and the pool of queues
constexpr int kSlowConsumer = 4008;
constexpr int kNoPong = 4012;
const std::vector<std::string> kRooms = {"amber", "birch", "coral"};

// The bounds are small, so that a run of seconds meets them; mailboxes too, so that shards must spill.
net::SimulatedOptions world_options(std::uint64_t seed) {
  return {.seed = seed,
          .latency_ms_max = static_cast<base::Milliseconds>(1 + seed % 15),
          .window_bytes_min = 3 * 1024,
          .window_bytes_max = 12 * 1024,
          .mailbox_items_max = 1 + seed % 5 * 6};
}

Options server_options(std::uint32_t shards) {
  Options options;
  options.shards = shards;
  options.ping_interval_ms = 2'000;
  options.ping_timeout_ms = 1'500;
  options.queue_soft_bytes = 8 * 1024;
  options.queue_hard_bytes = 48 * 1024;
  options.queue_age_ms = 1'500;
  options.log_to_stderr = false;
  return options;
}

}  // namespace

Chat::Chat(std::uint64_t seed, std::uint32_t shards) : world_(world_options(seed)) {
  base::unsettled_bytes = 0;  // of an earlier story on this thread
  Drive drive;
  drive.threads = false;
  drive.make_reactor = [this](const net::ReactorOptions& options) -> Result<std::unique_ptr<net::Reactor>> {
    auto reactor = world_.make_reactor(options);
    reactors_.push_back(reactor.get());
    return Result<std::unique_ptr<net::Reactor>>(std::move(reactor));
  };
  auto core = std::make_unique<Core>(server_options(shards), std::move(drive));
  core_ = core.get();
  server_.reset(new Server(Core::make_server(std::move(core))));
  declare();
  if (!server_->start().ok()) violation("the server did not start");
  for (std::uint32_t i = 0; i < reactors_.size(); ++i) {
    reactors_[i]->set_turn_scope([this, i](const std::function<void()>& turn) {
      const ShardScope here(core_->shard(i));
      turn();
    });
  }
}

Chat::~Chat() {
  people_.clear();
  server_.reset();
}

void Chat::declare() {
  server_->on("enter", [](Socket& socket, Value body, Ack ack) {
    socket.join(body["room"].as_string().value_or(""));
    ack(true);
  });
  server_->on("exit", [](Socket& socket, Value body, Ack ack) {
    socket.leave(body["room"].as_string().value_or(""));
    ack(true);
  });
  server_->on_disconnect([this](Socket& socket, DisconnectReason reason) {
    if (reason != DisconnectReason::kSlowConsumer) return;
    ++outcome_.slow;
    const std::string_view name = socket.data().as_string().value_or("");
    const auto person = std::find_if(people_.begin(), people_.end(), [&](const auto& each) { return each->name == name; });
    if (person != people_.end() && !(*person)->slow && !(*person)->gone) violation((*person)->name + " is held to be slow");
  });
  server_->on("say", [this](Socket& socket, Value body, Ack ack) {
    socket.data() = body["from"];
    const BroadcastOperator room = server_->to(body["room"].as_string().value_or(""));
    room.emit("said", body);
    ack(true);
    if (below(16) != 0) return;
    ++questions_;
    room.timeout(1'000).emit_with_ack("ask").then([this](BroadcastAnswers) { ++answers_; });
  });
}

ChatOutcome Chat::run() {
  const base::Milliseconds end = world_.now() + kActiveMs;
  while (world_.now() < end) {
    act();
    world_.run_for(static_cast<base::Milliseconds>(below(25)));
  }
  world_.run_for(kSettleMs);
  check_completeness();
  check_rooms();
  everybody_leaves();
  world_.run_for(kVanishMs);
  check_nothing_left();
  stop();
  outcome_.trace = world_.trace();
  return std::move(outcome_);
}

// ---- What happens

void Chat::act() {
  const auto here = std::count_if(people_.begin(), people_.end(), [](const auto& each) { return !each->over; });
  if (here < kPeople && below(4) == 0) return come();
  if (people_.empty()) return;
  Person& person = *people_[below(people_.size())];
  if (below(60) == 0) {
    reactors_[below(reactors_.size())]->stall_until(world_.now() + static_cast<base::Milliseconds>(below(300)));
  }
  if (!person.active()) return;
  if (below(120) == 0) return misfortune(person);
  if (person.rooms.empty() || below(8) == 0) return change_room(person);
  speak(person);
}

void Chat::come() {
  Person& person = *people_.emplace_back(std::make_unique<Person>());
  person.name = "p" + std::to_string(people_.size());
  person.way = static_cast<Way>(below(kWayCount));
  person.chatter = make_chatter(person.way, {world_, core_->port},
                                {.ready = [&person] { person.ready = true; },
                                 .said = [this, &person](const Value& body) { on_said(person, body); },
                                 .acknowledged = [this, &person](std::uint64_t id) { on_acknowledged(person, id); },
                                 .ended = [this, &person](int code) { on_ended(person, code); }});
}

void Chat::speak(Person& person) {
  const std::string room = random_room();
  const std::uint64_t number = ++person.said[room];
  Value body = Value::object({{"room", room}, {"from", person.name}, {"n", number}});
  if (below(4) == 0) body.set("fill", std::string(below(kFillBytes), 'x'));
  person.asked[++person.last_id] = {Asked::What::kSay, room, number};
  person.chatter->say(body, person.last_id);
}

void Chat::change_room(Person& person) {
  const std::string room = random_room();
  const auto place = person.rooms.find(room);
  if (place == person.rooms.end()) {
    person.rooms[room] = {};
    person.asked[++person.last_id] = {Asked::What::kJoin, room, 0};
    person.chatter->join(room, person.last_id);
  } else if (place->second.state == Membership::State::kIn) {
    place->second.state = Membership::State::kLeaving;
    person.asked[++person.last_id] = {Asked::What::kLeave, room, 0};
    person.chatter->leave(room, person.last_id);
  }
}

void Chat::misfortune(Person& person) {
  switch (below(6)) {
    case 0:
      person.gone = true;
      return person.chatter->reset();
    case 1:
      person.gone = true;
      return person.chatter->vanish();
    case 2:
      person.leaving = true;
      return person.chatter->close();
    case 3:
      return stall(person);
    default: person.chatter->hold(static_cast<base::Milliseconds>(below(kHoldMs)));
  }
}

// Some read again in time, some only to find that they were cut off.
void Chat::stall(Person& person) {
  person.stalled = person.slow = true;
  person.chatter->stall(true);
  world_.schedule(world_.now() + static_cast<base::Milliseconds>(below(kStallMs)), [&person] {
    person.stalled = false;
    person.chatter->stall(false);
  });
}

std::string Chat::random_room() { return kRooms[below(kRooms.size())]; }

// ---- What is heard

void Chat::on_said(Person& person, const Value& body) {
  const std::string room(body["room"].as_string().value_or(""));
  const std::string from(body["from"].as_string().value_or(""));
  const std::uint64_t number = body["n"].as_uint64().value_or(0);
  const std::string what = person.name + " hears " + from + " #" + std::to_string(number) + " in " + room;
  ++outcome_.heard;
  const auto place = person.rooms.find(room);
  if (place == person.rooms.end()) return violation(what + ", which is not theirs");
  Membership& membership = place->second;
  const auto last = membership.last.find(from);
  if (last != membership.last.end()) {
    if (number != last->second + 1) violation(what + " after #" + std::to_string(last->second));
  } else if (membership.state != Membership::State::kJoining) {
    const auto owed = membership.owed.find(from);
    const std::uint64_t first = owed != membership.owed.end() ? owed->second : 1;
    if (number > first) violation(what + " first, though #" + std::to_string(first) + " was owed");
  }
  membership.last[from] = number;
}

void Chat::on_acknowledged(Person& person, std::uint64_t id) {
  const auto place = person.asked.find(id);
  if (place == person.asked.end()) return violation(person.name + " gets an acknowledgement nobody asked for");
  const Asked asked = place->second;
  person.asked.erase(place);
  switch (asked.what) {
    case Asked::What::kSay:
      person.acknowledged[asked.room] = std::max(person.acknowledged[asked.room], asked.number);
      return;
    case Asked::What::kLeave: person.rooms.erase(asked.room); return;
    case Asked::What::kJoin: break;
  }
  Membership& membership = person.rooms[asked.room];
  membership.state = Membership::State::kIn;
  for (const auto& speaker : people_) {
    const auto said = speaker->said.find(asked.room);
    if (said != speaker->said.end()) membership.owed[speaker->name] = said->second + 1;
  }
}

void Chat::on_ended(Person& person, int code) {
  person.over = true;
  const std::string what = person.name + " is cut off with " + std::to_string(code) + ", way " +
                           std::to_string(static_cast<int>(person.way));
  if (person.gone || person.leaving) return;
  if (!person.slow) return violation(what);
  // Without a CLOSE: over polling, or read too late.
  if (code != kSlowConsumer && code != kNoPong && code != 0) violation(what + " for being slow");
}

// ---- What must hold

void Chat::check_completeness() {
  for (const auto& person : people_) {
    if (!person->active()) continue;
    if (!person->asked.empty()) violation(person->name + " waits for " + std::to_string(person->asked.size()) + " answers");
    for (const auto& [room, membership] : person->rooms) {
      for (const auto& speaker : people_) {
        const auto said = speaker->acknowledged.find(room);
        if (said == speaker->acknowledged.end()) continue;
        const auto owed = membership.owed.find(speaker->name);
        if (owed != membership.owed.end() && said->second < owed->second) continue;
        const auto last = membership.last.find(speaker->name);
        const std::uint64_t heard = last != membership.last.end() ? last->second : 0;
        if (heard < said->second) {
          violation(person->name + " heard " + speaker->name + " in " + room + " up to #" + std::to_string(heard) + " of #" +
                    std::to_string(said->second));
        }
      }
    }
  }
}

// Everybody dead is known to be dead by now: the rooms hold exactly those who are in them.
void Chat::check_rooms() {
  std::map<std::string, std::size_t> model;
  std::map<std::string, std::size_t> real;
  for (const auto& person : people_) {
    if (!person->active()) continue;
    for (const auto& [room, membership] : person->rooms) ++model[room];
  }
  for (std::uint32_t i = 0; i < core_->shard_count(); ++i) {
    for (const hub::Namespace* space : core_->shard(i).hub().namespaces()) {
      for (const std::string& room : kRooms) {
        if (const hub::Room* found = space->room(room)) real[room] += found->members().size();
      }
    }
  }
  for (const std::string& room : kRooms) {
    if (model[room] == real[room]) continue;
    violation(room + " holds " + std::to_string(real[room]) + " members instead of " + std::to_string(model[room]));
  }
}

void Chat::everybody_leaves() {
  for (const auto& person : people_) {
    if (person->over) continue;
    const bool active = person->active();
    person->leaving = true;
    const std::uint64_t how = below(3);
    if (active && how == 0) {
      person->chatter->close();
    } else if (how == 1) {
      person->chatter->vanish();
    } else {
      person->chatter->reset();
    }
  }
}

void Chat::check_nothing_left() {
  ServerStatistics total;
  for (std::uint32_t i = 0; i < core_->shard_count(); ++i) {
    Shard& shard = core_->shard(i);
    shard.add_to(total);
    if (const std::size_t timers = shard.reactor().timers().armed_count(); timers != 0) {
      violation(std::to_string(timers) + " timers left");
    }
    for (const hub::Namespace* space : shard.hub().namespaces()) {
      if (space->room_count() != 0) violation(std::to_string(space->room_count()) + " rooms left");
      if (!space->empty()) violation("members left");
    }
  }
  if (total.connections != 0) violation(std::to_string(total.connections) + " connections left");
  if (total.sessions + total.polling_sessions != 0) violation(std::to_string(total.sessions) + " sessions left");
  if (total.sockets + total.plain_peers != 0) violation(std::to_string(total.sockets) + " sockets left");
  if (total.protocol_errors != 0) violation(std::to_string(total.protocol_errors) + " protocol errors");
  if (total.listener_failures != 0) violation("a listener failed");
  core_->budget.settle_now();
  const std::size_t held = core_->budget.used_bytes();
  if (held > kHeldBytes) violation(std::to_string(held) + " bytes held for nobody");
  if (questions_ != answers_) violation(std::to_string(questions_) + " questions, " + std::to_string(answers_) + " answers");
  outcome_.upgrades = total.upgrades;
  for (const net::SimulatedReactor* reactor : reactors_) outcome_.handed_over += reactor->adopted();
}

void Chat::stop() {
  server_->stop();
  const auto all_stopped = [this] {
    return std::all_of(reactors_.begin(), reactors_.end(), [](const auto* each) { return each->stopped(); });
  };
  if (!world_.run_while([&] { return !all_stopped(); }, 10'000)) violation("a shard does not stop");
}

void Chat::violation(const std::string& what) {
  if (outcome_.violations.size() < 10) outcome_.violations.push_back("at " + std::to_string(world_.now()) + " ms: " + what);
}

}  // namespace tidewire::sim
