#include "app/core.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "app/shard.h"
#include "base/limits.h"

namespace tidewire {
namespace {

thread_local Shard* this_threads_shard = nullptr;

// What the application wants told, in its own words.
class HandlerLog final : public base::LogSink {
 public:
  HandlerLog(LogLevel level, const LogHandler& handler) : level_(level), handler_(handler) {}
  bool enabled(LogLevel level) const noexcept override { return level >= level_ && level != LogLevel::kOff; }
  void write_line(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    if (enabled(level)) handler_(level, message, fields);
  }

 private:
  const LogLevel level_;
  const LogHandler& handler_;
};

}  // namespace

ShardScope::ShardScope(Shard& shard) noexcept { this_threads_shard = &shard; }
ShardScope::~ShardScope() { this_threads_shard = nullptr; }

Core::Core(Options settings, Drive drive)
    : options(std::move(settings)),
      own_log_(options.log ? std::make_unique<HandlerLog>(options.log_level, options.log) : nullptr),
      log(own_log_ != nullptr       ? *own_log_
          : options.log_to_stderr   ? base::stderr_log(options.log_level)
                                    : base::null_log()),
      rooms(std::min(options.rooms_max, base::limits::kRoomsMax)),
      budget(options.process_queue_bytes),
      drive_(std::move(drive)),
      wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  registry.set_dynamic_max(std::min(options.dynamic_namespaces_max, base::limits::kDynamicNamespacesMax));
}

Core::~Core() {
  stop();
  wait();
  reach->cut();
  std::exchange(shards_, {}).clear();  // what they hold to the end finds none to post to
  budget.settle_now();  // what they still held: other servers of this process go on counting
  close(wake_descriptor_);
}

void Reach::post_to(std::uint32_t shard, net::Task task) {
  // On one of its shards the server lives, and what the task calls may come here again.
  if (Shard* here = Core::current_shard(); here != nullptr && here->core().reach.get() == this) {
    return here->core().post_to(shard, std::move(task));
  }
  const std::lock_guard lock(mutex_);
  if (core_ != nullptr) core_->post_to(shard, std::move(task));
}

void Reach::cut() {
  const std::lock_guard lock(mutex_);
  core_ = nullptr;
}

Server Core::make_server(std::unique_ptr<Core> core) { return Server(std::move(core)); }

Shard* Core::current_shard() noexcept { return this_threads_shard; }

Shard* Core::here() const noexcept {
  return this_threads_shard != nullptr && &this_threads_shard->core() == this ? this_threads_shard : nullptr;
}

http::CorsOptions Core::engine_cors() const {
  const CorsOptions& from = options.cors;
  return {from.enabled,         from.origins,     from.methods,   from.allowed_headers,
          from.exposed_headers, from.credentials, from.max_age_s};
}

websocket::DeflateOptions Core::engine_deflate() const {
  const DeflateOptions& from = options.deflate;
  return {from.enabled, from.threshold_bytes, from.context_takeover, from.window_bits, from.memory_level, from.level};
}

Status Core::make_shards() {
  const std::uint32_t count = std::clamp<std::uint32_t>(options.shards, 1, 256);
  for (std::uint32_t index = 0; index < count; ++index) {
    net::ReactorOptions reactor_options;
    reactor_options.flush = static_cast<net::FlushMode>(options.flush);
    // The queue's age limit closes first, with 4008; whoever does not take even that is cut a little later.
    reactor_options.slow_peer_ms = options.queue_age_ms + base::limits::kCloseLingerMs;
    reactor_options.log = &log;
    auto reactor = drive_.make_reactor(reactor_options);
    if (!reactor.ok()) return reactor.status();
    shards_.push_back(std::make_unique<Shard>(*this, index, count, std::move(*reactor)));
  }
  return Status();
}

Status Core::start() {
  // Handles may refer to the shards that it had.
  if (!shards_.empty()) return Status(StatusCode::kAlreadyExists, "the server runs already, or has run: make another one");
  if (!options.tls.certificate_file.empty()) {
    auto context = net::TlsContext::load({options.tls.certificate_file, options.tls.key_file, {}});
    if (!context.ok()) return context.status();
    tls = std::move(*context);
  }
  for (const auto& route : websocket_routes) {
    route->state().of_shard.resize(std::clamp<std::uint32_t>(options.shards, 1, 256));
  }
  if (options.shards > 1) registry.freeze();
  if (options.connections_per_address_max != 0) address_limit = net::AddressLimit::make(options.connections_per_address_max);
  Status ready = make_shards();
  if (ready.ok()) ready = listen();
  if (!ready.ok()) {
    shards_.clear();  // nobody has seen them
    return ready;
  }
  shard_count_.store(static_cast<std::uint32_t>(shards_.size()), std::memory_order_release);
  running_.store(true);
  for (auto& shard : shards_) {
    if (!drive_.threads) break;
    threads_.emplace_back([this, shard = shard.get()] {
      const ShardScope here(*shard);
      shard->run();
      budget.settle_now();
    });
  }
  if (listening) listening();
  // A stop() that found nothing running has told nobody. Either it sees running_, or this sees stopping_.
  if (stopping_.load()) tell_shards_to_stop();
  return Status();
}

Status Core::listen() {
  port = options.port;
  for (auto& shard : shards_) {
    auto bound = shard->listen(port);
    if (!bound.ok()) return bound.status();
    port = *bound;
  }
  return Status();
}

void Core::wait() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  threads_.clear();
  running_.store(false);
  // While every one of them lives, and whatever their tasks belong to: another server's replies, perhaps.
  for (auto& shard : shards_) shard->end();
}

void Core::stop() {
  stopping_.store(true);
  if (running_.load()) tell_shards_to_stop();
  eventfd_write(wake_descriptor_, 1);
}

// A shard may hear it twice.
void Core::tell_shards_to_stop() {
  for (auto& shard : shards_) shard->post_task([shard = shard.get()] { shard->shut_down(); });
}

Status Core::run() {
  // Blocked before the threads exist, so that every one of them leaves the signals to this descriptor.
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const int signal_descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  Status started = start();
  bool ended = !started.ok();
  while (!ended) {
    pollfd watched[] = {{signal_descriptor, POLLIN, 0}, {wake_descriptor_, POLLIN, 0}};
    if (poll(watched, 2, -1) < 0) continue;
    signalfd_siginfo info{};
    if (read(signal_descriptor, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGHUP) {
        if (reloading) reloading();
        if (tls != nullptr) {
          const Status reloaded = tls->reload();
          log.write(base::LogLevel::kWarn, reloaded.ok() ? "certificate reloaded" : "certificate kept: " + reloaded.message(), {});
        }
      } else {
        stop();
        ended = true;
      }
    }
    if ((watched[1].revents & POLLIN) != 0) ended = true;
  }
  wait();
  close(signal_descriptor);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void Core::post_to(std::uint32_t index, net::Task task) {
  if (const Shard* shard = here(); shard != nullptr && shard->index() == index) {
    task();
  } else if (running()) {
    shards_[index]->post_task(std::move(task));
  }
}

void Core::post_message_to(std::uint32_t index, net::Task task) {
  if (const Shard* shard = here(); shard != nullptr && shard->index() == index) {
    task();
  } else if (running()) {
    shards_[index]->post_message(std::move(task), false);
  }
}

void Core::on_any_shard(net::Task task) {
  const Shard* shard = here();
  post_to(shard != nullptr ? shard->index() : 0, std::move(task));
}

}  // namespace tidewire
