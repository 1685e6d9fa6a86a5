// net/flush.h - the one way out: at the end of the turn, all frames of a connection in one send, all connections together.
//
//   dirty list --prepare--> [Send, Send, ...] --Sender::perform--> results --settle--> out-queues --report--> Owner
//
// prepare   one frame: sent from where it lies. Several small ones: joined in the scratch buffer. More: an iovec list.
//           TLS: joined, encrypted into the scratch buffer; what the kernel leaves of it the Tls keeps.
// perform   the only step that differs: a system call each (PlainSender) or io_uring (uring_flush.h).
// settle    takes what has left off all queues of the batch first; only then
// report    tells the owner, whose handlers may push new frames: a push between gather() and consume() would let bytes of
//           the wrong frame be taken off.
//
// Lifetime: frames and scratch bytes are used within perform() only; no send is in flight when it returns.
// Threads: one per reactor. Memory: the scratch buffer is the reactor's receive buffer, which is idle at the end of a turn.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/reactor.h"

namespace tidewire::net {

// One send of one connection: `message` when it is a list, else `data`.
struct Send {
  Connection* connection;
  const char* data;
  std::size_t size;
  msghdr* message;
  int descriptor;
  int result;  // bytes taken, or the negative errno
};

class Sender {
 public:
  virtual ~Sender() = default;
  // Fills in the results. Never blocks, never raises SIGPIPE.
  virtual void perform(std::span<Send> sends) = 0;
  virtual std::string_view name() const = 0;
  // How many sends it takes at once.
  virtual std::size_t batch_max() const = 0;
};

class PlainSender final : public Sender {
 public:
  void perform(std::span<Send> sends) override;
  std::string_view name() const override { return "send"; }
  std::size_t batch_max() const override { return 64; }
};

class Flush {
 public:
  // Who hears what became of a connection's bytes. Calls may do anything to any connection.
  class Owner {
   public:
    // Nothing is left to send.
    virtual void flushed(Connection& connection) = 0;
    // The kernel did not take everything; `progress` when it took some.
    virtual void fell_short(Connection& connection, bool progress) = 0;
    virtual void send_failed(Connection& connection, CloseCause cause) = 0;

   protected:
    ~Owner() = default;
  };

  // `scratch` and `owner` must outlive it.
  Flush(std::unique_ptr<Sender> sender, std::span<char> scratch, Owner& owner);

  // Flushes the list at `dirty_head`, and what the owner's handlers add to it, up to a bound: what is left then stays on the
  // list for the next turn.
  void run(Connection*& dirty_head, ReactorStatistics& statistics);
  std::string_view sender_name() const { return sender_->name(); }

 private:
  enum class Prepared { kSend, kNothing, kFailed, kNoRoom };

  // Takes connections off the list until the batch is full; returns the rest of the list.
  Connection* fill_batch(Connection* head);
  Prepared prepare(Connection& connection, Send& send);
  Prepared prepare_many(Connection& connection, Send& send);
  Prepared prepare_sealed(Connection& connection, Send& send);
  void settle(const Send& send) const;
  void report(const Send& send);
  // Of a closing TLS stream our close_notify is the last that is left.
  static bool nothing_left(Connection& connection);
  // Empty when the batch has used it up. Aligned for anything.
  std::span<char> take_scratch(std::size_t bytes);

  const std::unique_ptr<Sender> sender_;
  const std::span<char> scratch_;
  Owner& owner_;
  std::size_t scratch_used_ = 0;
  std::vector<Send> sends_;            // the batch
  std::vector<Connection*> quiet_;     // of the batch, those with nothing to send (a FIN may be due)
  std::vector<Connection*> unsealed_;  // of the batch, those whose encryption failed
};

}  // namespace tidewire::net
