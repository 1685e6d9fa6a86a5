// sim/chat.h - the chat over several shards: the real server column on simulated reactors, people who come, talk, fail and go.
//
// Everything is decided by the seed. What must hold, looked at whenever something is heard and at the end:
//   order         each listener hears each speaker of a room in order: no number missing, none twice
//   completeness  who is in a room and still there has heard everything that was acknowledged to its speaker since
//   privacy       nobody hears a room that they are not in
//   peace         only whoever stopped reading is cut off; nobody else is disturbed
//   nothing left  when all are gone: no session, member, room, connection, timer or pending acknowledgement
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/core.h"
#include "net/simulated_reactor.h"
#include "sim/chatter.h"
#include "tidewire/server.h"

namespace tidewire::sim {

struct ChatOutcome {
  std::vector<std::string> violations;
  std::uint64_t trace = 0;
  std::uint64_t heard = 0;        // messages
  std::uint64_t slow = 0;         // people cut off for not reading
  std::uint64_t handed_over = 0;  // connections, to the shard of their session
  std::uint64_t upgrades = 0;
};

class Chat {
 public:
  Chat(std::uint64_t seed, std::uint32_t shards);
  ~Chat();
  ChatOutcome run();

 private:
  struct Membership {
    enum class State : std::uint8_t { kJoining, kIn, kLeaving } state = State::kJoining;
    std::map<std::string, std::uint64_t> last = {};  // by speaker: the last number heard
    std::map<std::string, std::uint64_t> owed = {};  // by speaker: from which number on everything must be heard; else from 1
  };
  struct Asked {
    enum class What : std::uint8_t { kJoin, kLeave, kSay } what;
    std::string room;
    std::uint64_t number;
  };
  struct Person {
    std::string name;
    Way way = Way::kPlain;
    std::unique_ptr<Chatter> chatter = {};
    bool ready = false;
    bool over = false;
    bool leaving = false;  // we have closed it
    bool gone = false;     // by a reset, or silently
    bool stalled = false;  // does not read now
    bool slow = false;     // has not read for a while: may be cut off
    std::map<std::string, Membership> rooms = {};
    std::map<std::string, std::uint64_t> said = {};          // by room: how many
    std::map<std::string, std::uint64_t> acknowledged = {};  // by room: up to which number
    std::map<std::uint64_t, Asked> asked = {};
    std::uint64_t last_id = 0;

    bool active() const noexcept { return ready && !over && !leaving && !gone && !stalled; }
  };

  void declare();
  // One thing that happens.
  void act();
  void come();
  void speak(Person& person);
  void change_room(Person& person);
  void misfortune(Person& person);
  void stall(Person& person);

  void on_said(Person& person, const Value& body);
  void on_acknowledged(Person& person, std::uint64_t id);
  void on_ended(Person& person, int code);

  void check_completeness();
  void check_rooms();
  void everybody_leaves();
  void check_nothing_left();
  void stop();

  std::string random_room();
  std::uint64_t below(std::uint64_t bound) { return world_.luck().below(bound); }
  void violation(const std::string& what);

  net::SimulatedWorld world_;
  std::vector<net::SimulatedReactor*> reactors_;
  Core* core_ = nullptr;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<Person>> people_;
  std::uint64_t questions_ = 0;  // broadcasts that want acknowledgements
  std::uint64_t answers_ = 0;    // of them, how many got their one answer
  ChatOutcome outcome_;
};

}  // namespace tidewire::sim
