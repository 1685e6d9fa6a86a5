// hub/relay.h - how the hub of one shard reaches its siblings, implemented by app/ over mailboxes.
//
// A shard never waits for another: a task is posted, an answer is a task posted back.
#pragma once

#include <cstdint>
#include <functional>

#include "tidewire/function.h"

namespace tidewire::hub {

class Hub;
using HubTask = UniqueFunction<void(Hub&)>;

class Relay {
 public:
  virtual std::uint32_t shard() const noexcept = 0;
  virtual std::uint32_t shard_count() const noexcept = 0;
  // Runs `task` with the hub of `shard`, in one of its next turns. Tasks from one shard to another keep their order. A shard that
  // has stopped runs none: the task dies.
  virtual void post(std::uint32_t shard, HubTask task) = 0;
  // The same for one that delivers a message. False: memory is short and that shard far behind, so the message is dropped,
  // and unless it is volatile every connection there is closed (1013), as it was promised order without gaps. Or it has stopped.
  virtual bool post_message(std::uint32_t shard, HubTask task, bool is_volatile) = 0;

 protected:
  ~Relay() = default;
};

}  // namespace tidewire::hub
