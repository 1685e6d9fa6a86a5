#include "server/contract_runner.h"

#include <algorithm>
#include <span>
#include <utility>

#include "server/clock.h"

namespace tidewire::server {
namespace {

constexpr policy::Rate kStrikes{.count = 50, .interval_ms = 10'000, .burst = 50};  // refusals before the door

Problem problem(std::string_view code, std::string_view message, Value details = {}) {
  return {std::string(code), std::string(message), std::move(details)};
}

// What the receivers see of a payload under stamps: its own members, then ours, which win, also by not being there: a sender
// without a name does not choose one. What is no object travels as `data`.
Value stamped(const Value& payload, const Value& stamps) {
  std::vector<Value::Member> members;
  for (const Value::Member& member : payload.members()) {
    if (stamps.find(member.key) == nullptr) members.push_back(member);
  }
  if (!payload.is_object() && !payload.is_null()) members.push_back({"data", payload});
  for (const Value::Member& member : stamps.members()) {
    if (!member.value.is_null()) members.push_back(member);
  }
  return Value::object(std::move(members));
}

}  // namespace

struct ContractRunner::Entry {
  const Contract& contract;
  bool told;  // a webhook wants to hear of it
  std::unique_ptr<policy::RateTable> rate;
};

struct ContractRunner::Desk {
  std::shared_ptr<const Rulebook> book;
  std::vector<std::unique_ptr<Entry>> entries;
  std::vector<base::StringMap<Entry*>> by_event;  // for each namespace; aliases too
  std::unique_ptr<SenderLimits> limits;
  policy::RateTable strikes{kStrikes};            // by socket
  std::string key;                                // of the one that is asked for now

  // Rates that are as they were go on counting.
  void take_over(std::shared_ptr<const Rulebook> next, std::span<const std::string> spaces, const Hooks& hooks) {
    std::vector<std::unique_ptr<Entry>> before = std::move(entries);
    entries.clear();
    by_event.assign(spaces.size(), {});
    for (const auto& contract : next->contracts) {
      const auto space = std::ranges::find(spaces, contract->namespace_name);
      if (space == spaces.end()) continue;
      auto entry = std::make_unique<Entry>(Entry{*contract, hooks.wants("event:" + contract->name), nullptr});
      if (contract->rate) {
        entry->rate = rate_of(before, *contract);
        if (entry->rate == nullptr) entry->rate = std::make_unique<policy::RateTable>(*contract->rate);
      }
      base::StringMap<Entry*>& names = by_event[static_cast<std::size_t>(space - spaces.begin())];
      names[contract->name] = entry.get();
      for (const std::string& alias : contract->aliases) names[alias] = entry.get();
      entries.push_back(std::move(entry));
    }
    if (limits == nullptr || !(limits->rates() == next->rates)) limits = std::make_unique<SenderLimits>(next->rates);
    book = std::move(next);
  }

  static std::unique_ptr<policy::RateTable> rate_of(std::span<const std::unique_ptr<Entry>> before, const Contract& contract) {
    for (const auto& entry : before) {
      const Contract& old = entry->contract;
      if (old.name == contract.name && old.namespace_name == contract.namespace_name && old.rate == contract.rate) return std::move(entry->rate);
    }
    return nullptr;
  }
};

struct ContractRunner::Run {
  std::shared_ptr<const Rulebook> book;
  const Contract& contract;  // of the book
  Socket socket;
  std::shared_ptr<const Identity> identity;
  Arguments arguments;
  Value payload;
  Ack ack;
  Value answer = {};  // of the back end
};

ContractRunner::ContractRunner(CurrentRulebook& book, Server& io, RoomService& rooms, Hooks& hooks, base::LogSink& log)
    : book_(book), io_(io), rooms_(rooms), hooks_(hooks), log_(log) {
  for (std::uint32_t i = 0; i < book.shard_count(); ++i) desks_.push_back(std::make_unique<Desk>());
}

ContractRunner::~ContractRunner() = default;

void ContractRunner::listen(const Namespace& space, std::string_view name) {
  // Behind the server's own events (auth_refresh), and not by name: what contracts there are may change.
  space.on_unheard([this, index = spaces_.size()](Event& event) { handle(event, index); });
  spaces_.emplace_back(name);
  // Arguments that an own listener of the server (auth_refresh) cannot read.
  space.on_error([](Socket&, const Error&) {});
}

ContractRunner::Desk& ContractRunner::desk() {
  const std::uint32_t shard = io_.current_shard();
  Desk& desk = *desks_[shard];
  const auto& book = book_.on_shard(shard);
  if (desk.book != book) [[unlikely]] desk.take_over(book, spaces_, hooks_);
  return desk;
}

void ContractRunner::handle(Event& event, std::size_t space) {
  Desk& here = desk();
  Socket& socket = event.socket();
  if (const auto over = here.limits->take(socket, *socket.identity(), monotonic_ms())) {
    Ack ack = event.take_ack();
    return refuse(socket, ack, event.name(), too_fast(here, socket, Value::object({{"limit", over->of}, {"retryAfterMs", over->wait_ms}})));
  }
  const auto found = here.by_event[space].find(event.name());
  if (found == here.by_event[space].end()) return handle_undeclared(here, event);
  carry_out(here, *found->second, event);
}

void ContractRunner::carry_out(Desk& desk, Entry& entry, Event& event) {
  const Contract& contract = entry.contract;
  Socket& socket = event.socket();
  const std::shared_ptr<const Identity> identity = socket.identity();
  Ack ack = event.take_ack();
  if (const auto refused = check_sender(contract, *identity)) return refuse(socket, ack, event.name(), *refused);
  if (const auto refused = over_rate(desk, entry, socket, *identity)) return refuse(socket, ack, event.name(), *refused);

  Value payload;
  if (contract.reads_payload) {
    if (const auto refused = check_payload(contract, event.arguments(), payload)) return refuse(socket, ack, event.name(), *refused);
  }
  const Filling filling(socket, *identity, payload);
  if (const auto refused = check_membership(contract, socket, filling)) return refuse(socket, ack, event.name(), *refused);
  statistics_.handled.fetch_add(1, std::memory_order_relaxed);
  if (entry.told) {
    hooks_.tell("event:" + contract.name, socket, Value::object({{"name", contract.name}, {"arguments", Value::array(event.arguments().values())}}));
  }
  if (contract.ask.empty() && contract.join.empty() && contract.leave.empty()) {
    return finish(contract, socket, *identity, event.arguments(), payload, ack);
  }
  auto run = std::make_shared<Run>(Run{desk.book, contract, socket, identity, event.arguments().copy(), std::move(payload), std::move(ack)});
  if (contract.ask.empty()) {
    change_rooms(std::move(run), 0);
  } else {
    ask(std::move(run));
  }
}

// ---- what may be refused

std::optional<Problem> ContractRunner::check_sender(const Contract& contract, const Identity& identity) {
  switch (contract.from.admits(identity, {})) {
    case Who::Answer::kNeedsToken: return problem(problems::kUnauthorized, "this event is for people with a token");
    case Who::Answer::kNo:
    case Who::Answer::kAsk: return problem(problems::kForbidden, "you may not send this event");
    case Who::Answer::kYes: break;
  }
  return std::nullopt;
}

std::optional<Problem> ContractRunner::over_rate(Desk& desk, Entry& entry, Socket& socket, const Identity& identity) {
  policy::RateTable* table = entry.rate.get();
  if (table == nullptr) return std::nullopt;
  std::string& key = desk.key;
  if (identity.anonymous()) {
    key = socket.id();
  } else {
    SenderLimits::user_key(identity, key);
  }
  const base::Milliseconds now = monotonic_ms();
  if (table->take(key, now)) return std::nullopt;
  return too_fast(desk, socket, Value::object({{"limit", "event"}, {"retryAfterMs", table->wait_ms(key, now)}}));
}

Problem ContractRunner::too_fast(Desk& desk, Socket& socket, Value details) {
  statistics_.rate_limited.fetch_add(1, std::memory_order_relaxed);
  if (!desk.strikes.take(socket.id(), monotonic_ms())) socket.close(kRateLimitCode, "rate limit");
  return problem(problems::kRateLimited, "too many events", std::move(details));
}

std::optional<Problem> ContractRunner::check_payload(const Contract& contract, const ArgumentsView& arguments, Value& payload) {
  if (contract.schema && arguments.size() > 1) {
    return problem(problems::kInvalidPayload, "this event has one argument", Value::object({{"arguments", arguments.size()}}));
  }
  payload = arguments[0];
  if (!contract.payload_key.empty() && (payload.is_string() || payload.is_number())) {
    payload = Value::object({{contract.payload_key, std::move(payload)}});
  }
  if (!contract.schema) return std::nullopt;
  const auto violation = contract.schema->validate(payload);
  if (!violation) return std::nullopt;
  return problem(problems::kInvalidPayload, violation->message,
                 Value::object({{"pointer", violation->pointer}, {"keyword", violation->keyword}}));
}

std::optional<Problem> ContractRunner::check_membership(const Contract& contract, const Socket& socket, const Filling& filling) {
  if (!contract.member_of) return std::nullopt;
  const auto room = contract.member_of->fill([&](std::string_view path) { return filling.text(path); });
  if (!room.ok()) return problem(problems::kInvalidRoom, room.status().message());
  if (socket.in_room(*room)) return std::nullopt;
  return problem(problems::kNotAMember, "join the room first", Value::object({{"room", *room}}));
}

void ContractRunner::refuse(Socket& socket, Ack& ack, std::string_view event, const Problem& what) {
  statistics_.refused.fetch_add(1, std::memory_order_relaxed);
  if (log_.enabled(base::LogLevel::kInfo)) {
    log_.write(base::LogLevel::kInfo, "event refused",
               {{"event", std::string(event)}, {"code", what.code}, {"socket", socket.id()}, {"user", socket.identity()->user_id},
                {"namespace", socket.namespace_name()}});
  }
  tell(socket, ack, event, what);
}

// ---- what an event does

void ContractRunner::ask(std::shared_ptr<Run> run) {
  const Contract& contract = run->contract;
  const Value question = Value::object({{"question", "event"},
                                        {"event", contract.name},
                                        {"data", run->payload},
                                        {"namespace", run->socket.namespace_name()},
                                        {"socket", socket_value(run->socket)},
                                        {"user", user_value(*run->identity)}});
  hooks_.ask(contract.ask, run->socket, question, [this, run](outbound::Answer answer) {
    run->socket.run([this, run, answer = std::move(answer)](Socket& socket) mutable {
      if (!socket.connected()) return;
      if (!answer.ok()) return refuse(socket, run->ack, run->contract.name, problem(problems::kUnavailable, outbound::ask_error_text(answer.error)));
      if (answer.value["ok"] != Value(true)) {
        const Value& error = answer.value["error"];
        return refuse(socket, run->ack, run->contract.name,
                      problem(error["code"].as_string().value_or(problems::kForbidden), error["message"].as_string().value_or("refused"),
                              error["details"]));
      }
      // Who has lost his rights while the back end thought about it does not use them any more.
      run->identity = socket.identity();
      if (const auto refused = may_still(*run)) return refuse(socket, run->ack, run->contract.name, *refused);
      run->answer = answer.value["data"];
      change_rooms(run, 0);
    });
  });
}

std::optional<Problem> ContractRunner::may_still(const Run& run) {
  if (const auto refused = check_sender(run.contract, *run.identity)) return refused;
  return check_membership(run.contract, run.socket, Filling(run.socket, *run.identity, run.payload));
}

void ContractRunner::change_rooms(std::shared_ptr<Run> run, std::size_t next) {
  const Contract& contract = run->contract;
  Socket& socket = run->socket;
  const Filling filling(socket, *run->identity, run->payload);
  const auto fill = [&](const policy::Template& text) { return text.fill([&](std::string_view path) { return filling.text(path); }); };
  if (next == 0) {
    for (const policy::Template& each : contract.leave) {
      const auto room = fill(each);
      if (!room.ok()) return refuse(socket, run->ack, contract.name, problem(problems::kInvalidRoom, room.status().message()));
      if (const auto refused = rooms_.leave(socket, *room)) return refuse(socket, run->ack, contract.name, *refused);
    }
  }
  if (next == contract.join.size()) {
    return finish(contract, socket, *run->identity, run->arguments, run->answer.is_null() ? run->payload : run->answer, run->ack);
  }
  const auto room = fill(contract.join[next]);
  if (!room.ok()) return refuse(socket, run->ack, contract.name, problem(problems::kInvalidRoom, room.status().message()));
  rooms_.join(socket, *room, [this, run, next](std::optional<Problem> refused) {
    if (refused) return refuse(run->socket, run->ack, run->contract.name, *refused);
    change_rooms(run, next + 1);
  });
}

void ContractRunner::finish(const Contract& contract, Socket& socket, const Identity& identity, const ArgumentsView& arguments,
                            const Value& payload, Ack& ack) {
  const Filling filling(socket, identity, payload);
  if (const auto refused = deliver(contract, socket, identity, arguments, filling)) return refuse(socket, ack, contract.name, *refused);
  acknowledge(contract, arguments, filling, ack);
}

std::optional<Problem> ContractRunner::deliver(const Contract& contract, Socket& socket, const Identity& identity,
                                               const ArgumentsView& arguments, const Filling& filling) {
  using Audience = Contract::Audience;
  if (contract.audience == Audience::kNobody) return std::nullopt;
  // Stamps, and the answer of a back end, make a new payload; everything else passes verbatim.
  std::optional<Value> made;
  if (contract.stamp) {
    made = stamped(filling.payload(), contract.stamp->fill(filling));
  } else if (!contract.ask.empty()) {
    made = filling.payload();
  }
  const auto emit = [&](const auto& target) {
    if (made) {
      target.emit(contract.emit, *made);
    } else {
      target.emit(contract.emit, arguments);
    }
  };
  if (contract.audience == Audience::kSender) {
    emit(socket);
    return std::nullopt;
  }
  BroadcastOperator target = socket.nsp().tenant(identity.tenant);
  if (contract.others) target = target.except(socket.id());
  if (contract.is_volatile) target = target.volatile_();
  if (contract.audience == Audience::kRooms) {
    for (const policy::Template& each : contract.to) {
      auto room = each.fill([&](std::string_view path) { return filling.text(path); });
      if (!room.ok()) return problem(problems::kInvalidRoom, room.status().message());
      target = target.to(*room);
    }
  } else if (contract.audience == Audience::kPattern) {
    bool any = false;
    for (const std::string& room : socket.rooms()) {
      if (!contract.to_rooms->match(room)) continue;
      target = target.to(room);
      any = true;
    }
    if (!any) return std::nullopt;  // without rooms everybody would be meant
  }
  emit(target);
  return std::nullopt;
}

void ContractRunner::acknowledge(const Contract& contract, const ArgumentsView& arguments, const Filling& filling, Ack& ack) {
  if (!ack.wanted()) return;
  if (contract.reply == Contract::Reply::kArguments) return ack(arguments);
  Value answer = acceptance(contract.reply_fields ? contract.reply_fields->fill(filling) : Value());
  if (!contract.ask.empty()) answer.set("data", filling.payload());
  ack(answer);
}

// ---- what no contract declares

void ContractRunner::handle_undeclared(Desk& desk, Event& event) {
  statistics_.undeclared.fetch_add(1, std::memory_order_relaxed);
  Socket& socket = event.socket();
  Ack ack = event.take_ack();
  if (!desk.book->relay_undeclared) {
    return refuse(socket, ack, event.name(), problem(problems::kUnknownEvent, "no contract declares this event"));
  }
  BroadcastOperator target = socket.broadcast();
  const std::vector<std::string> rooms = socket.rooms();
  for (std::size_t i = 1; i < rooms.size(); ++i) target = target.to(rooms[i]);
  if (rooms.size() > 1) target.emit(event.name(), event.arguments());
  if (ack.wanted()) ack(acceptance());
}

}  // namespace tidewire::server
