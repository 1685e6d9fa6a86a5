// app/spill.h - what one shard has for another: posted while its mailbox takes it, else kept in order and tried again each turn.
//
//   post() --mailbox--> the other shard          mailbox full: tasks_ [ request | message | message ]
//   post_message() with tasks waiting and the budget at kRefusing: dropped, and instead    ... | message | loss ]
//
// A shard that hangs would cost all memory, as every broadcast leaves it a task that holds the frames. So when memory is short
// messages for it are dropped and counted. Whoever is connected there was promised order without gaps: behind the last message
// that is kept comes a `loss`, which closes them all with 1013. They hear everything up to there, and nothing that came later.
// A volatile message promises nothing and leaves no `loss`. Requests are never dropped: somebody waits for them.
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
    std::function<bool(net::Task&)> deliver;     // to the other shard; false when its mailbox is full
    std::function<void()> loss;                  // runs there
  };
  explicit Spill(Context context) : context_(std::move(context)) {}
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  void post(net::Task task);
  // False: dropped.
  bool post_message(net::Task task, bool is_volatile);

 private:
  void keep(net::Task task);
  void drain();
  void schedule();
  void charge();

  const Context context_;
  std::vector<net::Task> tasks_;
  base::Charge charge_;
  bool scheduled_ = false;
  bool ends_with_loss_ = false;
};

}  // namespace tidewire
