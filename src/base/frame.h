// base/frame.h - encoded bytes, immutable once shared, counted by reference, with slots for their twins.
//
//   Frame -> [ Block | refs size begin packets flags twins[2] | bytes ............ ]
//                                                              ^begin      ^begin+size
//
// A frame holds what leaves on a WebSocket: one or several complete WebSocket frames, header included (`wire()`). The same
// message in another clothing, a polling payload or a deflated frame, is a *twin*: made lazily, once, by a function of the
// layer that knows how, and shared by every recipient. HTTP answers are frames as well, without twins.
//
// Lifetime: the bytes live as long as one Frame refers to them. Blocks come from a small per-thread free list.
// Threads: a frame belongs to the shard that made it; the count is a plain load and store until `share()` is called, which
//   must happen before the frame is given to another thread; from then on the count is atomic.
// Why not shared_ptr<string>: two allocations, a 16-byte handle, and an atomic on each of N recipients.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace tidewire::base {

class Frame {
 public:
  enum Twin : std::uint8_t { kPolling, kDeflated, kTwinCount };

  Frame() noexcept = default;
  Frame(const Frame& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) retain(block_);
  }
  Frame(Frame&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Frame& operator=(Frame other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Frame() {
    if (block_ != nullptr) release(block_);
  }

  // A frame with room for `capacity` bytes, size 0. The only holder may write through data() and resize().
  static Frame allocate(std::size_t capacity);
  // A frame of exactly these bytes.
  static Frame copy(std::string_view bytes);

  explicit operator bool() const noexcept { return block_ != nullptr; }
  friend bool operator==(const Frame& a, const Frame& b) noexcept { return a.block_ == b.block_; }

  // The bytes as they leave on the wire. REQUIRES: bool(*this)
  std::string_view wire() const noexcept { return {block_->bytes() + block_->begin, block_->size}; }
  std::size_t size() const noexcept { return block_->size; }

  // Writing, before the frame is shared with anybody. REQUIRES: bool(*this)
  char* data() noexcept { return block_->bytes(); }
  std::size_t capacity() const noexcept { return block_->capacity; }
  // Sets which part of data() is the frame: a header is written *before* a payload whose length decides the header's length.
  void set_extent(std::size_t begin, std::size_t size) noexcept {
    TW_ASSERT(begin + size <= block_->capacity);
    block_->begin = static_cast<std::uint32_t>(begin);
    block_->size = static_cast<std::uint32_t>(size);
  }

  // How many Engine.IO packets (WebSocket messages) are inside; 0 for bytes that are no messages.
  std::uint16_t packet_count() const noexcept { return block_->packets; }
  void set_packet_count(std::uint16_t count) noexcept { block_->packets = count; }

  // Whether the sender wants compression where it was negotiated.
  bool compressible() const noexcept { return block_->compressible; }
  void set_compressible(bool on) noexcept { block_->compressible = on; }

  // The twin made by `make(*this)`, at the first call; the same one afterwards. After share() a missing twin is made for this
  // caller alone, since another thread may be looking: call the ones you need before.
  template <typename Make>
  Frame twin(Twin kind, Make&& make) const {
    if (block_->twins[kind] != nullptr) {
      retain(block_->twins[kind]);
      return Frame(block_->twins[kind]);
    }
    Frame made = make(*this);
    if (made && !crossed(block_)) {
      retain(made.block_);
      block_->twins[kind] = made.block_;
    }
    return made;
  }

  // Announces that another thread will hold this frame. Call before handing it over.
  const Frame& share() const noexcept {
    mark_crossed(block_);
    for (Block* twin_block : block_->twins) {
      if (twin_block != nullptr) mark_crossed(twin_block);
    }
    return *this;
  }

  // For tagged storage in OutQueue: gives the reference away, and takes it back.
  void* release_handle() noexcept { return std::exchange(block_, nullptr); }
  static Frame from_handle(void* handle) noexcept { return Frame(static_cast<Block*>(handle)); }
  static std::string_view wire_of_handle(void* handle) noexcept {
    auto* block = static_cast<Block*>(handle);
    return {block->bytes() + block->begin, block->size};
  }

 private:
  struct Block {
    std::atomic<std::uint32_t> refs;  // top bit: crossed to another thread, count atomically
    std::uint32_t begin;
    std::uint32_t size;
    std::uint32_t capacity;
    Block* twins[kTwinCount];
    std::uint16_t packets;
    std::uint8_t size_class;
    bool compressible;
    char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  };
  static constexpr std::uint32_t kCrossed = 0x8000'0000u;

  explicit Frame(Block* block) noexcept : block_(block) {}
  static bool crossed(const Block* block) noexcept { return (block->refs.load(std::memory_order_relaxed) & kCrossed) != 0; }
  static void mark_crossed(Block* block) noexcept { block->refs.fetch_or(kCrossed, std::memory_order_relaxed); }
  static void retain(Block* block) noexcept {
    const std::uint32_t refs = block->refs.load(std::memory_order_relaxed);
    if ((refs & kCrossed) != 0) {
      block->refs.fetch_add(1, std::memory_order_relaxed);
    } else {
      block->refs.store(refs + 1, std::memory_order_relaxed);
    }
  }
  static void release(Block* block) noexcept {
    const std::uint32_t refs = block->refs.load(std::memory_order_relaxed);
    if ((refs & kCrossed) != 0) {
      if ((block->refs.fetch_sub(1, std::memory_order_acq_rel) & ~kCrossed) == 1) free_block(block);
    } else if (refs == 1) {
      free_block(block);
    } else {
      block->refs.store(refs - 1, std::memory_order_relaxed);
    }
  }
  static void free_block(Block* block) noexcept;

  friend struct FramePool;
  Block* block_ = nullptr;
};

}  // namespace tidewire::base
