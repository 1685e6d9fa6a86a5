// hub/gather.h - collects one answer from every shard, or what came before the deadline.
//
// Lives on the shard that asks, kept by its hub until all have answered or the deadline has come. A shard that does not answer (its
// listeners hold it, or it has stopped) costs a partial result, never a hang. One that the shard's own end overtakes is dropped:
// `done` is then never called.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/hub.h"
#include "hub/relay.h"

namespace tidewire::hub {

template <typename Answer>
class Gather final : public base::Timer {
 public:
  using Done = UniqueFunction<void(std::vector<Answer>, bool complete)>;
  // Asks every shard of the node: `ask` is copied to each and returns that shard's answer. `done` hears them on this shard.
  template <typename Ask>
  static void all_shards(Hub& hub, std::int64_t deadline_ms, Ask ask, Done done) {
    Relay& relay = hub.relay();
    auto gather = std::make_shared<Gather>(hub, relay.shard_count(), std::move(done));
    hub.keep_question(gather);
    hub.timers().arm(*gather, hub.now() + deadline_ms);
    const std::uint32_t origin = relay.shard();
    for (std::uint32_t shard = 0; shard < relay.shard_count(); ++shard) {
      if (shard == origin) continue;
      relay.post(shard, [ask, origin, gather](Hub& sibling) mutable {
        sibling.relay().post(origin, [gather = std::move(gather), answer = ask(sibling)](Hub&) mutable {
          gather->add(std::move(answer));
        });
      });
    }
    gather->add(ask(hub));
  }

  Gather(Hub& hub, std::size_t expected, Done done) : hub_(hub), expected_(expected), done_(std::move(done)) {}
  ~Gather() = default;

  void add(Answer answer) {
    if (!done_) return;
    answers_.push_back(std::move(answer));
    if (answers_.size() == expected_) finish(true);
  }

 private:
  void expired(base::Milliseconds) override { finish(false); }
  void finish(bool complete) {
    this->cancel();
    const auto keep = hub_.let_question_go(this);
    auto done = std::move(done_);
    if (done) done(std::move(answers_), complete);
  }

  Hub& hub_;
  const std::size_t expected_;
  Done done_;
  std::vector<Answer> answers_;
};

}  // namespace tidewire::hub
