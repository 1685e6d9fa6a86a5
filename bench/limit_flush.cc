#include "limit_flush.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#if TIDEWIRE_HAVE_URING
#include <liburing.h>
#endif

namespace tidewire::bench {
namespace {

constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

void send_plainly(Send& item) {
  const auto taken = ::send(item.descriptor, item.data, item.size, kSendFlags);
  item.taken = taken >= 0 ? static_cast<int>(taken) : -errno;
}

class SendFlusher final : public Flusher {
 public:
  const char* name() const override { return "send"; }
  void add(int) override {}
  void remove(int) override {}
  void flush(std::span<Send> sends) override {
    for (Send& item : sends) send_plainly(item);
  }
};

#if TIDEWIRE_HAVE_URING

constexpr unsigned kSendsPerSubmission = 512;

class UringFlusher final : public Flusher {
 public:
  explicit UringFlusher(const io_uring& ring) : ring_(ring) {}
  ~UringFlusher() override { io_uring_queue_exit(&ring_); }

  const char* name() const override { return "uring"; }
  // The slot of a registered file is its descriptor: no table of ours in between.
  void add(int descriptor) override {
    io_uring_register_files_update(&ring_, static_cast<unsigned>(descriptor), &descriptor, 1);
  }
  void remove(int descriptor) override {
    int none = -1;  // without this the kernel keeps the socket open
    io_uring_register_files_update(&ring_, static_cast<unsigned>(descriptor), &none, 1);
  }

  void flush(std::span<Send> sends) override {
    if (sends.size() == 1) return send_plainly(sends[0]);  // one system call either way, and the shorter one
    while (!sends.empty()) {
      const auto batch = sends.first(std::min<std::size_t>(sends.size(), kSendsPerSubmission));
      submit(batch);
      sends = sends.subspan(batch.size());
    }
  }

 private:
  void submit(std::span<Send> batch) {
    for (Send& item : batch) {
      io_uring_sqe* entry = io_uring_get_sqe(&ring_);
      io_uring_prep_send(entry, item.descriptor, item.data, item.size, kSendFlags);
      entry->flags |= IOSQE_FIXED_FILE;
      io_uring_sqe_set_data(entry, &item);
    }
    io_uring_submit(&ring_);
    for (std::size_t reaped = 0; reaped < batch.size();) {
      io_uring_cqe* completion = nullptr;
      if (io_uring_peek_cqe(&ring_, &completion) != 0 && io_uring_wait_cqe(&ring_, &completion) != 0) continue;
      unsigned head = 0;
      unsigned seen = 0;
      io_uring_for_each_cqe(&ring_, head, completion) {
        static_cast<Send*>(io_uring_cqe_get_data(completion))->taken = completion->res;
        ++seen;
      }
      io_uring_cq_advance(&ring_, seen);
      reaped += seen;
    }
  }

  io_uring ring_;
};

#endif

}  // namespace

std::unique_ptr<Flusher> make_send_flusher() { return std::make_unique<SendFlusher>(); }

#if TIDEWIRE_HAVE_URING
std::unique_ptr<Flusher> make_uring_flusher(unsigned descriptors_max) {
  io_uring ring;
  if (io_uring_queue_init(kSendsPerSubmission, &ring, IORING_SETUP_SUBMIT_ALL) != 0) return nullptr;
  if (io_uring_register_files_sparse(&ring, descriptors_max) != 0) {
    io_uring_queue_exit(&ring);
    return nullptr;
  }
  return std::make_unique<UringFlusher>(ring);
}
#else
std::unique_ptr<Flusher> make_uring_flusher(unsigned) { return nullptr; }
#endif

}  // namespace tidewire::bench
