// server/contract_runner.h - carries out contracts: from an event of a client to its receivers and its acknowledgement.
//
//   sender's rates? -> from? -> rate? -> payload and schema? -> member_of? -> [ask the back end] -> leave, join -> emit -> acknowledge
//
// Everything up to the first question to a back end is one call stack. What a step refuses is told (problem.h), counted and
// logged, and nothing of the later steps happens. A sender who goes on after kStrikes refusals for its rate is closed (4029).
// Other contracts may come while it runs: an event is carried out by those that it began with, and a rate that stays as it was
// goes on counting.
// Threads: each shard runs its own events, by the book of the shard and with rate tables of its own.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "policy/rate_table.h"
#include "server/room_service.h"
#include "server/rulebook.h"
#include "tidewire/server.h"

namespace tidewire::server {

inline constexpr std::uint16_t kRateLimitCode = 4029;

class ContractRunner {
 public:
  ContractRunner(CurrentRulebook& book, Server& io, RoomService& rooms, Hooks& hooks, base::LogSink& log);
  ~ContractRunner();

  // Listens to the events of one namespace, `name` as its contracts call it. Before the server starts.
  void listen(const Namespace& space, std::string_view name);

  struct Statistics {
    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> rate_limited{0};
    std::atomic<std::uint64_t> undeclared{0};
  };
  const Statistics& statistics() const noexcept { return statistics_; }

 private:
  struct Run;    // an event under way, when it must outlive its stack
  struct Desk;   // what one shard has: its book, looked up by name, and its rates
  struct Entry;  // of the desk: a contract with its rate

  Desk& desk();
  void handle(Event& event, std::size_t space);
  void carry_out(Desk& desk, Entry& entry, Event& event);
  void handle_undeclared(Desk& desk, Event& event);
  static std::optional<Problem> check_sender(const Contract& contract, const Identity& identity);
  std::optional<Problem> over_rate(Desk& desk, Entry& entry, Socket& socket, const Identity& identity);
  Problem too_fast(Desk& desk, Socket& socket, Value details);
  static std::optional<Problem> check_payload(const Contract& contract, const ArgumentsView& arguments, Value& payload);
  static std::optional<Problem> check_membership(const Contract& contract, const Socket& socket, const Filling& filling);
  // The rest, for contracts that wait for nobody.
  void finish(const Contract& contract, Socket& socket, const Identity& identity, const ArgumentsView& arguments, const Value& payload,
              Ack& ack);
  void ask(std::shared_ptr<Run> run);
  static std::optional<Problem> may_still(const Run& run);
  void change_rooms(std::shared_ptr<Run> run, std::size_t next);
  void refuse(Socket& socket, Ack& ack, std::string_view event, const Problem& problem);
  std::optional<Problem> deliver(const Contract& contract, Socket& socket, const Identity& identity, const ArgumentsView& arguments,
                                 const Filling& filling);
  static void acknowledge(const Contract& contract, const ArgumentsView& arguments, const Filling& filling, Ack& ack);

  CurrentRulebook& book_;
  Server& io_;
  RoomService& rooms_;
  Hooks& hooks_;
  base::LogSink& log_;
  std::vector<std::string> spaces_;          // that it listens to
  std::vector<std::unique_ptr<Desk>> desks_;  // of each shard
  Statistics statistics_;
};

}  // namespace tidewire::server
