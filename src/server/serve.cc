#include "server/serve.h"

#include <algorithm>
#include <cstdio>

#include "base/limits.h"
#include "server/api.h"
#include "server/options_from.h"
#include "server/page.h"
#include "tidewire/tidewire.h"

namespace tidewire::server {
namespace {

struct RoomName {
  std::string room;
};
TIDEWIRE_FIELDS(RoomName, room)

struct Say {
  std::string room;
  Value text;
};
TIDEWIRE_FIELDS(Say, room, text)

bool valid_room(const std::string& room) { return !room.empty() && room.size() <= base::limits::kRoomNameBytesMax; }

Value accepted() { return Value::object({{"ok", true}}); }
Value refused(std::string_view code, std::string_view message) {
  return Value::object({{"ok", false}, {"error", Value::object({{"code", code}, {"message", message}})}});
}

// Rooms for everybody: join, leave, and say something to a room one is in.
void open_rooms(Server& io) {
  io.on("join", [](Socket& socket, RoomName wish, Ack ack) {
    if (!valid_room(wish.room)) return ack(refused("invalid_room", "a room's name has 1 to 128 bytes"));
    if (socket.rooms().size() > base::limits::kRoomsPerMemberMax) return ack(refused("room_limit", "too many rooms"));
    socket.join(wish.room);
    ack(accepted());
  });
  io.on("leave", [](Socket& socket, RoomName wish, Ack ack) {
    socket.leave(wish.room);
    ack(accepted());
  });
  io.on("say", [&io](Socket& socket, Say say, Ack ack) {
    const std::vector<std::string> rooms = socket.rooms();
    if (std::find(rooms.begin(), rooms.end(), say.room) == rooms.end()) {
      return ack(refused("not_a_member", "join the room first"));
    }
    io.to(say.room).emit("said", Value::object({{"room", say.room}, {"from", socket.id()}, {"text", say.text}}));
    ack(accepted());
  });
  io.on("echo", [](Event& event) { event.ack(event.arguments()); });
}

}  // namespace

int serve(const Settings& settings) {
  const Options options = options_from(settings, core_count());
  Server io(options);
  open_rooms(io);
  if (settings.server.start_page) {
    for (const PageFile& file : page_files()) io.static_file(file.path, file.type, file.bytes);
  }
  ConfigErrors errors;
  const Api api(io, settings, {}, errors);
  for (const std::string& line : errors.lines()) std::fprintf(stderr, "%s\n", line.c_str());
  if (!errors.empty()) return 1;
  io.on_listening([&] {
    const char* scheme = options.tls.certificate_file.empty() ? "http" : "https";
    std::printf("tidewire listens on %s://%s:%u (%u shards, flush by %s)\n", scheme, options.host.c_str(),
                static_cast<unsigned>(io.port()), options.shards, io.flush_name().c_str());
    std::fflush(stdout);
  });
  const Status ended = io.run();
  if (!ended.ok()) std::fprintf(stderr, "tidewire: %s\n", ended.message().c_str());
  return ended.ok() ? 0 : 1;
}

}  // namespace tidewire::server
