#include "base/frame.h"

#include <array>
#include <cstdlib>
#include <new>

#include "base/budget.h"

namespace tidewire::base {

// Free blocks of this thread, by size class. A block freed on another thread than its maker's joins that thread's list; the
// bound per class keeps one-way traffic between shards from piling up.
struct FramePool {
  static constexpr std::array<std::size_t, 4> kClassBytes = {128, 512, 1536, 4608};  // capacities
  static constexpr std::array<std::size_t, 4> kKeepMax = {2048, 512, 256, 64};       // 1.2 MB a thread at most
  static constexpr std::uint8_t kUnpooled = 0xff;

  struct List {
    Frame::Block* head = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kClassBytes.size()> lists;

  ~FramePool() {
    for (List& list : lists) {
      while (list.head != nullptr) {
        Frame::Block* next = list.head->twins[0];
        std::free(list.head);
        list.head = next;
      }
    }
    alive() = false;
  }

  // False once this thread's pool is gone: frames held by other thread_locals may outlive it.
  static bool& alive() {
    thread_local bool value = true;
    return value;
  }
  static FramePool& mine() {
    thread_local FramePool pool;
    return pool;
  }
};

Frame Frame::allocate(std::size_t capacity) {
  TW_ASSERT(capacity < 0xffff'ffffu);
  std::uint8_t size_class = FramePool::kUnpooled;
  for (std::size_t i = 0; i < FramePool::kClassBytes.size(); ++i) {
    if (capacity <= FramePool::kClassBytes[i]) {
      size_class = static_cast<std::uint8_t>(i);
      capacity = FramePool::kClassBytes[i];
      break;
    }
  }
  void* memory = nullptr;
  if (size_class != FramePool::kUnpooled && FramePool::alive()) {
    FramePool::List& list = FramePool::mine().lists[size_class];
    if (list.head != nullptr) {
      memory = list.head;
      list.head = list.head->twins[0];
      --list.count;
    }
  }
  if (memory == nullptr) memory = std::malloc(sizeof(Block) + capacity);
  if (memory == nullptr) throw std::bad_alloc();
  count_taken(sizeof(Block) + capacity);
  auto* block = new (memory) Block;
  block->refs.store(1, std::memory_order_relaxed);
  block->begin = 0;
  block->size = 0;
  block->capacity = static_cast<std::uint32_t>(capacity);
  block->twins[kPolling] = nullptr;
  block->twins[kDeflated] = nullptr;
  block->packets = 0;
  block->size_class = size_class;
  block->compressible = true;
  return Frame(block);
}

Frame Frame::copy(std::string_view bytes) {
  Frame frame = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(frame.data(), bytes.data(), bytes.size());
  frame.set_extent(0, bytes.size());
  return frame;
}

void Frame::free_block(Block* block) noexcept {
  for (Block* twin_block : block->twins) {
    if (twin_block != nullptr) release(twin_block);
  }
  count_freed(sizeof(Block) + block->capacity);
  if (block->size_class != FramePool::kUnpooled && FramePool::alive()) {
    FramePool::List& list = FramePool::mine().lists[block->size_class];
    if (list.count < FramePool::kKeepMax[block->size_class]) {
      block->twins[0] = list.head;
      list.head = block;
      ++list.count;
      return;
    }
  }
  block->~Block();
  std::free(block);
}

}  // namespace tidewire::base
