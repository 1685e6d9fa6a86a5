// app/spill.h - what one shard has for another: posted while its mailbox takes it, else kept in order and tried again later.
//
//   post() --mailbox--> the other shard          mailbox full: tasks_ [ request | message | message ]
//   post_message() with tasks waiting and the budget at kRefusing: dropped, and instead    ... | message | loss ]
//
// Tried again after a pause, which doubles while nothing is taken: whoever waits for a shard that hangs sleeps meanwhile.
// A shard that has stopped takes nothing any more: what is for it dies here, on the sender's thread, and its owners (a reply, a
// deadline) answer for it.
// A shard that hangs would cost all memory, as every broadcast leaves it a task that holds the frames. So when memory is short
// messages for it are dropped and counted. Whoever is connected there was promised order without gaps: behind the last message
// that is kept comes a `loss`, which closes them all with 1013. They hear everything up to there, and nothing that came later.
// A volatile message promises nothing and leaves no `loss`. Requests are not dropped for want of memory: somebody waits for them.
// Why not drop what has waited longest: those who are connected would hear a gap before they are closed.
// Threads: the sending shard's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/budget.h"
#include "net/reactor.h"

namespace tidewire {

class Spill {
 public:
  struct Context {
    net::Reactor& reactor;  // the sender's
    const base::Budget& budget;
    std::atomic<std::uint64_t>& dropped;         // messages, all spills together
    std::function<net::PostResult(net::Task&)> deliver;  // to the other shard
    std::function<void()> loss;                  // runs there
  };
  explicit Spill(Context context);
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  void post(net::Task task);
  // False: dropped.
  bool post_message(net::Task task, bool is_volatile);
  // What waits dies unheard.
  void drop_all();

 private:
  void keep(net::Task task);
  void retry(base::Milliseconds now);
  void charge();

  const Context context_;
  std::vector<net::Task> tasks_;
  base::Charge charge_;
  base::Milliseconds pause_ms_;  // before the next retry
  base::MemberTimer<Spill, &Spill::retry> timer_{this};  // armed while tasks wait
  bool ends_with_loss_ = false;
};

}  // namespace tidewire
