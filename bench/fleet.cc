#include "fleet.h"

#include <string>

namespace tidewire::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kJoinPatience = seconds(3);
constexpr std::size_t kJoinersInFlight = 100;

std::string join_text(std::uint64_t id, std::size_t room, std::size_t group) {
  return "42" + std::to_string(id) + R"(["join","room-)" + std::to_string(room) + "-" + std::to_string(group) + R"("])";
}

}  // namespace

bool Fleet::open_until(std::size_t count) {
  while (ready_ < count) {
    while (clients_.size() < count && clients_.size() - ready_ < kHandshakesInFlight && !context_.loop.failed()) {
      clients_.push_back(std::make_unique<Client>(context_, static_cast<std::uint32_t>(clients_.size())));
      clients_.back()->open();
    }
    if (!context_.loop.turn(Clock::now() + seconds(1))) return false;
  }
  return true;
}

bool Fleet::join_rooms(std::size_t rooms, std::size_t members) {
  if (rooms == 0) return true;
  std::uint64_t acknowledged = 0;
  listen([&](Client& client, std::string_view text) {
    if (!text.starts_with("43" + std::to_string(client.received) + "[")) return context_.loop.fail("a wrong answer to join");
    ++acknowledged;
    if (++client.received == rooms) ++in_rooms_;  // the last one of this client
  });
  const auto patience = Clock::now() + kJoinPatience;
  for (std::size_t asked = in_rooms_; in_rooms_ < clients_.size();) {
    for (; asked < clients_.size() && asked - in_rooms_ < kJoinersInFlight; ++asked) {
      Client& client = *clients_[asked];
      for (std::size_t room = 0; room < rooms; ++room) client.send_text(join_text(client.sent++, room, asked / members));
      client.flush();
    }
    if (acknowledged == 0 && Clock::now() > patience) context_.loop.fail("join is not acknowledged");
    if (!context_.loop.turn(Clock::now() + milliseconds(200))) return false;
  }
  listen([](Client&, std::string_view) {});  // the old one refers to this call
  return true;
}

}  // namespace tidewire::bench
