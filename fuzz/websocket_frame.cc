// Two bytes of settings, then a client's stream: read whole, in pieces and byte by byte it gives the same
// events, whatever it holds; text that comes out is UTF-8 and within the limit.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/utf8.h"
#include "websocket/test_frames.h"

namespace {

using namespace tidewire::websocket;

constexpr std::size_t kMessageBytesMax = 300;

test::Events read(std::string_view stream, std::size_t piece, const Options& options, bool deflate) {
  test::ReaderHarness harness(options, deflate);
  for (std::size_t at = 0; at < stream.size(); at += piece) harness.feed(stream.substr(at, piece));
  return harness.events();
}

void check(const std::string& event) {
  const std::string_view payload = std::string_view(event).substr(event.find(':') + 1);
  if (event.starts_with("text:")) TW_ASSERT(tidewire::base::valid_utf8(payload));
  if (event.starts_with("text:") || event.starts_with("binary:")) TW_ASSERT(payload.size() <= kMessageBytesMax);
  if (event.starts_with("ping:")) TW_ASSERT(payload.size() <= 125);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool deflate = (data[0] & 1) != 0;
  const Options options{.message_bytes_max = kMessageBytesMax, .fragments_max = 20, .strict_length = (data[0] & 2) != 0};
  const std::size_t piece = 1 + data[1] % 64;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const test::Events whole = read(stream, stream.size() + 1, options, deflate);
  for (const std::string& event : whole) check(event);
  TW_ASSERT(read(stream, piece, options, deflate) == whole);
  TW_ASSERT(read(stream, 1, options, deflate) == whole);
  return 0;
}
