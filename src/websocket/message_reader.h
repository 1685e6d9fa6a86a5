// websocket/message_reader.h - bytes of a stream to messages: fragments joined, text checked, deflate undone.
//
//   next(bytes) --> whole frame in `bytes`:  unmasked in place, handed up as a view
//               --> anything less:           collected in a Partial, which exists only until its message is complete
//
// Pure: no sockets, no clock. Fails at the first byte that is wrong, also in the middle of a text.
// Bounds: a message by options.message_bytes_max and fragments_max; memory grows with what has arrived, never with what a
//   header declares. Time is the owner's business: see Partial::timed.
// Why pulled and not with callbacks: between two events the owner may have closed, so it decides whether to go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "websocket/deflate.h"
#include "websocket/extension.h"
#include "websocket/frame_codec.h"
#include "websocket/options.h"

namespace tidewire::websocket {

class MessageReader {
 public:
  enum class Kind : std::uint8_t { kText, kBinary, kPing, kPong, kClose, kError };
  struct Partial;
  struct PartialDeleter {
    void operator()(Partial* partial) const noexcept;
  };
  using PartialPointer = std::unique_ptr<Partial, PartialDeleter>;

  struct Event {
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { release(); }
    // The payload is not needed any more.
    void release() noexcept;

    Kind kind = Kind::kError;
    FrameError error = FrameError::kNone;  // kError only; the reader must not be used again
    std::span<char> payload;  // dies with `bytes`, with the event, or at the next inflated message of the thread
    PartialPointer holds;                  // keeps a collected payload alive
    bool inflated = false;                 // the payload lies in the thread's buffer
  };

  // `options` must outlive the reader.
  explicit MessageReader(const Options& options) noexcept : options_(&options) {}
  void set_options(const Options& options) noexcept { options_ = &options; }
  // REQUIRES: nothing was read yet.
  void set_deflate(const DeflateParameters& agreed) noexcept { deflate_ = agreed; }

  // Takes the next event off the front of `bytes`; false when all of them are used up.
  [[nodiscard]] bool next(std::span<char>& bytes, Event& event);

  // A message or frame has begun and is not complete.
  bool partial() const noexcept { return partial_ != nullptr; }
  // True once per partial message, at the first call: now its time runs.
  bool take_fresh_partial() noexcept;
  // Forgets what was collected.
  void drop() noexcept;

  const Options& options() const noexcept { return *options_; }
  const DeflateParameters& deflate() const noexcept { return deflate_; }

 private:
  std::span<char> head(std::span<char> bytes, std::size_t& stashed);
  void stash(std::span<char>& bytes);
  bool take_control(const FrameHeader& header, std::span<char> payload, Event& event) noexcept;
  bool take_data(const FrameHeader& header, std::span<char>& bytes, Event& event);
  bool take_payload(std::span<char>& bytes, Event& event);
  bool finish_plain(bool text, std::span<char> message, Event& event) noexcept;
  bool finish_compressed(bool text, std::span<char> message, Event& event);
  static bool deliver(bool text, std::span<char> message, Event& event) noexcept;
  Partial& need_partial();
  std::uint64_t wire_bytes_max(bool compressed) const noexcept;
  static bool fail(FrameError error, Event& event) noexcept;

  const Options* options_;
  PartialPointer partial_;
  std::unique_ptr<Inflater> inflater_;  // with context takeover only, from the first compressed message on
  DeflateParameters deflate_;
};

}  // namespace tidewire::websocket
