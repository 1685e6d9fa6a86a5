// limit.cc - tidewire-limit: the least a server can cost that answers the load generator at all.
//
//   epoll_wait -> recv of every readable connection -> answers into the turn's buffers -> one send per connection
//
//   own_        the answers of this turn, those of one connection side by side (its messages are read in one go)
//   everybody_  the broadcast frames of this turn, the same bytes for every connection
//
// A connection is two pointers and a few bits, and both pointers are null unless a message arrived in part or the kernel did
// not take all. No timers, no limits, no checks: not a server.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limit_answers.h"
#include "limit_flush.h"

namespace tidewire::bench {
namespace {

constexpr unsigned kDescriptorsMax = 20'000;
constexpr std::size_t kReceiveBytes = 256 * 1024;
volatile std::sig_atomic_t stop_requested = 0;

struct Connection {
  std::string* unread;  // the beginning of a message or handshake
  std::string* unsent;  // what the kernel did not take
  Speaks speaks;
  bool open;
  bool answered;  // has bytes in own_ in this turn
};

struct OwnBytes {
  int descriptor;
  std::size_t begin;
  std::size_t end;
};

class Limit {
 public:
  Limit(int listener, std::unique_ptr<Flusher> flusher)
      : listener_(listener), epoll_(::epoll_create1(EPOLL_CLOEXEC)), flusher_(std::move(flusher)),
        connections_(static_cast<Connection*>(std::calloc(kDescriptorsMax, sizeof(Connection)))), received_(kReceiveBytes) {
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  // `while_waiting`: the signals let in; SIGTERM is blocked otherwise, so that it cannot come just before the wait.
  void run(const sigset_t& while_waiting) {
    std::array<epoll_event, 1024> events;
    while (stop_requested == 0) {
      const int ready = ::epoll_pwait(epoll_, events.data(), static_cast<int>(events.size()), -1, &while_waiting);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else {
          if ((event.events & EPOLLOUT) != 0) send_rest(event.data.fd);
          if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read_from(event.data.fd);
        }
      }
      flush_turn();
      close_parked();
    }
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  Connection& at(int descriptor) { return connections_.get()[descriptor]; }

  void watch(int operation, int descriptor, std::uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll_, operation, descriptor, &event);
  }

  void accept_all() {
    for (;;) {
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) return;
      const int on = 1;
      ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      at(descriptor) = {nullptr, nullptr, Speaks::kHttp, true, false};
      flusher_->add(descriptor);
      watch(EPOLL_CTL_ADD, descriptor, EPOLLIN);
    }
  }

  void read_from(int descriptor) {
    Connection& connection = at(descriptor);
    if (!connection.open) return;
    std::size_t kept = 0;
    if (connection.unread != nullptr) {
      kept = connection.unread->copy(received_.data(), kReceiveBytes / 2);
      delete std::exchange(connection.unread, nullptr);
    }
    const auto count = ::recv(descriptor, received_.data() + kept, kReceiveBytes - kept, MSG_DONTWAIT);
    if (count <= 0 && !(count < 0 && errno == EAGAIN)) return park(descriptor);
    const auto size = kept + static_cast<std::size_t>(count > 0 ? count : 0);
    const auto own_begin = own_.size();
    const auto used = connection.speaks == Speaks::kHttp ? read_handshake(descriptor, size) : read_frames(descriptor, size);
    if (used < size) connection.unread = new std::string(received_.data() + used, size - used);
    if (own_.size() > own_begin) {
      own_parts_.push_back({descriptor, own_begin, own_.size()});
      connection.answered = true;
    }
  }

  std::size_t read_handshake(int descriptor, std::size_t size) {
    const std::string_view text(received_.data(), size);
    if (!text.ends_with("\r\n\r\n")) return 0;
    Connection& connection = at(descriptor);
    connection.speaks = answer_handshake(text, own_);
    if (connection.speaks == Speaks::kRaw) raw_.push_back(descriptor);
    return size;
  }

  // Unmasks in place and answers every whole frame; returns the bytes used.
  std::size_t read_frames(int descriptor, std::size_t size) {
    std::size_t used = 0;
    while (size - used >= 6) {
      char* const frame = received_.data() + used;
      std::size_t head = 6;
      auto payload = static_cast<std::size_t>(frame[1] & 0x7f);
      if (payload == 126) {
        head = 8;
        payload = static_cast<std::size_t>(static_cast<unsigned char>(frame[2])) << 8 | static_cast<unsigned char>(frame[3]);
      }
      if (size - used < head + payload) break;
      unmask(frame + head, payload, frame + head - 4);
      if ((frame[0] & 0x0f) == 8) park(descriptor);
      const std::string_view text(frame + head, payload);
      const Answers answers = {own_, everybody_socketio_, everybody_raw_};
      if (answer_message(at(descriptor).speaks, text, answers)) socketio_.push_back(descriptor);
      used += head + payload;
    }
    return used;
  }

  static void unmask(char* bytes, std::size_t size, const char* key) {
    std::uint32_t half = 0;
    std::memcpy(&half, key, sizeof half);
    const std::uint64_t whole = static_cast<std::uint64_t>(half) << 32 | half;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, sizeof word);
      word ^= whole;
      std::memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i % 4]);
  }

  // Own answers first; a connection that also takes part in a broadcast gets both in one send.
  void flush_turn() {
    if (own_parts_.empty() && everybody_socketio_.empty() && everybody_raw_.empty()) return;
    std::size_t joined_bytes = 0;
    for (const OwnBytes& part : own_parts_) joined_bytes += part.end - part.begin + broadcast_for(part.descriptor).size();
    joined_.clear();
    joined_.reserve(joined_bytes);  // the views below point into it
    for (const OwnBytes& part : own_parts_) {
      const auto broadcast = broadcast_for(part.descriptor);
      std::string_view bytes(own_.data() + part.begin, part.end - part.begin);
      if (!broadcast.empty()) {
        const auto begin = joined_.size();
        joined_.append(bytes).append(broadcast);
        bytes = std::string_view(joined_).substr(begin);
      }
      add_send(part.descriptor, bytes);
    }
    add_broadcast(socketio_, everybody_socketio_);
    add_broadcast(raw_, everybody_raw_);
    flusher_->flush(sends_);
    for (const Send& item : sends_) keep_rest(item);
    for (const OwnBytes& part : own_parts_) at(part.descriptor).answered = false;
    for (std::string* buffer : {&own_, &everybody_socketio_, &everybody_raw_}) buffer->clear();
    own_parts_.clear();
    sends_.clear();
  }

  std::string_view broadcast_for(int descriptor) {
    return at(descriptor).speaks == Speaks::kRaw ? everybody_raw_ : everybody_socketio_;
  }

  void add_broadcast(const std::vector<int>& members, std::string_view bytes) {
    if (bytes.empty()) return;
    for (const int descriptor : members) {
      if (!at(descriptor).answered) add_send(descriptor, bytes);
    }
  }

  void add_send(int descriptor, std::string_view bytes) {
    Connection& connection = at(descriptor);
    if (connection.unsent != nullptr) {
      connection.unsent->append(bytes);
    } else {
      sends_.push_back({descriptor, 0, bytes.data(), bytes.size()});
    }
  }

  void keep_rest(const Send& item) {
    if (item.taken < 0 && item.taken != -EAGAIN) return;  // broken: the next read tells
    const auto taken = static_cast<std::size_t>(item.taken > 0 ? item.taken : 0);
    if (taken == item.size) return;
    at(item.descriptor).unsent = new std::string(item.data + taken, item.size - taken);
    watch(EPOLL_CTL_MOD, item.descriptor, EPOLLIN | EPOLLOUT);
  }

  void send_rest(int descriptor) {
    Connection& connection = at(descriptor);
    if (!connection.open || connection.unsent == nullptr) return;
    const auto taken = ::send(descriptor, connection.unsent->data(), connection.unsent->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0) return;
    connection.unsent->erase(0, static_cast<std::size_t>(taken));
    if (!connection.unsent->empty()) return;
    delete std::exchange(connection.unsent, nullptr);
    watch(EPOLL_CTL_MOD, descriptor, EPOLLIN);
  }

  // Closed at the end of the turn: a descriptor closed earlier could be another connection's by the time of the flush.
  void park(int descriptor) {
    if (!std::exchange(at(descriptor).open, false)) return;
    parked_.push_back(descriptor);
  }

  void close_parked() {
    if (parked_.empty()) return;
    const auto closed = [this](int descriptor) { return !at(descriptor).open; };
    std::erase_if(socketio_, closed);
    std::erase_if(raw_, closed);
    for (const int descriptor : parked_) {
      delete at(descriptor).unread;
      delete at(descriptor).unsent;
      at(descriptor) = {};
      flusher_->remove(descriptor);
      ::close(descriptor);
    }
    parked_.clear();
  }

  int listener_;
  int epoll_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<Connection, Free> connections_;  // by descriptor; untouched pages cost nothing
  std::vector<int> socketio_;
  std::vector<int> raw_;
  // Of this turn.
  std::vector<char> received_;
  std::string own_;
  std::string everybody_socketio_;
  std::string everybody_raw_;
  std::string joined_;
  std::vector<OwnBytes> own_parts_;
  std::vector<Send> sends_;
  std::vector<int> parked_;
};

int listen_on(const std::string& host, std::uint16_t& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return -1;
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 4096) != 0) return -1;
  ::getsockname(listener, generic, &size);
  port = ntohs(address.sin_port);
  return listener;
}

int limit_main(int argc, char** argv) {
  std::string host = "127.0.0.1";
  std::string flush = "auto";
  std::uint16_t port = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--host") host = argv[i + 1];
    if (option == "--flush") flush = argv[i + 1];
    if (option == "--port") port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
  }
  auto flusher = flush == "send" ? make_send_flusher() : make_uring_flusher(kDescriptorsMax);
  if (flusher == nullptr && flush == "uring") return std::fputs("tidewire-limit: no io_uring here\n", stderr), 1;
  if (flusher == nullptr) flusher = make_send_flusher();
  const int listener = listen_on(host, port);
  if (listener < 0) return std::perror("tidewire-limit: listen"), 1;
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction stop = {};
  stop.sa_handler = [](int) { stop_requested = 1; };
  sigset_t stopping;
  sigset_t while_waiting;
  ::sigemptyset(&stopping);
  for (const int signal : {SIGTERM, SIGINT}) {
    ::sigaction(signal, &stop, nullptr);
    ::sigaddset(&stopping, signal);
  }
  ::sigprocmask(SIG_BLOCK, &stopping, &while_waiting);
  std::printf("listening on %s:%u\nflush %s\n", host.c_str(), unsigned{port}, flusher->name());
  std::fflush(stdout);
  Limit(listener, std::move(flusher)).run(while_waiting);
  return 0;
}

}  // namespace
}  // namespace tidewire::bench

int main(int argc, char** argv) { return tidewire::bench::limit_main(argc, argv); }
