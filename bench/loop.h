// loop.h - the generator's event loop, its clock, and its verdict: one wrong byte stops the loop and makes the run invalid.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tidewire::bench {

using Clock = std::chrono::steady_clock;

class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void on_events(std::uint32_t events) = 0;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(int descriptor, std::uint32_t events, EventHandler& handler);
  void change(int descriptor, std::uint32_t events, EventHandler& handler);

  // Waits at most until `until`, then lets every ready handler run once. False once the run has failed.
  bool turn(Clock::time_point until);
  // As above, but never waits past the deadline of the whole run; passing it fails the run.
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }

  // The first reason stays.
  void fail(std::string reason);
  bool failed() const { return !reason_.empty(); }
  const std::string& reason() const { return reason_; }

 private:
  int epoll_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::string reason_;
};

}  // namespace tidewire::bench
