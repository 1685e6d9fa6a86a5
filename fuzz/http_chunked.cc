// Any bytes as a chunked body: the same body, outcome and length however they are cut; never more than the limit.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "http/chunked_decoder.h"

namespace {

using tidewire::http::ChunkedDecoder;

struct Decoded {
  ChunkedDecoder::Outcome outcome = ChunkedDecoder::Outcome::kNeedMore;
  std::size_t bytes = 0;
  std::string body;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view text, std::size_t first, std::size_t piece, std::size_t limit) {
  ChunkedDecoder decoder;
  Decoded result;
  for (std::size_t next = first; result.outcome == ChunkedDecoder::Outcome::kNeedMore && result.bytes < text.size();
       next = piece) {
    const ChunkedDecoder::Step step = decoder.feed(text.substr(result.bytes, next), result.body, limit);
    result.outcome = step.outcome;
    result.bytes += step.bytes;
    TW_ASSERT(result.body.size() <= limit);
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t limit : {std::size_t{16}, std::size_t{1} << 20}) {
    const Decoded whole = decode(text, size, size, limit);
    TW_ASSERT(whole.bytes <= size);
    TW_ASSERT(decode(text, 1, 1, limit) == whole);
    if (size > 1) TW_ASSERT(decode(text, 1 + data[0] % (size - 1), size, limit) == whole);
  }
  return 0;
}
