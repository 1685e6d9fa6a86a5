// net/simulated_stream.h - one stream of the simulated network: two pipes, with an end on each side.
//
//   client --write--> [ flying segments, each with its arrival ][ arrived, unread ] --read--> server end
//          <--read--- [ the same the other way                                    ] <--write--
//
// A write is cut into segments where the seed says so. What flies and what is unread together never exceed the pipe's
// window, so a reader that does not read blocks its writer, as the buffers of two kernels would.
// Reset: both pipes are lost, unread bytes too (the worst a network does). Vanish: nothing arrives any more, nobody is told.
// Lifetime: shared by its two ends and by events under way; the world outlives them all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tidewire::net {

class SimulatedStream;
class SimulatedWorld;

enum class Side : std::uint8_t { kServer, kClient };

// Who sits at an end.
class SimulatedEnd {
 public:
  // There are bytes to read, there is room to write, or the stream is over: look.
  virtual void stream_changed(SimulatedStream& stream) = 0;

 protected:
  ~SimulatedEnd() = default;
};

class SimulatedStream final : public std::enable_shared_from_this<SimulatedStream> {
 public:
  SimulatedStream(SimulatedWorld& world, int number, std::size_t window_bytes);

  int number() const noexcept { return number_; }
  // Null: nobody looks at the moment (a connection under way to another shard); what arrives is kept.
  void attach(Side side, SimulatedEnd* end) noexcept { half(side).end = end; }

  bool attended(Side side) const noexcept { return half(side).end != nullptr; }

  // Takes what there is room for; returns how much. After a short write, or when the writer has `more`, stream_changed()
  // tells when there is room again.
  std::size_t write(Side from, std::string_view bytes, bool more);
  std::size_t room(Side from) const noexcept;
  // Nothing comes after this.
  void finish(Side from);
  // At most `count` bytes of those that have arrived.
  std::string read(Side by, std::size_t count);
  bool readable(Side by) const noexcept { return !half(by).arrived.empty(); }
  // The other side has finished, and everything before that was read.
  bool ended(Side by) const noexcept { return half(by).end_arrived && half(by).arrived.empty(); }
  bool was_reset(Side by) const noexcept { return half(by).reset; }

  // Leaves without telling why: the other side hears of a reset.
  void reset(Side by);
  // Leaves: an orderly end, or a reset when bytes are unread. What comes later is answered by a reset.
  void close(Side by);

  // Makes the end of that side look.
  void tell(Side side);

  // Faults of the link, both ways.
  void hold(base::Milliseconds until) noexcept { held_until_ = until; }
  void vanish() noexcept { vanished_ = true; }

 private:
  struct Segment {
    base::Milliseconds arrives;
    std::string bytes;  // empty: the end
  };
  // A side, and the pipe that leads to it.
  struct Half {
    SimulatedEnd* end = nullptr;
    std::deque<Segment> flying;
    std::size_t flying_bytes = 0;
    std::string arrived;
    base::Milliseconds last_arrival = 0;
    bool end_arrived = false;
    bool writer_waits = false;
    bool finished = false;  // this side has sent its end
    bool closed = false;    // this side has left
    bool reset = false;     // this side was told of a reset
  };
  static Side other(Side side) noexcept { return side == Side::kServer ? Side::kClient : Side::kServer; }
  Half& half(Side side) noexcept { return halves_[static_cast<std::size_t>(side)]; }
  const Half& half(Side side) const noexcept { return halves_[static_cast<std::size_t>(side)]; }
  base::Milliseconds arrival(const Half& to) const;
  void launch(Side to, std::string bytes);
  void arrive(Side to);
  void reset_arrives(Side at);

  SimulatedWorld& world_;
  const int number_;
  const std::size_t window_bytes_;
  std::array<Half, 2> halves_;
  base::Milliseconds held_until_ = 0;
  bool vanished_ = false;
};

}  // namespace tidewire::net
