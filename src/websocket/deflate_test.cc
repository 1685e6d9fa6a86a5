#include "websocket/deflate.h"

#include <gtest/gtest.h>

#include <string>

#include "websocket/test_frames.h"

namespace tidewire::websocket {
namespace {

constexpr std::size_t kLimit = 1'000'000;

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

struct Inflated {
  Inflater::Result result;
  std::string message;
};

Inflated inflate(std::string_view compressed, std::size_t limit = kLimit, Inflater& inflater = Inflater::shared()) {
  // A copy of exactly the size: writing the tail behind it would be seen.
  const auto exact = std::make_unique<char[]>(compressed.size());
  if (!compressed.empty()) std::memcpy(exact.get(), compressed.data(), compressed.size());
  std::span<char> message;
  const Inflater::Result result = inflater.inflate({exact.get(), compressed.size()}, limit, message);
  return {result, std::string(message.data(), message.size())};
}

std::string deflate(Deflater& deflater, std::string_view message) {
  std::string out(deflater.bytes_max(message.size()), '\0');
  out.resize(deflater.deflate(message, out.data()));
  return out;
}

TEST(Inflater, ReadsTheExamplesOfTheRfc) {
  using namespace std::string_view_literals;
  EXPECT_EQ(inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"sv).message, "Hello");
  EXPECT_EQ(inflate("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv).message, "Hello");       // a block without compression
  EXPECT_EQ(inflate("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv).message, "Hello");                   // a final block and 00
  EXPECT_EQ(inflate("\xf3\x48\xcd\xc9\xc9\x07\x00"sv).message, "Hello");                       // a final block alone
  EXPECT_EQ(inflate("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv).message, "Hello"); // two blocks
  Inflater inflater(15, true);
  EXPECT_EQ(inflate("\xf2\x48\xcd\xc9\xc9\x07\x00"sv, kLimit, inflater).message, "Hello");
  EXPECT_EQ(inflate("\xf2\x00\x11\x00\x00"sv, kLimit, inflater).message, "Hello");             // refers to the one before
}

TEST(Inflater, KeepsItsWindowOverAFinalBlock) {
  using namespace std::string_view_literals;
  for (const auto first : {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv, "\xf3\x48\xcd\xc9\xc9\x07\x00"sv}) {
    Inflater inflater(15, true);
    EXPECT_EQ(inflate(first, kLimit, inflater).message, "Hello");
    EXPECT_EQ(inflate("\xf2\x00\x11\x00\x00"sv, kLimit, inflater).message, "Hello");
  }
}

TEST(Inflater, TakesEmptyMessagesInAllTheirForms) {
  using namespace std::string_view_literals;
  for (const auto empty : {""sv, "\x00"sv, "\x02\x00"sv, "\x03\x00"sv, "\x01\x00\x00\xff\xff"sv}) {
    const Inflated inflated = inflate(empty);
    EXPECT_EQ(inflated.result, Inflater::Result::kOk);
    EXPECT_EQ(inflated.message, "");
  }
}

TEST(Inflater, RefusesGarbageAndTruncatedDataAndIsFineAfterwards) {
  EXPECT_EQ(inflate("\x07 no deflate at all").result, Inflater::Result::kBad);
  EXPECT_EQ(inflate(std::string(1000, '\xff')).result, Inflater::Result::kBad);
  const std::string message = noise(300) + std::string(300, 'a');
  const std::string compressed = test::deflate(message);
  for (std::size_t size = 1; size < compressed.size(); ++size) {
    const Inflated cut = inflate(compressed.substr(0, size));
    EXPECT_TRUE(cut.result == Inflater::Result::kBad || cut.message != message || size + 1 == compressed.size()) << size;
  }
  EXPECT_EQ(inflate(compressed).message, message);
}

TEST(Inflater, StopsAtTheLimit) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{100}, std::size_t{16'384}, std::size_t{300'000}, kLimit}) {
    EXPECT_EQ(inflate(test::deflate(std::string(limit, 'a')), limit).message.size(), limit);
    EXPECT_EQ(inflate(test::deflate(std::string(limit + 1, 'a')), limit).result, Inflater::Result::kTooBig);
    EXPECT_EQ(inflate(test::deflate(noise(limit)), limit).message.size(), limit);
    EXPECT_EQ(inflate(test::deflate(noise(limit + 1)), limit).result, Inflater::Result::kTooBig);
  }
  EXPECT_EQ(inflate(test::deflate(std::string(100'000'000, '\0'))).result, Inflater::Result::kTooBig);
}

TEST(Inflater, RefusesALookBackBeyondTheAgreedWindow) {
  Deflater wide(15, 8, 6, true);
  Inflater narrow(9, true);
  const std::string message = noise(2'000);
  EXPECT_EQ(inflate(deflate(wide, message), kLimit, narrow).message, message);
  EXPECT_EQ(inflate(deflate(wide, message), kLimit, narrow).result, Inflater::Result::kBad);
}

TEST(Deflater, ComesBackAtEveryWindow) {
  for (int bits = 8; bits <= 15; ++bits) {
    Deflater keeping(bits, 8, 6, true);
    Deflater forgetting(bits, 8, 1, false);
    // Inflated with the very window that was agreed on, 8 included.
    Inflater keeping_peer(bits, true);
    Inflater forgetting_peer(bits, false);
    for (const std::size_t size : {std::size_t{0}, std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{700},
                                   std::size_t{70'000}, std::size_t{0}, std::size_t{3}}) {
      std::string message = noise(size / 2);
      while (message.size() < size) message += message.empty() ? "x" : message.substr(0, size - message.size());
      EXPECT_EQ(inflate(deflate(keeping, message), kLimit, keeping_peer).message, message);
      EXPECT_EQ(inflate(deflate(forgetting, message), kLimit, forgetting_peer).message, message);
    }
  }
}

TEST(Deflater, AContextMakesTheSecondMessageSmaller) {
  Deflater keeping(15, 8, 6, true);
  Deflater forgetting(15, 8, 6, false);
  const std::string message = noise(500);
  static_cast<void>(deflate(keeping, message));
  EXPECT_LT(deflate(keeping, message).size(), 50u);
  static_cast<void>(deflate(forgetting, message));
  EXPECT_GT(deflate(forgetting, message).size(), 450u);
}

base::Frame frame_of(const std::vector<std::string>& messages) {
  std::string wire;
  for (const auto& message : messages) {
    char header[kServerHeaderBytesMax];
    wire.append(header, write_header(header, Opcode::kBinary, false, message.size())).append(message);
  }
  base::Frame frame = base::Frame::copy(wire);
  frame.set_packet_count(static_cast<std::uint16_t>(messages.size()));
  return frame;
}

TEST(DeflateFrame, DeflatesEveryMessageOfAFrameThatShrinks) {
  const std::vector<std::string> messages = {std::string(5'000, 'a'), "", "x", noise(2'000), std::string(70'000, 'b')};
  const base::Frame deflated = deflate_frame(frame_of(messages), Deflater::shared({}, 15));
  EXPECT_EQ(deflated.packet_count(), messages.size());
  EXPECT_LT(deflated.size(), 2'500u);
  std::string_view rest = deflated.wire();
  for (const auto& message : messages) {
    const ServerFrame frame = take_server_frame(rest);
    EXPECT_EQ(frame.opcode, Opcode::kBinary);
    EXPECT_EQ(frame.compressed, message.size() >= 5'000);
    EXPECT_EQ(frame.compressed ? inflate(frame.payload).message : std::string(frame.payload), message);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(DeflateFrame, WithContextEveryMessageIsDeflated) {
  Deflater keeping(15, 8, 1, true);
  Inflater peer(15, true);
  const std::vector<std::string> messages = {noise(2'000), "", "x", noise(2'000)};
  const base::Frame deflated = deflate_frame(frame_of(messages), keeping);
  std::string_view rest = deflated.wire();
  for (const auto& message : messages) {
    const ServerFrame frame = take_server_frame(rest);
    EXPECT_TRUE(frame.compressed);
    EXPECT_EQ(inflate(frame.payload, kLimit, peer).message, message);
  }
}

TEST(DeflateFrame, TheTwinIsMadeOnce) {
  const base::Frame frame = frame_of({std::string(5'000, 'a')});
  const base::Frame twin = deflated_twin(frame, {});
  EXPECT_EQ(deflated_twin(frame, {}), twin);
  EXPECT_LT(twin.size(), 100u);
}

}  // namespace
}  // namespace tidewire::websocket
