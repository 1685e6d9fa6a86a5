#include "net/simulated_stream.h"

#include <algorithm>
#include <utility>

#include "net/simulated_world.h"

namespace tidewire::net {

SimulatedStream::SimulatedStream(SimulatedWorld& world, int number, std::size_t window_bytes)
    : world_(world), number_(number), window_bytes_(window_bytes) {}

// ---- Bytes

std::size_t SimulatedStream::room(Side from) const noexcept {
  const Half& to = half(other(from));
  return window_bytes_ - std::min(to.flying_bytes + to.arrived.size(), window_bytes_);
}

std::size_t SimulatedStream::write(Side from, std::string_view bytes, bool more) {
  const std::size_t taken = std::min(bytes.size(), room(from));
  half(other(from)).writer_waits = more || taken < bytes.size();
  for (std::string_view rest = bytes.substr(0, taken); !rest.empty();) {
    const std::size_t size = world_.piece_of(rest.size());
    launch(other(from), std::string(rest.substr(0, size)));
    rest.remove_prefix(size);
  }
  return taken;
}

void SimulatedStream::finish(Side from) {
  if (std::exchange(half(from).finished, true)) return;
  launch(other(from), {});
}

std::string SimulatedStream::read(Side by, std::size_t count) {
  Half& mine = half(by);
  std::string bytes;
  if (count >= mine.arrived.size()) {
    bytes.swap(mine.arrived);
  } else {
    bytes = mine.arrived.substr(0, count);
    mine.arrived.erase(0, count);
  }
  if (!bytes.empty() && std::exchange(mine.writer_waits, false)) {
    world_.schedule(world_.now() + world_.latency(), [self = shared_from_this(), by] {
      if (!self->vanished_) self->tell(other(by));
    });
  }
  return bytes;
}

base::Milliseconds SimulatedStream::arrival(const Half& to) const {
  return std::max({world_.now() + world_.latency(), to.last_arrival, held_until_});
}

void SimulatedStream::launch(Side to, std::string bytes) {
  Half& target = half(to);
  target.last_arrival = arrival(target);
  target.flying_bytes += bytes.size();
  target.flying.push_back({target.last_arrival, std::move(bytes)});
  world_.schedule(target.last_arrival, [self = shared_from_this(), to] { self->arrive(to); });
}

void SimulatedStream::arrive(Side to) {
  Half& target = half(to);
  if (vanished_ || target.flying.empty()) return;
  // Every segment has an event of its own; those of one moment are alike.
  const Segment segment = std::move(target.flying.front());
  target.flying.pop_front();
  target.flying_bytes -= segment.bytes.size();
  world_.record(segment.bytes.empty() ? Happening::kEnd : Happening::kBytes, number_, segment.bytes);
  if (target.closed) {
    if (!segment.bytes.empty()) reset(to);
    return;
  }
  target.arrived += segment.bytes;
  target.end_arrived = target.end_arrived || segment.bytes.empty();
  tell(to);
}

void SimulatedStream::tell(Side side) {
  if (half(side).end != nullptr) half(side).end->stream_changed(*this);
}

// ---- Ends

void SimulatedStream::reset(Side by) {
  Half& mine = half(by);
  mine.closed = true;
  mine.end = nullptr;
  mine.arrived.clear();
  world_.schedule(arrival(half(other(by))), [self = shared_from_this(), by] { self->reset_arrives(other(by)); });
}

void SimulatedStream::reset_arrives(Side at) {
  Half& target = half(at);
  if (vanished_ || target.closed || target.reset) return;
  world_.record(Happening::kReset, number_, {});
  target.reset = true;
  for (Half& each : halves_) {
    each.flying.clear();
    each.flying_bytes = 0;
    each.arrived.clear();
  }
  tell(at);
}

void SimulatedStream::close(Side by) {
  Half& mine = half(by);
  if (mine.closed || mine.reset) return;
  if (!mine.arrived.empty()) return reset(by);
  finish(by);
  mine.closed = true;
  mine.end = nullptr;
}

}  // namespace tidewire::net
