#include "net/simulated_world.h"

#include <algorithm>

#include "base/assert.h"
#include "net/simulated_reactor.h"

namespace tidewire::net {
namespace {

constexpr std::uint64_t kFnvPrime = 0x100000001b3u;

void mix(std::uint64_t& hash, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) hash = (hash ^ ((value >> (8 * i)) & 0xff)) * kFnvPrime;
}

}  // namespace

// ---- The client's end

SimulatedClient::SimulatedClient(SimulatedWorld& world, std::shared_ptr<SimulatedStream> stream, Ears ears)
    : world_(world), stream_(std::move(stream)), ears_(std::move(ears)) {
  stream_->attach(Side::kClient, this);
}

SimulatedClient::~SimulatedClient() {
  if (was_reset_) return;
  stream_->close(Side::kClient);
}

void SimulatedClient::send(std::string_view bytes) {
  if (was_reset_ || finishing_) return;
  unsent_.erase(0, std::exchange(sent_, 0));
  unsent_ += bytes;
  push();
}

void SimulatedClient::finish() {
  finishing_ = true;
  push();
}

void SimulatedClient::reset() {
  if (was_reset_) return;
  stream_->reset(Side::kClient);
  ended_ = was_reset_ = true;
}

void SimulatedClient::stall(bool on) {
  stalled_ = on;
  // Not on this stack: the caller may be in the middle of something.
  if (!on) world_.schedule(world_.now(), [stream = stream_] { stream->tell(Side::kClient); });
}

void SimulatedClient::hold(base::Milliseconds ms) { stream_->hold(world_.now() + ms); }

void SimulatedClient::push() {
  if (was_reset_) return;
  const std::string_view rest = std::string_view(unsent_).substr(sent_);
  if (!rest.empty()) sent_ += stream_->write(Side::kClient, rest, false);
  if (finishing_ && sent_ == unsent_.size()) stream_->finish(Side::kClient);
}

void SimulatedClient::stream_changed(SimulatedStream&) {
  if (stream_->was_reset(Side::kClient)) return end(true);
  push();
  if (stalled_) return;
  if (stream_->readable(Side::kClient)) {
    const std::string bytes = stream_->read(Side::kClient, SIZE_MAX);
    if (ears_.bytes) ears_.bytes(bytes);
  }
  if (stream_->ended(Side::kClient)) end(false);
}

void SimulatedClient::end(bool reset) {
  was_reset_ = was_reset_ || reset;
  if (std::exchange(ended_, true)) return;
  if (ears_.ended) ears_.ended(reset);
}

// ---- The world

SimulatedWorld::SimulatedWorld(const SimulatedOptions& options) : options_(options), luck_(options.seed) {}

SimulatedWorld::~SimulatedWorld() { TW_ASSERT(reactors_.empty()); }

std::unique_ptr<SimulatedReactor> SimulatedWorld::make_reactor(const ReactorOptions& options) {
  auto reactor = std::make_unique<SimulatedReactor>(*this, options, static_cast<int>(reactors_.size()));
  reactors_.push_back(reactor.get());
  return reactor;
}

std::unique_ptr<SimulatedClient> SimulatedWorld::connect(std::uint16_t port, SimulatedClient::Ears ears) {
  const auto [first, last] = ports_.equal_range(port);
  if (first == last) return nullptr;
  const auto count = static_cast<std::uint64_t>(std::distance(first, last));
  const auto chosen = std::next(first, static_cast<std::ptrdiff_t>(luck_.below(count)));
  const std::size_t window =
      options_.window_bytes_min + luck_.below(options_.window_bytes_max - options_.window_bytes_min + 1);
  auto stream = std::make_shared<SimulatedStream>(*this, ++last_stream_, window);
  schedule(now_ + latency(), [this, stream, listening = chosen->second] {
    record(Happening::kConnect, stream->number(), {});
    if (!listening->open) return stream->reset(Side::kServer);
    const ListenOptions& options = listening->options;
    listening->reactor->connected({stream, [listening](Connection& connection) { return listening->acceptor(connection); },
                                   options.connections_max, options.address_limit});
  });
  return std::make_unique<SimulatedClient>(*this, std::move(stream), std::move(ears));
}

std::uint16_t SimulatedWorld::listen(SimulatedReactor& reactor, const ListenOptions& options, Acceptor acceptor) {
  const std::uint16_t port = options.port != 0 ? options.port : ++last_port_;
  ports_.emplace(port, std::make_shared<Listening>(Listening{&reactor, options, std::move(acceptor)}));
  return port;
}

void SimulatedWorld::stop_listening(const SimulatedReactor& reactor) {
  std::erase_if(ports_, [&](const auto& entry) {
    if (entry.second->reactor != &reactor) return false;
    entry.second->open = false;
    return true;
  });
}

void SimulatedWorld::forget(const SimulatedReactor& reactor) { std::erase(reactors_, &reactor); }

// ---- Time

void SimulatedWorld::schedule(base::Milliseconds at, Task task) {
  // Forty bits of luck before the age: no two keys are equal, and what is due at one moment comes in any order.
  const std::uint64_t rank = (luck_.next() & ~std::uint64_t{0xffffff}) | (++event_count_ & 0xffffff);
  events_.emplace(std::pair(std::max(at, now_), rank), std::move(task));
}

bool SimulatedWorld::step(base::Milliseconds limit) {
  base::Milliseconds next = events_.empty() ? limit + 1 : events_.begin()->first.first;
  for (SimulatedReactor* reactor : reactors_) next = std::min(next, reactor->wake_at());
  if (next > limit) {
    now_ = std::max(now_, limit);
    return false;
  }
  now_ = std::max(now_, next);
  std::vector<SimulatedReactor*> due;
  for (SimulatedReactor* reactor : reactors_) {
    if (reactor->wake_at() <= now_) due.push_back(reactor);
  }
  const bool event_due = !events_.empty() && events_.begin()->first.first <= now_;
  const std::uint64_t pick = luck_.below(due.size() + (event_due ? 1 : 0));
  if (pick < due.size()) {
    due[pick]->turn();
  } else {
    const Task task = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    task();
  }
  return true;
}

void SimulatedWorld::run_until(base::Milliseconds time) {
  while (step(time)) {
  }
}

bool SimulatedWorld::run_while(const std::function<bool()>& condition, base::Milliseconds patience_ms) {
  const base::Milliseconds limit = now_ + patience_ms;
  while (condition()) {
    if (!step(limit)) return false;
  }
  return true;
}

// ---- Luck

base::Milliseconds SimulatedWorld::latency() {
  return static_cast<base::Milliseconds>(luck_.below(static_cast<std::uint64_t>(options_.latency_ms_max) + 1));
}

base::Milliseconds SimulatedWorld::turn_delay() {
  return static_cast<base::Milliseconds>(luck_.below(static_cast<std::uint64_t>(options_.turn_delay_ms_max) + 1));
}

std::size_t SimulatedWorld::piece_of(std::size_t size) {
  if (size <= options_.whole_bytes_max) return size;
  switch (luck_.below(8)) {
    case 0: return 1;
    case 1: return 1 + luck_.below(std::min<std::size_t>(size, 16));
    case 2:
    case 3: return 1 + luck_.below(size);
    default: return size;
  }
}

void SimulatedWorld::record(Happening what, int stream, std::string_view bytes) {
  mix(trace_, static_cast<std::uint64_t>(what));
  mix(trace_, static_cast<std::uint64_t>(now_));
  mix(trace_, static_cast<std::uint64_t>(stream));
  for (const char byte : bytes) trace_ = (trace_ ^ static_cast<unsigned char>(byte)) * kFnvPrime;
}

}  // namespace tidewire::net
