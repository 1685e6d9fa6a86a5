// server/current.h - a value that every shard reads all the time and that is replaced as a whole, seldom.
//
//   replace(next) --> the value, a new version --> each shard takes it over when it looks the next time
//
// Looking costs a shard one comparison: it keeps a reference of its own, so that shards share no counter.
// Threads: on_shard() on that shard, the rest on any. Lifetime: a value lives as long as somebody holds it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace tidewire::server {

template <typename T>
class Current {
 public:
  // REQUIRES: first is not null
  Current(std::shared_ptr<const T> first, std::uint32_t shard_count) : value_(std::move(first)), shards_(shard_count) {}

  // The value for this shard; the reference is good until the shard asks again.
  const std::shared_ptr<const T>& on_shard(std::uint32_t shard) {
    Reader& reader = shards_[shard];
    if (reader.version != version_.load(std::memory_order_acquire)) [[unlikely]] take_over(reader);
    return reader.value;
  }
  std::uint32_t shard_count() const noexcept { return static_cast<std::uint32_t>(shards_.size()); }
  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  // REQUIRES: next is not null
  void replace(std::shared_ptr<const T> next) {
    {
      const std::lock_guard lock(mutex_);
      value_.swap(next);
      version_.fetch_add(1, std::memory_order_release);
    }
    // What was there may end here, outside of the lock.
  }

 private:
  struct alignas(64) Reader {  // a cache line each
    std::uint64_t version = 0;
    std::shared_ptr<const T> value;
  };

  void take_over(Reader& reader) {
    std::shared_ptr<const T> next;
    {
      const std::lock_guard lock(mutex_);
      next = value_;
      reader.version = version_.load(std::memory_order_relaxed);
    }
    reader.value = std::move(next);
  }

  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;  // guarded by mutex_
  std::atomic<std::uint64_t> version_{1};
  std::vector<Reader> shards_;  // each is its shard's
};

}  // namespace tidewire::server
