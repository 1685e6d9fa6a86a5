// app/shard.h - one thread and the whole column on it: reactor, http, Engine.IO and plain endpoints, hub.
//
// Threads: made and destroyed by Core on its own thread while the shard does not run; everything else on the shard's thread,
// but post().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "app/http_route.h"
#include "app/shed.h"
#include "app/spill.h"
#include "app/websocket_route.h"
#include "base/budget.h"
#include "base/mailbox.h"
#include "engineio/server.h"
#include "http/connection.h"
#include "http/permission.h"
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
  // Closes everything, and lets die what never will run: it may still post to sibling shards, which must live.
  // REQUIRES: no thread runs it
  void end();
  // Ends every session, then the reactor. On the shard's thread.
  void shut_down();

  // From any thread. Never blocks and never fails: what does not fit into the mailbox waits in the spill list of the calling
  // shard (app/spill.h); what comes from a foreign thread fits always.
  void post_task(net::Task task);
  // The same for a task that delivers a message; see hub::Relay::post_message().
  bool post_message(net::Task task, bool is_volatile);
  void add_to(ServerStatistics& total);
  // Runs `task` once, on the shard's thread, from where it is called. What has not run when the shard dies never does.
  void after(std::int64_t delay_ms, net::Task task);

  // hub::Relay
  std::uint32_t shard() const noexcept override { return index_; }
  std::uint32_t shard_count() const noexcept override { return count_; }
  void post(std::uint32_t shard, hub::HubTask task) override;
  bool post_message(std::uint32_t shard, hub::HubTask task, bool is_volatile) override;

 private:
  friend class Core;
  // Everybody here may have missed a message.
  void close_all_for_loss();
  void outsider_lost();
  void settle_for_outsider();
  void close_all(DisconnectReason reason, engineio::CloseReason session_reason, std::uint16_t code, std::string_view text);
  void make_socketio();
  void make_plain();
  hub::Authenticate authenticate();
  void add_routes();
  void make_shed();
  http::AllowRequest permission();
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
  std::vector<std::unique_ptr<Spill>> spills_;  // by shard
  std::atomic<bool> outsiders_end_with_loss_{false};  // as Spill::ends_with_loss_, for threads that are no shard
  std::unique_ptr<Shed> shed_;
  struct StopTimer;
  std::unique_ptr<StopTimer> stop_timer_;
  struct Delayed;
  std::unordered_map<const Delayed*, std::unique_ptr<Delayed>> delayed_;
};

}  // namespace tidewire
