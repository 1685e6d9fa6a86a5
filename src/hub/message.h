// hub/message.h - an event before encoding, and Dialect: how one kind of connection wants it encoded.
//
// Encode once per kind of connection: a Message caches one frame per dialect, and every member of that dialect shares it.
// Lifetime: a Message holds views; it lives for one emit on one stack. OwnedMessage keeps the bytes, for other shards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/frame.h"
#include "base/out_queue.h"
#include "tidewire/arguments.h"

namespace tidewire::hub {

// Which request an acknowledgement answers: a number (Socket.IO), or JSON text as the peer wrote it (plain).
struct AckKey {
  std::uint64_t number = 0;
  std::string text;
};

struct Message;

class Dialect {
 public:
  static constexpr std::size_t kCountMax = 4;
  explicit Dialect(std::uint8_t index) noexcept : index_(index) {}
  virtual ~Dialect() = default;
  // "socketio", "plain": what people call it.
  virtual std::string_view name() const noexcept = 0;
  // Each dialect of a process has its own small number.
  std::uint8_t index() const noexcept { return index_; }
  virtual base::Frame encode_event(const Message& message) const = 0;
  virtual base::Frame encode_ack(std::string_view namespace_name, const AckKey& key, const ArgumentsView& arguments) const = 0;

 private:
  const std::uint8_t index_;
};

struct Message {
  std::string_view namespace_name;
  std::string_view event;
  ArgumentsView arguments;
  std::optional<std::uint64_t> ack_id = {};  // an answer is wanted
  base::Lane lane = base::Lane::kNormal;
  bool is_volatile = false;                  // dropped for whoever cannot take it now
  bool compress = true;
  mutable std::array<base::Frame, Dialect::kCountMax> frames = {};

  const base::Frame& frame_for(const Dialect& dialect) const {
    base::Frame& frame = frames[dialect.index()];
    if (!frame) {
      frame = dialect.encode_event(*this);
      frame.set_compressible(compress);
    }
    return frame;
  }
};

// A message that outlives its stack: crosses shards, immutable.
class OwnedMessage {
 public:
  explicit OwnedMessage(const Message& message)
      : namespace_name_(message.namespace_name), event_(message.event), arguments_(message.arguments.copy()), message_(message) {
    message_.namespace_name = namespace_name_;
    message_.event = event_;
    message_.arguments = arguments_.view();
    for (const base::Frame& frame : message_.frames) {
      if (frame) frame.share();
    }
    charge_.set(arguments_.text().size());
  }
  OwnedMessage(const OwnedMessage&) = delete;
  OwnedMessage& operator=(const OwnedMessage&) = delete;

  // A copy for one shard: frames that exist are shared, missing ones are made there.
  Message view() const { return message_; }

 private:
  const std::string namespace_name_;
  const std::string event_;
  const Arguments arguments_;
  base::Charge charge_;  // it may wait for a shard that is far behind
  Message message_;
};

}  // namespace tidewire::hub
