// websocket/deflate.cc - RFC 7692 7.2: a message is raw deflate up to a sync flush, whose last four bytes do not travel:
//
//   sender    deflate(message, Z_SYNC_FLUSH) = blocks ... 00 00 00 ff ff, the last four are cut off
//   receiver  inflate(payload), then inflate(00 00 ff ff) from a constant of ours: never written behind the payload, where
//             the next frame lies
//
// A sender may also end with a final block (BFINAL) and 00, or nothing; what follows a final block begins a new stream that
// still sees the old window.
#include "websocket/deflate.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <utility>

#include "base/assert.h"
#include "websocket/frame_codec.h"

namespace tidewire::websocket {
namespace {

constexpr char kTail[] = {'\x00', '\x00', '\xff', '\xff'};
constexpr std::size_t kScratchBytesMin = 16 * 1024;
constexpr std::size_t kScratchBytesKept = 256 * 1024;  // a larger one goes when its message is done
constexpr std::size_t kSharedMax = 8;                  // settings in use per thread; more are made anew

// Bytes of the thread that grow and are never initialised. Why not std::string: it clears what it is resized to.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }

  char* data() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }

  // Keeps what is inside. False when there is no memory.
  bool reserve(std::size_t bytes) noexcept {
    if (bytes <= capacity_) return true;
    void* grown = std::realloc(data_, bytes);
    if (grown == nullptr) return false;
    data_ = static_cast<char*>(grown);
    capacity_ = bytes;
    return true;
  }
  void shrink() noexcept {
    if (capacity_ <= kScratchBytesKept) return;
    std::free(std::exchange(data_, nullptr));
    capacity_ = 0;
  }

 private:
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

Scratch& inflate_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

Scratch& deflate_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

Bytef* zlib_bytes(const char* bytes) noexcept { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes)); }

}  // namespace

Inflater::Inflater(int window_bits, bool keep_context) noexcept
    : keep_context_(keep_context), ready_(inflateInit2(&stream_, -window_bits) == Z_OK) {}

Inflater::~Inflater() {
  if (ready_) inflateEnd(&stream_);
}

Inflater& Inflater::shared() {
  thread_local Inflater inflater(15, false);
  return inflater;
}

void Inflater::trim() noexcept { inflate_scratch().shrink(); }

Inflater::Result Inflater::inflate(std::string_view compressed, std::size_t bytes_max, std::span<char>& message) {
  have_ = 0;
  const Result result = inflate_message(compressed, bytes_max);
  if (result != Result::kOk) trim();
  message = result == Result::kOk ? std::span<char>(inflate_scratch().data(), have_) : std::span<char>();
  return result;
}

Inflater::Result Inflater::inflate_message(std::string_view compressed, std::size_t bytes_max) {
  if (!ready_) return Result::kNoMemory;
  // Senders write an empty message as 00; some as nothing at all.
  if (compressed.empty()) return Result::kOk;
  const std::size_t guess = std::clamp(compressed.size() * 4, kScratchBytesMin, kScratchBytesKept);
  if (!inflate_scratch().reserve(guess)) return Result::kNoMemory;
  if (!keep_context_) inflateReset(&stream_);

  Result result = run(compressed, bytes_max);
  if (result != Result::kOk || ended_) return result;
  result = run(std::string_view(kTail, sizeof kTail), bytes_max);
  // 128: zlib stands between two blocks, so the message was whole.
  return result == Result::kOk && (stream_.data_type & 128) == 0 ? Result::kBad : result;
}

Inflater::Result Inflater::run(std::string_view input, std::size_t bytes_max) {
  Scratch& scratch = inflate_scratch();
  stream_.next_in = zlib_bytes(input.data());
  stream_.avail_in = static_cast<uInt>(input.size());
  ended_ = false;
  for (;;) {
    // At most one byte more than allowed, to see that there is more.
    if (have_ == scratch.capacity() && !scratch.reserve(std::min(have_ * 2, bytes_max + 1))) return Result::kNoMemory;
    const std::size_t room = std::min(scratch.capacity(), bytes_max + 1) - have_;
    stream_.next_out = zlib_bytes(scratch.data() + have_);
    stream_.avail_out = static_cast<uInt>(room);
    const int outcome = ::inflate(&stream_, Z_SYNC_FLUSH);
    have_ += room - stream_.avail_out;
    if (have_ > bytes_max) return Result::kTooBig;
    if (outcome == Z_STREAM_END) {
      inflateResetKeep(&stream_);
      ended_ = stream_.avail_in == 0;
      if (ended_) return Result::kOk;
    } else if (outcome == Z_MEM_ERROR) {
      return Result::kNoMemory;
    } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      return Result::kBad;
    } else if (stream_.avail_out != 0) {
      return Result::kOk;  // all input is used
    }
  }
}

// zlib refuses raw streams with an 8-bit window. With 9 bits it looks back at most 512 - 262 = 250 bytes (its MAX_DIST),
// which a peer with a 256-byte window can follow.
Deflater::Deflater(int window_bits, int memory_level, int level, bool keep_context) noexcept
    : keep_context_(keep_context),
      ready_(deflateInit2(&stream_, level, Z_DEFLATED, -std::max(window_bits, 9), memory_level, Z_DEFAULT_STRATEGY) ==
             Z_OK) {}

Deflater::~Deflater() {
  if (ready_) deflateEnd(&stream_);
}

std::size_t Deflater::bytes_max(std::size_t message_bytes) {
  // The bound is for a whole stream; a sync flush in front of it and one behind cost up to 6 bytes each.
  return deflateBound(&stream_, message_bytes) + 16;
}

std::size_t Deflater::deflate(std::string_view message, char* out) {
  // zlib writes nothing for nothing the second time; one empty stored block without its tail is 00 (RFC 7692 7.2.3.6).
  if (message.empty()) {
    *out = '\0';
    return 1;
  }
  if (!keep_context_) deflateReset(&stream_);
  const std::size_t room = bytes_max(message.size());
  stream_.next_in = zlib_bytes(message.data());
  stream_.avail_in = static_cast<uInt>(message.size());
  stream_.next_out = zlib_bytes(out);
  stream_.avail_out = static_cast<uInt>(room);
  const int outcome = ::deflate(&stream_, Z_SYNC_FLUSH);
  TW_ASSERT(outcome == Z_OK);
  TW_ASSERT(stream_.avail_in == 0 && stream_.avail_out != 0);
  const std::size_t written = room - stream_.avail_out;
  TW_ASSERT(written > sizeof kTail && std::memcmp(out + written - sizeof kTail, kTail, sizeof kTail) == 0);
  return written - sizeof kTail;
}

Deflater& Deflater::shared(const DeflateOptions& options, int window_bits) {
  struct Entry {
    Entry(int bits, int memory, int speed)
        : window_bits(bits), memory_level(memory), level(speed), deflater(bits, memory, speed, false) {}
    int window_bits;
    int memory_level;
    int level;
    Deflater deflater;
  };
  thread_local std::list<Entry> entries;
  for (Entry& entry : entries) {
    if (entry.window_bits == window_bits && entry.memory_level == options.memory_level && entry.level == options.level) {
      return entry.deflater;
    }
  }
  if (entries.size() == kSharedMax) entries.pop_front();
  return entries.emplace_back(window_bits, options.memory_level, options.level).deflater;
}

base::Frame deflate_frame(const base::Frame& frame, Deflater& deflater) {
  if (!deflater.ready()) return {};
  Scratch& scratch = deflate_scratch();
  std::size_t size = 0;
  for (std::string_view rest = frame.wire(); !rest.empty();) {
    const ServerFrame message = take_server_frame(rest);
    if (!scratch.reserve(size + kServerHeaderBytesMax + deflater.bytes_max(message.payload.size()))) return {};
    // The payload first, behind the longest header: its size decides the header's.
    char* const at = scratch.data() + size;
    char* const compressed = at + kServerHeaderBytesMax;
    const std::size_t compressed_bytes = deflater.deflate(message.payload, compressed);
    const bool shrunk = deflater.keeps_context() || compressed_bytes < message.payload.size();
    const char* const payload = shrunk ? compressed : message.payload.data();
    const std::size_t payload_bytes = shrunk ? compressed_bytes : message.payload.size();
    const std::size_t header_bytes = write_header(at, message.opcode, shrunk, payload_bytes);
    std::memmove(at + header_bytes, payload, payload_bytes);
    size += header_bytes + payload_bytes;
  }
  base::Frame deflated = base::Frame::copy({scratch.data(), size});
  scratch.shrink();
  deflated.set_packet_count(frame.packet_count());
  return deflated;
}

base::Frame deflated_twin(const base::Frame& frame, const DeflateOptions& options) {
  return frame.twin(base::Frame::kDeflated, [&options](const base::Frame& plain) {
    return deflate_frame(plain, Deflater::shared(options, options.window_bits));
  });
}

}  // namespace tidewire::websocket
