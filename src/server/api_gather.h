// server/api_gather.h - asking several namespaces at once and going on when the last answer is there.
//
// Threads: answers may come on several threads; each has a place of its own, and the last one goes on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tidewire/broadcast.h"
#include "tidewire/function.h"

namespace tidewire::server {

// What each of several questions answered, in their order.
template <typename Answer>
class Gathered : public std::enable_shared_from_this<Gathered<Answer>> {
 public:
  using Done = UniqueFunction<void(std::vector<Answer>)>;
  // `ask(i)` gives the Later of question i.
  template <typename Ask>
  static void run(std::size_t count, Ask&& ask, Done done) {
    if (count == 0) return done({});
    const auto all = std::make_shared<Gathered>(count, std::move(done));
    for (std::size_t i = 0; i < count; ++i) {
      ask(i).then([all, i](Answer answer) {
        all->answers_[i] = std::move(answer);
        if (all->left_.fetch_sub(1, std::memory_order_acq_rel) == 1) all->done_(std::move(all->answers_));
      });
    }
  }
  Gathered(std::size_t count, Done done) : answers_(count), left_(count), done_(std::move(done)) {}

 private:
  std::vector<Answer> answers_;
  std::atomic<std::size_t> left_;
  Done done_;
};

// Counts the sockets that each of these means, in their order.
struct CountAll {
  // `complete`: every shard answered each of them.
  using Done = UniqueFunction<void(std::vector<std::uint64_t>, bool complete)>;
  static void run(const std::vector<BroadcastOperator>& whom, Done done) {
    Gathered<SocketsCount>::run(
        whom.size(), [&whom](std::size_t i) { return whom[i].count_sockets(); },
        [done = std::move(done)](std::vector<SocketsCount> found) mutable {
          std::vector<std::uint64_t> counts;
          bool complete = true;
          for (const SocketsCount& each : found) {
            counts.push_back(each.count);
            complete = complete && each.complete;
          }
          done(std::move(counts), complete);
        });
  }
};

}  // namespace tidewire::server
