#include "websocket/message_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "base/budget.h"
#include "base/limits.h"
#include "base/utf8.h"

namespace tidewire::websocket {

namespace limits = base::limits;

// What has arrived of a message or of a frame's head. A control frame counts as head as a whole: it is small, and may stand
// between the frames of a message.
struct MessageReader::Partial {
  static constexpr std::size_t kStashBytes = 6 + limits::kControlPayloadBytesMax;
  static_assert(kStashBytes >= limits::kFrameHeaderBytesMax);

  // The data frame that is arriving.
  std::uint64_t frame_bytes_left = 0;
  std::uint32_t key = 0;
  bool fin = false;

  // Its message.
  bool open = false;
  bool text = false;
  bool compressed = false;
  bool timed = false;
  std::uint32_t fragments = 0;
  base::Utf8Validator utf8;
  std::string bytes;
  base::Charge charge;  // of them

  // The head of a frame, incomplete.
  std::uint8_t stashed = 0;
  std::array<char, kStashBytes> stash;
};

void MessageReader::PartialDeleter::operator()(Partial* partial) const noexcept { delete partial; }

void MessageReader::Event::release() noexcept {
  holds.reset();
  if (std::exchange(inflated, false)) Inflater::trim();
}

void MessageReader::drop() noexcept { partial_.reset(); }

bool MessageReader::take_fresh_partial() noexcept {
  if (partial_ == nullptr || partial_->timed) return false;
  return partial_->timed = true;
}

MessageReader::Partial& MessageReader::need_partial() {
  if (partial_ == nullptr) partial_.reset(new Partial);
  return *partial_;
}

bool MessageReader::fail(FrameError error, Event& event) noexcept {
  event.kind = Kind::kError;
  event.error = error;
  event.payload = {};
  return true;
}

// Deflate may grow what does not shrink: by 5 bytes per stored block, and blocks may be small.
std::uint64_t MessageReader::wire_bytes_max(bool compressed) const noexcept {
  const std::uint64_t bytes_max = options_->message_bytes_max;
  return compressed ? bytes_max + bytes_max / 16 + 64 : bytes_max;
}

bool MessageReader::next(std::span<char>& bytes, Event& event) {
  event.release();
  while (!bytes.empty()) {
    if (partial_ != nullptr && partial_->frame_bytes_left != 0) {
      if (take_payload(bytes, event)) return true;
      continue;
    }
    std::size_t stashed = 0;
    const std::span<char> frame = head(bytes, stashed);
    const HeaderRules rules{.message_open = partial_ != nullptr && partial_->open,
                            .deflate = deflate_.enabled,
                            .strict_length = options_->strict_length};
    FrameHeader header;
    FrameError error = FrameError::kNone;
    const HeaderResult result = parse_header(frame, rules, header, error);
    if (result == HeaderResult::kError) return fail(error, event);
    const std::size_t head_bytes = header.header_bytes + (is_control(header.opcode) ? header.payload_bytes : 0);
    if (result == HeaderResult::kNeedMore || frame.size() < head_bytes) {
      stash(bytes);
      return false;
    }
    if (partial_ != nullptr) partial_->stashed = 0;
    bytes = bytes.subspan(head_bytes - stashed);
    const bool complete = is_control(header.opcode)
                              ? take_control(header, frame.subspan(header.header_bytes, header.payload_bytes), event)
                              : take_data(header, bytes, event);
    if (complete) return true;
  }
  return false;
}

// The beginning of the next frame: in `bytes`, or in the stash behind what waits there, filled up from `bytes`.
std::span<char> MessageReader::head(std::span<char> bytes, std::size_t& stashed) {
  if (partial_ == nullptr || partial_->stashed == 0) return bytes;
  stashed = partial_->stashed;
  const std::size_t count = std::min(bytes.size(), Partial::kStashBytes - stashed);
  std::memcpy(partial_->stash.data() + stashed, bytes.data(), count);
  return {partial_->stash.data(), stashed + count};
}

// Keeps all of `bytes`: a head that needs more fits with room to spare, since it is shorter than the stash.
void MessageReader::stash(std::span<char>& bytes) {
  Partial& partial = need_partial();
  std::memcpy(partial.stash.data() + partial.stashed, bytes.data(), bytes.size());
  partial.stashed = static_cast<std::uint8_t>(partial.stashed + bytes.size());
  bytes = {};
}

bool MessageReader::take_control(const FrameHeader& header, std::span<char> payload, Event& event) noexcept {
  unmask(payload, header.key);
  event.kind = header.opcode == Opcode::kPing ? Kind::kPing : header.opcode == Opcode::kPong ? Kind::kPong : Kind::kClose;
  event.payload = payload;
  // A stash that served this frame alone has done its work.
  if (partial_ != nullptr && !partial_->open) event.holds = std::move(partial_);
  return true;
}

bool MessageReader::take_data(const FrameHeader& header, std::span<char>& bytes, Event& event) {
  const bool first = header.opcode != Opcode::kContinuation;
  const bool compressed = first ? header.compressed : partial_->compressed;
  const std::uint64_t collected = first ? 0 : partial_->bytes.size();
  if (header.payload_bytes > wire_bytes_max(compressed) - collected) return fail(FrameError::kTooBig, event);

  if (first && header.fin && header.payload_bytes <= bytes.size()) {
    partial_.reset();  // at most the stash of this header
    const std::span<char> payload = bytes.first(header.payload_bytes);
    bytes = bytes.subspan(header.payload_bytes);
    unmask(payload, header.key);
    const bool text = header.opcode == Opcode::kText;
    return compressed ? finish_compressed(text, payload, event) : finish_plain(text, payload, event);
  }
  Partial& partial = need_partial();
  if (first) {
    partial.open = true;
    partial.text = header.opcode == Opcode::kText;
    partial.compressed = compressed;
  }
  if (++partial.fragments > options_->fragments_max) return fail(FrameError::kTooManyFragments, event);
  partial.frame_bytes_left = header.payload_bytes;
  partial.key = header.key;
  partial.fin = header.fin;
  return take_payload(bytes, event);
}

bool MessageReader::take_payload(std::span<char>& bytes, Event& event) {
  Partial& partial = *partial_;
  const std::size_t count = std::min<std::uint64_t>(partial.frame_bytes_left, bytes.size());
  const std::span<char> chunk = bytes.first(count);
  bytes = bytes.subspan(count);
  unmask(chunk, partial.key);
  partial.key = rotate_key(partial.key, count);
  partial.frame_bytes_left -= count;
  const bool plain_text = partial.text && !partial.compressed;
  if (plain_text && !partial.utf8.feed({chunk.data(), chunk.size()})) return fail(FrameError::kBadUtf8, event);
  partial.bytes.append(chunk.data(), chunk.size());
  partial.charge.set(partial.bytes.capacity());
  if (partial.frame_bytes_left != 0 || !partial.fin) return false;

  event.holds = std::move(partial_);
  const std::span<char> message(partial.bytes);
  if (partial.compressed) return finish_compressed(partial.text, message, event);
  if (plain_text && !partial.utf8.complete()) return fail(FrameError::kBadUtf8, event);
  return deliver(partial.text, message, event);
}

bool MessageReader::finish_plain(bool text, std::span<char> message, Event& event) noexcept {
  if (text && !base::valid_utf8({message.data(), message.size()})) return fail(FrameError::kBadUtf8, event);
  return deliver(text, message, event);
}

bool MessageReader::deliver(bool text, std::span<char> message, Event& event) noexcept {
  event.kind = text ? Kind::kText : Kind::kBinary;
  event.payload = message;
  return true;
}

bool MessageReader::finish_compressed(bool text, std::span<char> message, Event& event) {
  if (deflate_.client_context_takeover && inflater_ == nullptr) {
    inflater_ = std::make_unique<Inflater>(deflate_.client_window_bits, true);
  }
  Inflater& inflater = inflater_ != nullptr ? *inflater_ : Inflater::shared();
  std::span<char> inflated;
  switch (inflater.inflate({message.data(), message.size()}, options_->message_bytes_max, inflated)) {
    case Inflater::Result::kOk:
      event.inflated = true;
      return finish_plain(text, inflated, event);
    case Inflater::Result::kTooBig:
      return fail(FrameError::kTooBig, event);
    case Inflater::Result::kBad:
      return fail(FrameError::kBadDeflate, event);
    case Inflater::Result::kNoMemory:
      break;
  }
  return fail(FrameError::kNoMemory, event);
}

}  // namespace tidewire::websocket
