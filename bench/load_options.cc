#include "load_options.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string_view>

namespace tidewire::bench {
namespace {

constexpr std::size_t kAuthsMax = 20'000;

constexpr const char* kUsage =
    "usage: tidewire-load SCENARIO --port N --pid SERVER [options]\n"
    "scenarios\n"
    "  echo1 echo16             100 clients, 1 or 16 messages in flight each\n"
    "  bcast1 bcast8 bcast100   one publisher to 1,000 (1 or 8 in flight) or to 100 (20 a second)\n"
    "  connect                  10,000 connections, then idle: CPU and resident bytes of one\n"
    "  polling                  echo1 over long-polling\n"
    "  projects                 1,000 users in 50 projects, each tells its 19 peers twice a second what it edits\n"
    "options\n"
    "  --host H --raw --deflate --tls           which door; --raw: plain WebSocket, not for connect\n"
    "  --connections N --flight N --payload N --rate N\n"
    "  --rooms N --room-members N               rooms that every client joins first, and how many share one\n"
    "  --auth FILE                              JSON that CONNECT carries: a line for each client, again from the first\n"
    "  --object                                 echo an object of eight fields instead of a text\n"
    "  --warmup S --seconds S --deadline S --messages N\n";

struct Preset {
  std::string_view name;
  const char* scenario;
  std::size_t connections;
  std::size_t flight;
  double rate;
  std::size_t room_members = 50;
};

// A broadcast has one client more: the publisher is a socket too and gets its own message.
constexpr std::array<Preset, 8> kPresets = {{
    {"echo1", "echo", 100, 1, 0},
    {"echo16", "echo", 100, 16, 0},
    {"bcast1", "broadcast", 1'001, 1, 0},
    {"bcast8", "broadcast", 1'001, 8, 0},
    {"bcast100", "broadcast", 101, 1, 20},
    {"connect", "connect", 10'000, 0, 0},
    {"polling", "polling", 100, 1, 0},
    {"projects", "projects", 1'000, 0, 2, 20},
}};

bool apply_preset(std::string_view name, LoadOptions& options) {
  for (const Preset& preset : kPresets) {
    if (preset.name != name) continue;
    options.scenario = preset.scenario;
    options.connections = preset.connections;
    options.flight = preset.flight;
    options.rate = preset.rate;
    options.room_members = preset.room_members;
    return true;
  }
  return false;
}

bool apply_flag(std::string_view name, LoadOptions& options) {
  if (name == "--raw") return options.raw = true;
  if (name == "--deflate") return options.deflate = true;
  if (name == "--tls") return options.tls = true;
  if (name == "--object") return options.object = true;
  return false;
}

bool read_lines(const char* name, std::vector<std::string>& lines) {
  std::ifstream file(name);
  for (std::string line; lines.size() < kAuthsMax && std::getline(file, line);) lines.push_back(std::move(line));
  return !lines.empty();
}

bool apply_value(std::string_view name, const char* value, LoadOptions& options) {
  const double number = std::strtod(value, nullptr);
  const auto count = static_cast<std::size_t>(number);
  if (name == "--host") options.host = value;
  else if (name == "--auth") return read_lines(value, options.auths);
  else if (name == "--port") options.port = static_cast<std::uint16_t>(count);
  else if (name == "--pid") options.server = static_cast<pid_t>(count);
  else if (name == "--warmup") options.warmup_seconds = number;
  else if (name == "--seconds") options.seconds = number;
  else if (name == "--deadline") options.deadline_seconds = number;
  else if (name == "--messages") options.messages = count;
  else if (name == "--connections") options.connections = count;
  else if (name == "--flight") options.flight = count;
  else if (name == "--rate") options.rate = number;
  else if (name == "--payload") options.payload_bytes = count;
  else if (name == "--rooms") options.rooms = count;
  else if (name == "--room-members") options.room_members = count;
  else return false;
  return true;
}

}  // namespace

bool parse_load_options(int argc, char** argv, LoadOptions& options) {
  bool good = argc >= 2 && apply_preset(argv[1], options);
  for (int i = 2; good && i < argc; ++i) {
    if (apply_flag(argv[i], options)) continue;
    good = i + 1 < argc && apply_value(argv[i], argv[i + 1], options);
    ++i;
  }
  good = good && options.port != 0 && options.connections > 0 && options.room_members > 0;
  good = good && options.flight <= 16 && options.payload_bytes >= 64 && options.payload_bytes <= 32'768;
  if (options.scenario == "projects") good = good && options.rate > 0 && options.connections % options.room_members == 0;
  if (!good) std::fputs(kUsage, stderr);
  return good;
}

}  // namespace tidewire::bench
