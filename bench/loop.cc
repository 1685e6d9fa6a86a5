#include "loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tidewire::bench {
namespace {

void control(int epoll, int operation, int descriptor, std::uint32_t events, EventHandler& handler) {
  epoll_event event = {};
  event.events = events;
  event.data.ptr = &handler;
  ::epoll_ctl(epoll, operation, descriptor, &event);
}

}  // namespace

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
Loop::~Loop() { ::close(epoll_); }

void Loop::add(int descriptor, std::uint32_t events, EventHandler& handler) {
  control(epoll_, EPOLL_CTL_ADD, descriptor, events, handler);
}

void Loop::change(int descriptor, std::uint32_t events, EventHandler& handler) {
  control(epoll_, EPOLL_CTL_MOD, descriptor, events, handler);
}

bool Loop::turn(Clock::time_point until) {
  const auto now = Clock::now();
  if (now >= deadline_) fail("out of time: the server did not answer all");
  if (failed()) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min(until, deadline_) - now).count();
  const int wait = static_cast<int>(std::max<long>(0, left));
  std::array<epoll_event, 1024> events;
  const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
  for (int i = 0; i < ready && !failed(); ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<EventHandler*>(event.data.ptr)->on_events(event.events);
  }
  return !failed();
}

void Loop::fail(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
}

}  // namespace tidewire::bench
