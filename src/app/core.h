// app/core.h - what is behind a Server: the declarations all shards share, and the shards.
//
// Threads: declarations are written before start() and read-only afterwards. Whatever reaches for the shards (running(),
// shard_count(), post_to() and the like, stop()) from any thread at any time, also while start() is under way on another one:
// one atomic says whether they are there. So a program may ask one server from the threads of another.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/http_route.h"
#include "app/shed.h"
#include "app/websocket_route.h"
#include "base/budget.h"
#include "base/log.h"
#include "http/cors.h"
#include "http/static_files.h"
#include "hub/member.h"
#include "hub/namespace.h"
#include "hub/registry.h"
#include "net/reactor.h"
#include "net/tls.h"
#include "plain/dialect.h"
#include "socketio/dialect.h"
#include "tidewire/server.h"

namespace tidewire {

class Shard;

// Where the reactors come from and who runs them. The default is the real thing: epoll, and a thread for each shard. The
// simulator hands in its own and runs their turns itself, each inside a ShardScope.
struct Drive {
  std::function<Result<std::unique_ptr<net::Reactor>>(const net::ReactorOptions&)> make_reactor = net::make_epoll_reactor;
  bool threads = true;
};

// While it lives, the calling thread is that shard's.
class ShardScope {
 public:
  explicit ShardScope(Shard& shard) noexcept;
  ShardScope(const ShardScope&) = delete;
  ShardScope& operator=(const ShardScope&) = delete;
  ~ShardScope();
};

// The way back to a server for what an application may keep longer than it: then nothing happens. From any thread.
class Reach {
 public:
  explicit Reach(Core& core) noexcept : core_(&core) {}
  // As Core::post_to().
  void post_to(std::uint32_t shard, net::Task task);
  void cut();

 private:
  std::mutex mutex_;
  Core* core_;  // null once the server is gone
};

class Core {
 public:
  explicit Core(Options options, Drive drive = {});
  ~Core();
  // The public face of a core made by hand.
  static Server make_server(std::unique_ptr<Core> core);

  // Makes the shards, listens, starts their threads.
  Status start();
  void wait();
  Status run();
  void stop();
  bool accepting() const noexcept { return running_.load() && !stopping_.load(); }
  // The shards are there and their threads take tasks: from start() until wait() has returned. Else nobody would answer.
  bool running() const noexcept { return running_.load(std::memory_order_acquire); }

  // The shard whose thread calls, null elsewhere. It may be another server's in the same process: here() is not.
  static Shard* current_shard() noexcept;
  Shard* here() const noexcept;
  // REQUIRES: index < shard_count(), or called on a shard
  Shard& shard(std::uint32_t index) noexcept { return *shards_[index]; }
  // 0 until the server has started.
  std::uint32_t shard_count() const noexcept { return shard_count_.load(std::memory_order_acquire); }
  // Runs `task` on that shard: now when this is its thread, else posted. From any thread; dropped when the server is not running.
  void post_to(std::uint32_t shard, net::Task task);
  // The same for a task that delivers a message: it may be dropped, see app/spill.h.
  void post_message_to(std::uint32_t shard, net::Task task);
  // As post_to() on the calling shard, or on the first one when called from elsewhere.
  void on_any_shard(net::Task task);

  // The public settings in the words of the layers.
  http::CorsOptions engine_cors() const;
  websocket::DeflateOptions engine_deflate() const;

  // Immutable after start.
  const Options options;

 private:
  const std::unique_ptr<base::LogSink> own_log_;  // around Options::log

 public:
  base::LogSink& log;
  const socketio::Dialect socketio_dialect{0};
  const plain::Dialect plain_flat{1, plain::Form::kFlat};
  const plain::Dialect plain_data{2, plain::Form::kData};
  hub::NamespaceRegistry registry;
  hub::RoomQuota rooms;
  Server::Admission allow_request;
  Server::Authenticator authenticate;
  Server::InitialHeaders initial_headers;
  UniqueFunction<void()> listening;
  UniqueFunction<void()> reloading;
  std::vector<HttpRoute> http_routes;
  std::vector<std::unique_ptr<WebSocketRoute>> websocket_routes;
  std::vector<http::StaticFile> static_files;
  std::deque<std::string> static_names;  // their paths and types
  std::shared_ptr<net::TlsContext> tls;
  std::shared_ptr<net::AddressLimit> address_limit;  // none without connections_per_address_max
  std::uint16_t port = 0;

  // Every thread.
  const std::shared_ptr<Reach> reach = std::make_shared<Reach>(*this);
  base::Budget budget;
  ShedBoard shed_board;
  std::atomic<std::size_t> open_connections{0};
  std::atomic<std::uint64_t> dropped_messages{0};  // for shards that were far behind while memory was short

 private:
  Status make_shards();
  Status listen();
  void tell_shards_to_stop();

  const Drive drive_;
  std::vector<std::unique_ptr<Shard>> shards_;  // the starting thread's, then immutable: others look after shard_count_
  std::atomic<std::uint32_t> shard_count_{0};
  std::vector<std::thread> threads_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};
  int wake_descriptor_ = -1;  // ends run()
};

// The public Handshake out of what a connection said.
Handshake make_handshake(const hub::ConnectionFacts& facts, std::string_view auth_json);
HttpRequest make_request(const http::Request& request, std::string_view body, std::string address);

}  // namespace tidewire
