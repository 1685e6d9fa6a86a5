#include "net/uring_flush.h"

#include <cerrno>

#if TIDEWIRE_HAVE_URING
#include <liburing.h>

#include <algorithm>

#include "base/assert.h"

namespace tidewire::net {
namespace {

constexpr unsigned kEntries = 512;
// Below this many, kAuto sends plainly.
constexpr std::size_t kFewSends = 4;

class UringSender final : public Sender {
 public:
  explicit UringSender(std::size_t sends_min) : sends_min_(sends_min) {}
  ~UringSender() override { close(); }

  // Returns 0 or the errno. A filter may allow the set-up and forbid the submission, so both are tried.
  int open() {
    const int failed = io_uring_queue_init(kEntries, &ring_, 0);
    if (failed != 0) return -failed;
    open_ = true;
    io_uring_prep_nop(io_uring_get_sqe(&ring_));
    const int submitted = io_uring_submit_and_wait(&ring_, 1);
    if (submitted == 1) reap({});
    if (submitted != 1) close();
    return submitted == 1 ? 0 : -submitted;
  }

  void perform(std::span<Send> sends) override {
    if (!open_ || sends.size() < sends_min_) return plain_.perform(sends);
    TW_ASSERT(sends.size() <= kEntries);
    for (std::size_t i = 0; i < sends.size(); ++i) prepare(sends[i], i);
    std::size_t submitted = 0;
    while (submitted < sends.size()) {
      const int count = io_uring_submit(&ring_);
      if (count < 0 && count != -EINTR && count != -EAGAIN && count != -EBUSY) return give_up(sends, submitted);
      if (count > 0) submitted += static_cast<std::size_t>(count);
      reap(sends);
    }
    while (reaped_ < submitted) {
      io_uring_cqe* completion = nullptr;
      io_uring_wait_cqe(&ring_, &completion);
      reap(sends);
    }
    reaped_ = 0;
  }

  std::string_view name() const override { return "io_uring"; }
  std::size_t batch_max() const override { return kEntries; }

 private:
  void prepare(Send& send, std::size_t index) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (send.message == nullptr) {
      io_uring_prep_send(entry, send.descriptor, send.data, send.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      io_uring_prep_sendmsg(entry, send.descriptor, send.message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    io_uring_sqe_set_data64(entry, index);
  }

  void reap(std::span<Send> sends) {
    io_uring_cqe* completions[64];
    unsigned count;
    while ((count = io_uring_peek_batch_cqe(&ring_, completions, 64)) > 0) {
      for (unsigned i = 0; i < count; ++i) {
        if (!sends.empty()) sends[completions[i]->user_data].result = completions[i]->res;
      }
      if (!sends.empty()) reaped_ += count;
      io_uring_cq_advance(&ring_, count);
    }
  }

  // The kernel takes no more submissions: what it has is awaited, the rest and all that follow are sent plainly.
  void give_up(std::span<Send> sends, std::size_t submitted) {
    while (reaped_ < submitted) {
      io_uring_cqe* completion = nullptr;
      if (io_uring_wait_cqe(&ring_, &completion) != 0) break;
      reap(sends);
    }
    close();
    plain_.perform(sends.subspan(submitted));
  }

  void close() {
    if (open_) io_uring_queue_exit(&ring_);
    open_ = false;
  }

  const std::size_t sends_min_;
  io_uring ring_{};
  bool open_ = false;
  std::size_t reaped_ = 0;  // results of the running perform()
  PlainSender plain_;
};

}  // namespace

std::unique_ptr<Sender> make_uring_sender(FlushMode mode) {
  auto sender = std::make_unique<UringSender>(mode == FlushMode::kUring ? 1 : kFewSends);
  errno = sender->open();
  return errno == 0 ? std::move(sender) : nullptr;
}

}  // namespace tidewire::net

#else

namespace tidewire::net {

std::unique_ptr<Sender> make_uring_sender(FlushMode) {
  errno = ENOSYS;
  return nullptr;
}

}  // namespace tidewire::net

#endif
