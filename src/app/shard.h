// app/shard.h - one thread and the whole column on it: reactor, http, Engine.IO and plain endpoints, hub.
//
// Threads: made and destroyed by Core on its own thread while the shard does not run; everything else on the shard's thread,
// but post().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "app/http_route.h"
#include "app/shed.h"
#include "app/websocket_route.h"
#include "base/budget.h"
#include "base/mailbox.h"
#include "engineio/server.h"
#include "http/connection.h"
#include "http/router.h"
#include "http/static_files.h"
#include "hub/hub.h"
#include "hub/relay.h"
#include "net/reactor.h"
#include "plain/acceptor.h"
#include "socketio/client.h"
#include "tidewire/server.h"

namespace tidewire {

class Core;

class Shard final : public hub::Relay {
 public:
  Shard(Core& core, std::uint32_t index, std::uint32_t count, std::unique_ptr<net::Reactor> reactor);
  ~Shard();

  std::uint32_t index() const noexcept { return index_; }
  Core& core() noexcept { return core_; }
  net::Reactor& reactor() noexcept { return *reactor_; }
  hub::Hub& hub() noexcept { return hub_; }

  // Listens on the shared port (0: chooses one) and returns it.
  Result<std::uint16_t> listen(std::uint16_t port);
  // The thread's main function.
  void run();
  // Ends every session, then the reactor. On the shard's thread.
  void shut_down();

  // From any thread. Never blocks and never fails: what does not fit into the mailbox waits in the caller's shard's spill
  // list, or, from a foreign thread, in this one's.
  void post_task(net::Task task);
  void add_to(ServerStatistics& total);

  // hub::Relay
  std::uint32_t shard() const noexcept override { return index_; }
  std::uint32_t shard_count() const noexcept override { return count_; }
  void post(std::uint32_t shard, hub::HubTask task) override;

 private:
  friend class Core;
  // Tasks for a sibling whose mailbox was full, in order; tried again every turn.
  struct Spill {
    std::vector<net::Task> tasks;
    base::Charge charge;
    bool scheduled = false;
  };
  void spill(std::uint32_t shard, net::Task task);
  void drain_spill(std::uint32_t shard);
  void make_socketio();
  void make_plain();
  hub::Authenticate authenticate();
  void add_routes();
  void make_shed();
  template <typename Answer>
  std::function<void(const http::Request&, const net::Connection&, std::function<void(Answer)>)> permission();
  void hand_over(std::uint32_t shard, net::DetachedConnection connection);

  Core& core_;
  const std::uint32_t index_;
  const std::uint32_t count_;
  std::unique_ptr<net::Reactor> reactor_;
  hub::Hub hub_;
  http::Router router_;
  http::ConnectionOptions http_options_;
  net::Acceptor acceptor_;
  socketio::Endpoint socketio_;
  std::unique_ptr<engineio::Server> engineio_;
  std::unique_ptr<plain::Endpoint> plain_;  // before handlers_, which use it
  std::vector<std::unique_ptr<http::Handler>> handlers_;
  std::vector<Spill> spills_;
  std::unique_ptr<Shed> shed_;
  struct StopTimer;
  std::unique_ptr<StopTimer> stop_timer_;
};

}  // namespace tidewire
