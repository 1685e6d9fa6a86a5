// server/contract_runner.h - carries out contracts: from an event of a client to its receivers and its acknowledgement.
//
//   from? -> rate? -> payload and schema? -> member_of? -> [ask the back end] -> leave, join -> emit -> acknowledge
//
// Everything up to the first question to a back end is one call stack. What a step refuses is told (problem.h), counted and
// logged, and nothing of the later steps happens. A sender who goes on after kStrikes refusals for its rate is closed (4029).
// Threads: each shard runs its own events; the contracts are shared and immutable, the rate tables are the shard's.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "policy/rate_table.h"
#include "server/contract.h"
#include "server/room_service.h"
#include "tidewire/server.h"

namespace tidewire::server {

inline constexpr std::uint16_t kRateLimitCode = 4029;

class ContractRunner {
 public:
  enum class Undeclared : std::uint8_t {
    kRefuse,
    kRelay,  // to the other members of the rooms that the sender is in
  };

  ContractRunner(const Contracts& contracts, RoomService& rooms, Hooks& hooks, base::LogSink& log, Undeclared undeclared,
                 std::uint32_t shard_count);
  ~ContractRunner();

  // Listens to the events of one namespace, `name` as its contracts call it.
  void listen(Server& io, const Namespace& space, std::string_view name);

  struct Statistics {
    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> rate_limited{0};
    std::atomic<std::uint64_t> undeclared{0};
  };
  const Statistics& statistics() const noexcept { return statistics_; }

 private:
  struct Run;  // an event under way, when it must outlive its stack
  struct Tables;

  void handle(const Contract& contract, Event& event, std::uint32_t shard);
  void handle_undeclared(Event& event);
  std::optional<Problem> may_send(const Contract& contract, Socket& socket, const Identity& identity, std::uint32_t shard);
  std::optional<Problem> over_rate(const Contract& contract, Socket& socket, const Identity& identity, std::uint32_t shard);
  static std::optional<Problem> check_payload(const Contract& contract, const ArgumentsView& arguments, Value& payload);
  static std::optional<Problem> check_membership(const Contract& contract, const Socket& socket, const Filling& filling);
  // The rest, for contracts that wait for nobody.
  void finish(const Contract& contract, Socket& socket, const Identity& identity, const ArgumentsView& arguments, const Value& payload,
              Ack& ack);
  void ask(std::shared_ptr<Run> run);
  void change_rooms(std::shared_ptr<Run> run, std::size_t next);
  void refuse(Socket& socket, Ack& ack, std::string_view event, const Problem& problem);
  std::optional<Problem> deliver(const Contract& contract, Socket& socket, const Identity& identity, const ArgumentsView& arguments,
                                 const Filling& filling);
  void acknowledge(const Contract& contract, Socket& socket, const ArgumentsView& arguments, const Filling& filling, Ack& ack);

  const Contracts& contracts_;
  RoomService& rooms_;
  Hooks& hooks_;
  base::LogSink& log_;
  const Undeclared undeclared_;
  std::vector<bool> told_;  // by Contract::index: whether a webhook wants to hear of it
  std::vector<std::unique_ptr<Tables>> tables_;  // of each shard
  Statistics statistics_;
};

}  // namespace tidewire::server
