#include "base/out_queue.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/budget.h"

namespace tidewire::base {

struct OutQueue::Backlog {
  // A lane is a vector with a head index: frames leave from the front, the space is reclaimed when the lane empties or when
  // more than half of it has left.
  struct LaneFrames {
    std::vector<Frame> frames;
    std::size_t head = 0;
    ~LaneFrames() { count_freed(frames.capacity() * sizeof(Frame)); }
    bool empty() const { return head == frames.size(); }
    void push_back(Frame frame) {
      const std::size_t capacity = frames.capacity();
      frames.push_back(std::move(frame));
      count_taken((frames.capacity() - capacity) * sizeof(Frame));
    }
    // Empty again; what a burst has left behind is given back.
    void reset(std::size_t capacity_max) {
      frames.clear();
      head = 0;
      if (frames.capacity() <= capacity_max) return;
      count_freed(frames.capacity() * sizeof(Frame));
      std::vector<Frame>().swap(frames);
    }
    void drop_front() {
      frames[head] = Frame();
      ++head;
      if (head == frames.size()) {
        frames.clear();
        head = 0;
      } else if (head >= 64 && head * 2 > frames.size()) {
        frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(head));
        head = 0;
      }
    }
  };
  std::array<LaneFrames, kLaneCount> lanes;
  std::size_t bytes = 0;
  std::size_t frames = 0;
  Milliseconds blocked_since = 0;
  std::size_t head_sent = 0;              // bytes of the head frame that have left
  std::size_t head_lane = kLaneCount;     // the lane whose front has begun to leave; kLaneCount if none
  Backlog* next_free = nullptr;

  std::size_t next_lane() const {
    if (head_lane != kLaneCount) return head_lane;
    std::size_t lane = 0;
    while (lane < kLaneCount && lanes[lane].empty()) ++lane;
    return lane;
  }
};

// Backlogs of this thread at rest; they keep the capacity of their lanes up to a bound.
struct BacklogPool {
  static constexpr std::size_t kKeepMax = 256;
  static constexpr std::size_t kLaneCapacityMax = 64;
  OutQueue::Backlog* head = nullptr;
  std::size_t count = 0;

  ~BacklogPool() {
    while (head != nullptr) {
      OutQueue::Backlog* next = head->next_free;
      delete head;
      head = next;
    }
    alive() = false;
  }
  static bool& alive() {
    thread_local bool value = true;
    return value;
  }
  static BacklogPool& mine() {
    thread_local BacklogPool pool;
    return pool;
  }
  static OutQueue::Backlog* take() {
    if (alive()) {
      BacklogPool& pool = mine();
      if (pool.head != nullptr) {
        OutQueue::Backlog* taken = pool.head;
        pool.head = taken->next_free;
        --pool.count;
        return taken;
      }
    }
    return new OutQueue::Backlog;
  }
  static void give(OutQueue::Backlog* backlog) {
    for (auto& lane : backlog->lanes) lane.reset(kLaneCapacityMax);
    backlog->bytes = 0;
    backlog->frames = 0;
    backlog->blocked_since = 0;
    backlog->head_sent = 0;
    backlog->head_lane = kLaneCount;
    if (!alive() || mine().count >= kKeepMax) {
      delete backlog;
      return;
    }
    BacklogPool& pool = mine();
    backlog->next_free = pool.head;
    pool.head = backlog;
    ++pool.count;
  }
};

std::size_t OutQueue::bytes() const noexcept {
  if (tagged_ == 0) return 0;
  return has_backlog() ? backlog()->bytes : only_frame().size();
}

std::size_t OutQueue::frame_count() const noexcept {
  if (tagged_ == 0) return 0;
  return has_backlog() ? backlog()->frames : 1;
}

OutQueue::Backlog& OutQueue::grow() {
  if (has_backlog()) return *backlog();
  Backlog* grown = BacklogPool::take();
  if (tagged_ != 0) {
    // Only the normal lane keeps a lone frame without a backlog, see push().
    Frame first = Frame::from_handle(reinterpret_cast<void*>(tagged_));
    grown->bytes = first.size();
    grown->frames = 1;
    grown->lanes[static_cast<std::size_t>(Lane::kNormal)].push_back(std::move(first));
  }
  tagged_ = reinterpret_cast<std::uintptr_t>(grown) | kBacklogTag;
  return *grown;
}

void OutQueue::push(Frame frame, Lane lane) {
  TW_ASSERT(frame && frame.size() > 0);
  if (tagged_ == 0 && lane == Lane::kNormal) {
    tagged_ = reinterpret_cast<std::uintptr_t>(frame.release_handle());
    return;
  }
  Backlog& backlog = grow();
  backlog.bytes += frame.size();
  ++backlog.frames;
  backlog.lanes[static_cast<std::size_t>(lane)].push_back(std::move(frame));
}

std::size_t OutQueue::gather(std::span<iovec> parts) const {
  if (tagged_ == 0 || parts.empty()) return 0;
  if (!has_backlog()) {
    const std::string_view only = only_frame();
    parts[0] = {const_cast<char*>(only.data()), only.size()};
    return 1;
  }
  const Backlog& from = *backlog();
  std::size_t filled = 0;
  const std::size_t begun = from.head_lane;
  if (begun != kLaneCount) {
    const std::string_view head = from.lanes[begun].frames[from.lanes[begun].head].wire().substr(from.head_sent);
    parts[filled++] = {const_cast<char*>(head.data()), head.size()};
  }
  for (std::size_t lane = 0; lane < kLaneCount; ++lane) {
    const auto& frames = from.lanes[lane];
    for (std::size_t i = frames.head + (lane == begun ? 1 : 0); i < frames.frames.size(); ++i) {
      if (filled == parts.size()) return filled;
      const std::string_view bytes = frames.frames[i].wire();
      parts[filled++] = {const_cast<char*>(bytes.data()), bytes.size()};
    }
  }
  return filled;
}

void OutQueue::consume(std::size_t count) {
  if (count == 0) return;
  if (!has_backlog()) {
    TW_ASSERT(tagged_ != 0);
    if (count == only_frame().size()) {
      clear();
      return;
    }
    grow();
  }
  Backlog& from = *backlog();
  TW_ASSERT(count <= from.bytes);
  from.bytes -= count;
  while (count > 0) {
    const std::size_t lane = from.next_lane();
    const std::size_t left = from.lanes[lane].frames[from.lanes[lane].head].size() - from.head_sent;
    if (count < left) {
      from.head_sent += count;
      from.head_lane = lane;
      return;
    }
    count -= left;
    from.head_sent = 0;
    from.head_lane = kLaneCount;
    from.lanes[lane].drop_front();
    --from.frames;
  }
  if (from.frames == 0) clear();
}

Frame OutQueue::pop() {
  TW_ASSERT(tagged_ != 0);
  if (!has_backlog()) return Frame::from_handle(reinterpret_cast<void*>(std::exchange(tagged_, 0)));
  Backlog& from = *backlog();
  TW_ASSERT(from.head_lane == kLaneCount);
  auto& lane = from.lanes[from.next_lane()];
  Frame popped = std::move(lane.frames[lane.head]);
  lane.drop_front();
  from.bytes -= popped.size();
  if (--from.frames == 0) clear();
  return popped;
}

void OutQueue::drop_rest() noexcept {
  if (!has_backlog() || backlog()->head_lane == kLaneCount) return clear();
  Backlog& from = *backlog();
  auto& begun = from.lanes[from.head_lane];
  Frame head = std::move(begun.frames[begun.head]);
  for (auto& lane : from.lanes) lane.reset(BacklogPool::kLaneCapacityMax);
  from.bytes = head.size() - from.head_sent;
  from.frames = 1;
  begun.push_back(std::move(head));
}

void OutQueue::clear() noexcept {
  if (tagged_ == 0) return;
  if (has_backlog()) {
    BacklogPool::give(backlog());
  } else {
    Frame::from_handle(reinterpret_cast<void*>(tagged_));  // released as the temporary dies
  }
  tagged_ = 0;
}

Milliseconds OutQueue::blocked_since() const noexcept { return has_backlog() ? backlog()->blocked_since : 0; }

void OutQueue::set_blocked_since(Milliseconds now) {
  if (tagged_ != 0) grow().blocked_since = now;
}

}  // namespace tidewire::base
