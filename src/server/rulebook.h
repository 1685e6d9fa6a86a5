// server/rulebook.h - which rooms and events there are, and how much may be sent: what of the configuration is replaced while the server runs (SIGHUP).
//
// Threads: immutable. Whoever waits for a back end in the middle of a rule holds the book that he began with.
#pragma once

#include "server/contract.h"
#include "server/current.h"
#include "server/room_rules.h"
#include "server/sender_limits.h"

namespace tidewire::server {

struct Rulebook {
  RoomRules rooms;
  Contracts contracts;
  SenderRates rates;
  bool relay_undeclared = false;  // an event without a contract goes to the rooms its sender is in; else it is refused
};

using CurrentRulebook = Current<Rulebook>;

}  // namespace tidewire::server
