#include "server/contract_runner.h"

#include <chrono>
#include <utility>

namespace tidewire::server {
namespace {

constexpr policy::Rate kStrikes{.count = 50, .interval_ms = 10'000, .burst = 50};  // refusals before the door

base::Milliseconds now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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

// Shard-local.
struct ContractRunner::Tables {
  explicit Tables(const Contracts& contracts) : strikes(kStrikes) {
    for (const auto& contract : contracts) {
      rates.push_back(contract->rate ? std::make_unique<policy::RateTable>(*contract->rate) : nullptr);
    }
  }
  std::vector<std::unique_ptr<policy::RateTable>> rates;  // by Contract::index
  policy::RateTable strikes;                              // by socket
  std::string key;                                        // of the one that is asked for now
};

struct ContractRunner::Run {
  const Contract& contract;
  Socket socket;
  std::shared_ptr<const Identity> identity;
  Arguments arguments;
  Value payload;
  Ack ack;
  Value answer = {};             // of the back end
  std::vector<std::string> rooms = {};  // to be joined
};

ContractRunner::ContractRunner(const Contracts& contracts, RoomService& rooms, Hooks& hooks, base::LogSink& log, Undeclared undeclared,
                               std::uint32_t shard_count)
    : contracts_(contracts), rooms_(rooms), hooks_(hooks), log_(log), undeclared_(undeclared) {
  for (const auto& contract : contracts) told_.push_back(hooks.wants("event:" + contract->name));
  for (std::uint32_t i = 0; i < shard_count; ++i) tables_.push_back(std::make_unique<Tables>(contracts));
}

ContractRunner::~ContractRunner() = default;

void ContractRunner::listen(Server& io, const Namespace& space, std::string_view name) {
  for (const auto& contract : contracts_) {
    if (contract->namespace_name != name) continue;
    const auto add = [&](const std::string& event) {
      space.on(event, EventListener([this, &io, each = contract.get()](Event& inbound) { handle(*each, inbound, io.current_shard()); }));
    };
    add(contract->name);
    for (const std::string& alias : contract->aliases) add(alias);
  }
  space.on_unheard([this](Event& event) { handle_undeclared(event); });
  // Arguments that an own listener of the server (auth_refresh) cannot read.
  space.on_error([](Socket&, const Error&) {});
}

void ContractRunner::handle(const Contract& contract, Event& event, std::uint32_t shard) {
  Socket& socket = event.socket();
  const std::shared_ptr<const Identity> identity = socket.identity();
  Ack ack = event.take_ack();
  if (const auto refused = may_send(contract, socket, *identity, shard)) return refuse(socket, ack, event.name(), *refused);

  Value payload;
  if (contract.reads_payload()) {
    if (const auto refused = check_payload(contract, event.arguments(), payload)) return refuse(socket, ack, event.name(), *refused);
  }
  const Filling filling(socket, *identity, payload);
  if (const auto refused = check_membership(contract, socket, filling)) return refuse(socket, ack, event.name(), *refused);
  statistics_.handled.fetch_add(1, std::memory_order_relaxed);
  if (told_[contract.index]) {
    hooks_.tell("event:" + contract.name, socket, Value::object({{"name", contract.name}, {"arguments", Value::array(event.arguments().values())}}));
  }
  if (contract.ask.empty() && contract.join.empty() && contract.leave.empty()) {
    return finish(contract, socket, *identity, event.arguments(), payload, ack);
  }
  auto run = std::make_shared<Run>(Run{contract, socket, identity, event.arguments().copy(), std::move(payload), std::move(ack)});
  if (contract.ask.empty()) {
    change_rooms(std::move(run), 0);
  } else {
    ask(std::move(run));
  }
}

// ---- what may be refused

std::optional<Problem> ContractRunner::may_send(const Contract& contract, Socket& socket, const Identity& identity, std::uint32_t shard) {
  switch (contract.from.admits(identity, {})) {
    case Who::Answer::kNeedsToken: return problem(problems::kUnauthorized, "this event is for people with a token");
    case Who::Answer::kNo:
    case Who::Answer::kAsk: return problem(problems::kForbidden, "you may not send this event");
    case Who::Answer::kYes: break;
  }
  return over_rate(contract, socket, identity, shard);
}

std::optional<Problem> ContractRunner::over_rate(const Contract& contract, Socket& socket, const Identity& identity, std::uint32_t shard) {
  policy::RateTable* table = tables_[shard]->rates[contract.index].get();
  if (table == nullptr) return std::nullopt;
  std::string& key = tables_[shard]->key;
  if (identity.anonymous()) {
    key = socket.id();
  } else {
    key.assign(identity.tenant).append(1, '\n').append(identity.user_id);
  }
  const base::Milliseconds now = now_ms();
  if (table->take(key, now)) return std::nullopt;
  statistics_.rate_limited.fetch_add(1, std::memory_order_relaxed);
  if (!tables_[shard]->strikes.take(socket.id(), now)) socket.close(kRateLimitCode, "rate limit");
  return problem(problems::kRateLimited, "too many of these events", Value::object({{"retryAfterMs", table->wait_ms(key, now)}}));
}

std::optional<Problem> ContractRunner::check_payload(const Contract& contract, const ArgumentsView& arguments, Value& payload) {
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
                                        {"socket", run->socket.id()},
                                        {"user", user_value(*run->identity)}});
  hooks_.ask(contract.ask, question, [this, run](outbound::Answer answer) {
    run->socket.run([this, run, answer = std::move(answer)](Socket& socket) mutable {
      if (!socket.connected()) return;
      if (!answer.ok()) return refuse(socket, run->ack, run->contract.name, problem(problems::kUnavailable, outbound::ask_error_text(answer.error)));
      if (answer.value["ok"] == Value(false)) {
        const Value& error = answer.value["error"];
        return refuse(socket, run->ack, run->contract.name,
                      problem(error["code"].as_string().value_or(problems::kForbidden), error["message"].as_string().value_or("refused"),
                              error["details"]));
      }
      run->answer = answer.value["data"];
      change_rooms(run, 0);
    });
  });
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
  acknowledge(contract, socket, arguments, filling, ack);
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

void ContractRunner::acknowledge(const Contract& contract, Socket&, const ArgumentsView& arguments, const Filling& filling, Ack& ack) {
  if (!ack.wanted()) return;
  if (contract.reply == Contract::Reply::kArguments) return ack(arguments);
  Value answer = acceptance(contract.reply_fields ? contract.reply_fields->fill(filling) : Value());
  if (!contract.ask.empty()) answer.set("data", filling.payload());
  ack(answer);
}

// ---- what no contract declares

void ContractRunner::handle_undeclared(Event& event) {
  statistics_.undeclared.fetch_add(1, std::memory_order_relaxed);
  Socket& socket = event.socket();
  Ack ack = event.take_ack();
  if (undeclared_ == Undeclared::kRefuse) {
    return refuse(socket, ack, event.name(), problem(problems::kUnknownEvent, "no contract declares this event"));
  }
  BroadcastOperator target = socket.broadcast();
  const std::vector<std::string> rooms = socket.rooms();
  for (std::size_t i = 1; i < rooms.size(); ++i) target = target.to(rooms[i]);
  if (rooms.size() > 1) target.emit(event.name(), event.arguments());
  if (ack.wanted()) ack(acceptance());
}

}  // namespace tidewire::server
