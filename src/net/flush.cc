#include "net/flush.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"
#include "net/tls.h"

namespace tidewire::net {
namespace {

constexpr std::size_t kPartsMax = 256;              // frames looked at for one send
constexpr std::size_t kJoinBytesMax = 16 * 1024;    // copied rather than listed: a copy of 16 KB is cheaper than 256 iovecs
constexpr std::size_t kSealBytesMax = 4 * Tls::kRecordBytes;
constexpr std::size_t kSendBytesMax = std::size_t{1} << 30;  // a result is an int
constexpr int kPassesMax = 16;                      // over the dirty list in one turn

// Copies the first `size` bytes of the parts to `to`.
void join(std::span<const iovec> parts, char* to, std::size_t size) {
  for (const iovec& part : parts) {
    const std::size_t count = std::min(part.iov_len, size);
    std::memcpy(to, part.iov_base, count);
    to += count;
    size -= count;
  }
}

std::size_t total_bytes(std::span<const iovec> parts) {
  std::size_t total = 0;
  for (const iovec& part : parts) total += part.iov_len;
  return total;
}

}  // namespace

void PlainSender::perform(std::span<Send> sends) {
  for (Send& send : sends) {
    ssize_t taken;
    do {
      taken = send.message == nullptr ? ::send(send.descriptor, send.data, send.size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                      : ::sendmsg(send.descriptor, send.message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (taken < 0 && errno == EINTR);
    send.result = taken < 0 ? -errno : static_cast<int>(taken);
  }
}

Flush::Flush(std::unique_ptr<Sender> sender, std::span<char> scratch, Owner& owner)
    : sender_(std::move(sender)), scratch_(scratch), owner_(owner) {
  sends_.reserve(sender_->batch_max());
}

void Flush::run(Connection*& dirty_head, ReactorStatistics& statistics) {
  for (int pass = 0; dirty_head != nullptr && pass < kPassesMax; ++pass) {
    Connection* head = std::exchange(dirty_head, nullptr);
    while (head != nullptr) {
      head = fill_batch(head);
      if (!sends_.empty()) sender_->perform(sends_);
      for (const Send& send : sends_) {
        settle(send);
        if (send.result > 0) statistics.bytes_out += static_cast<std::uint64_t>(send.result);
      }
      statistics.sends += sends_.size();
      for (const Send& send : sends_) report(send);
      for (Connection* connection : quiet_) {
        if (!connection->closed_) owner_.flushed(*connection);
      }
      for (Connection* connection : unsealed_) {
        if (!connection->closed_) owner_.send_failed(*connection, CloseCause::kTls);
      }
    }
  }
}

Connection* Flush::fill_batch(Connection* head) {
  sends_.clear();
  quiet_.clear();
  unsealed_.clear();
  scratch_used_ = 0;
  while (head != nullptr && sends_.size() < sender_->batch_max()) {
    Connection& connection = *head;
    if (!connection.closed_) {
      Send send{&connection, nullptr, 0, nullptr, connection.descriptor_, 0};
      const Prepared prepared = prepare(connection, send);
      if (prepared == Prepared::kNoRoom) return head;
      if (prepared == Prepared::kSend) sends_.push_back(send);
      if (prepared == Prepared::kNothing) quiet_.push_back(&connection);
      if (prepared == Prepared::kFailed) unsealed_.push_back(&connection);
    }
    head = std::exchange(connection.next_dirty_, nullptr);
    connection.dirty_ = false;
  }
  return head;
}

Flush::Prepared Flush::prepare(Connection& connection, Send& send) {
  if (connection.tls_ != nullptr) return prepare_sealed(connection, send);
  const std::string_view only = connection.out_.only_frame();
  if (only.empty()) return connection.out_.empty() ? Prepared::kNothing : prepare_many(connection, send);
  send.data = only.data();
  send.size = std::min(only.size(), kSendBytesMax);
  return Prepared::kSend;
}

Flush::Prepared Flush::prepare_many(Connection& connection, Send& send) {
  std::array<iovec, kPartsMax> buffer;
  const std::span<iovec> parts(buffer.data(), connection.out_.gather(buffer));
  send.size = total_bytes(parts);
  if (send.size <= kJoinBytesMax) {
    const std::span<char> joined = take_scratch(send.size);
    if (joined.empty()) return Prepared::kNoRoom;
    join(parts, joined.data(), send.size);
    send.data = joined.data();
    return Prepared::kSend;
  }
  // The list must live until the kernel has seen it, which for a batch is later than this function.
  const std::span<char> room = take_scratch(sizeof(msghdr) + parts.size_bytes());
  if (room.empty()) return Prepared::kNoRoom;
  auto* list = reinterpret_cast<iovec*>(room.data() + sizeof(msghdr));
  std::memcpy(list, parts.data(), parts.size_bytes());
  send.message = new (room.data()) msghdr{};
  send.message->msg_iov = list;
  send.message->msg_iovlen = parts.size();
  return Prepared::kSend;
}

Flush::Prepared Flush::prepare_sealed(Connection& connection, Send& send) {
  Tls& tls = *connection.tls_;
  if (nothing_left(connection)) return Prepared::kNothing;
  if (tls.unsent().empty()) {
    // Frames of a stream that closes before its handshake is done can never leave.
    if (!tls.handshake_done()) return connection.closing_ ? Prepared::kFailed : Prepared::kNothing;
    std::array<iovec, kPartsMax> buffer;
    const std::span<iovec> parts(buffer.data(), connection.out_.gather(buffer));
    const std::size_t size = std::min(total_bytes(parts), kSealBytesMax);
    const std::span<char> room = take_scratch(size + Tls::sealed_bytes_max(size));
    if (room.empty()) return Prepared::kNoRoom;
    join(parts, room.data(), size);
    const std::span<char> sealed = room.subspan(size);
    send.data = sealed.data();
    send.size = tls.seal({room.data(), size}, sealed);
    if (send.size == 0) return Prepared::kFailed;
    // Encrypted is gone: the record numbers allow no other order.
    connection.out_.consume(size);
    return Prepared::kSend;
  }
  send.data = tls.unsent().data();
  send.size = std::min(tls.unsent().size(), kSendBytesMax);
  return Prepared::kSend;
}

void Flush::settle(const Send& send) const {
  const std::size_t taken = send.result > 0 ? static_cast<std::size_t>(send.result) : 0;
  if (send.connection->tls_ == nullptr) {
    send.connection->out_.consume(taken);
    return;
  }
  Tls& tls = *send.connection->tls_;
  if (!tls.unsent().empty()) {
    tls.consume_unsent(taken);
  } else if (taken < send.size) {
    tls.keep_unsent({send.data + taken, send.size - taken});
  }
}

void Flush::report(const Send& send) {
  Connection& connection = *send.connection;
  if (connection.closed_) return;
  if (send.result < 0 && send.result != -EAGAIN && send.result != -ENOBUFS && send.result != -ENOMEM) {
    owner_.send_failed(connection, CloseCause::kPeerReset);
  } else if (send.result < static_cast<int>(send.size)) {
    owner_.fell_short(connection, send.result > 0);
  } else if (nothing_left(connection)) {
    owner_.flushed(connection);
  } else {
    connection.enlist();
  }
}

bool Flush::nothing_left(Connection& connection) {
  if (!connection.out_.empty()) return false;
  if (connection.tls_ == nullptr) return true;
  if (connection.closing_) connection.tls_->finish();
  return connection.tls_->unsent().empty();
}

std::span<char> Flush::take_scratch(std::size_t bytes) {
  const std::size_t begin = (scratch_used_ + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
  if (begin + bytes > scratch_.size()) {
    TW_ASSERT(scratch_used_ > 0);  // an empty scratch buffer has room for any one send
    return {};
  }
  scratch_used_ = begin + bytes;
  return scratch_.subspan(begin, bytes);
}

}  // namespace tidewire::net
