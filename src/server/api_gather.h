// server/api_gather.h - asking several times in a row and going on when the last answer is there.
//
// Threads: each answer comes where the one before came; nothing is asked twice at once, so that nothing needs a lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tidewire/broadcast.h"
#include "tidewire/function.h"

namespace tidewire::server {

// Counts the sockets that each of these means, in their order.
class CountAll : public std::enable_shared_from_this<CountAll> {
 public:
  // `complete`: every shard answered each of them.
  using Done = UniqueFunction<void(std::vector<std::uint64_t>, bool complete)>;
  static void run(std::vector<BroadcastOperator> whom, Done done) {
    std::make_shared<CountAll>(std::move(whom), std::move(done))->next();
  }
  CountAll(std::vector<BroadcastOperator> whom, Done done) : whom_(std::move(whom)), done_(std::move(done)) {}

 private:
  void next() {
    if (counts_.size() == whom_.size()) return done_(std::move(counts_), complete_);
    whom_[counts_.size()].count_sockets().then([self = shared_from_this()](SocketsCount found) {
      self->counts_.push_back(found.count);
      self->complete_ = self->complete_ && found.complete;
      self->next();
    });
  }
  const std::vector<BroadcastOperator> whom_;
  std::vector<std::uint64_t> counts_;
  bool complete_ = true;
  Done done_;
};

}  // namespace tidewire::server
