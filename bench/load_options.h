// load_options.h - the command line of tidewire-load.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tidewire::bench {

struct LoadOptions {
  std::string scenario;  // echo, broadcast, connect, polling, projects
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  pid_t server = 0;             // whose CPU and memory is read; 0: none
  double warmup_seconds = 0.3;
  double seconds = 1;
  double deadline_seconds = 60;
  std::uint64_t messages = 0;   // instead of seconds: stop after so many
  std::size_t connections = 100;
  std::size_t flight = 1;       // messages in flight, per client (echo) or in all (broadcast)
  double rate = 0;              // messages per second of the publisher (of each client in projects); 0: as fast as answers come
  std::size_t payload_bytes = 64;
  std::size_t rooms = 0;        // per client, before the measurement
  std::size_t room_members = 50;
  bool raw = false;
  bool deflate = false;
  bool tls = false;
  bool object = false;                 // echo an object of eight fields, one of them the payload
  std::vector<std::string> auths;      // JSON that CONNECT carries, of one client each
};

// False after a message on stderr.
bool parse_load_options(int argc, char** argv, LoadOptions& options);

}  // namespace tidewire::bench
