// Any bytes as a compressed message: inflating them ends, within the limit, with the same outcome from a fresh inflater as
// from one that has seen garbage before. Any bytes as a message: deflated and inflated they come back, at every window.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/assert.h"
#include "websocket/deflate.h"

namespace {

using namespace tidewire::websocket;

constexpr std::size_t kMessageBytesMax = 100'000;

void inflate(std::string_view bytes) {
  Inflater fresh(15, false);
  std::span<char> message;
  const Inflater::Result expected = fresh.inflate(bytes, kMessageBytesMax, message);
  TW_ASSERT(message.size() <= kMessageBytesMax);
  const std::string first(message.data(), message.size());
  const Inflater::Result again = Inflater::shared().inflate(bytes, kMessageBytesMax, message);
  TW_ASSERT(again == expected);
  TW_ASSERT(std::string_view(message.data(), message.size()) == first);
}

void come_back(std::string_view bytes, int window_bits) {
  Deflater deflater(window_bits, 8, 1, true);
  Inflater inflater(window_bits, true);
  // Three messages, so that the later ones look back over the ends of the earlier ones.
  const std::size_t third = bytes.size() / 3;
  for (const std::string_view message : {bytes.substr(0, third), bytes.substr(third), bytes}) {
    const std::unique_ptr<char[]> out(new char[deflater.bytes_max(message.size())]);
    const std::size_t size = deflater.deflate(message, out.get());
    std::span<char> back;
    TW_ASSERT(inflater.inflate({out.get(), size}, message.size(), back) == Inflater::Result::kOk);
    TW_ASSERT(std::string_view(back.data(), back.size()) == message);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  inflate(bytes);
  come_back(bytes, 8 + data[0] % 8);
  return 0;
}
