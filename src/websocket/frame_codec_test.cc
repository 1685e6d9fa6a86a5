#include "websocket/frame_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "websocket/test_frames.h"

namespace tidewire::websocket {
namespace {

using test::ClientFrame;

struct Parsed {
  HeaderResult result;
  FrameHeader header;
  FrameError error = FrameError::kNone;
};

// From a heap buffer of exactly the size, so that an over-read is seen.
Parsed parse(std::string_view bytes, const HeaderRules& rules = {}) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
  Parsed parsed{};
  parsed.result = parse_header({exact.get(), bytes.size()}, rules, parsed.header, parsed.error);
  return parsed;
}

TEST(ParseHeader, NeedsEveryByteOfAHeaderAndNoneOfThePayload) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{125}, std::size_t{126}, std::size_t{65535}, std::size_t{65536}}) {
    const std::string frame = test::binary(std::string(size, 'x'));
    const std::size_t header_bytes = frame.size() - size;
    for (std::size_t cut = 0; cut < header_bytes; ++cut) {
      EXPECT_EQ(parse(frame.substr(0, cut)).result, HeaderResult::kNeedMore) << size << " cut at " << cut;
    }
    const Parsed parsed = parse(frame.substr(0, header_bytes));
    ASSERT_EQ(parsed.result, HeaderResult::kComplete);
    EXPECT_EQ(parsed.header.header_bytes, header_bytes);
    EXPECT_EQ(parsed.header.payload_bytes, size);
    EXPECT_EQ(parsed.header.opcode, Opcode::kBinary);
    EXPECT_TRUE(parsed.header.fin);
    EXPECT_EQ(std::memcmp(&parsed.header.key, test::kMask.data(), 4), 0);
  }
}

TEST(ParseHeader, JudgesEveryFirstByteAloneAlready) {
  for (unsigned first = 0; first < 256; ++first) {
    for (const bool open : {false, true}) {
      for (const bool deflate : {false, true}) {
        const unsigned opcode = first & 15;
        const bool control = opcode >= 8 && opcode <= 10;
        const bool data_fits = open ? opcode == 0 : opcode == 1 || opcode == 2;
        const bool compressed_fits = (first & 0x40) == 0 || (deflate && !open && (opcode == 1 || opcode == 2));
        const bool good = (first & 0x30) == 0 && compressed_fits && (data_fits || (control && (first & 0x80) != 0));
        const char byte = static_cast<char>(first);
        const Parsed parsed = parse({&byte, 1}, {.message_open = open, .deflate = deflate});
        EXPECT_EQ(parsed.result, good ? HeaderResult::kNeedMore : HeaderResult::kError) << first << open << deflate;
        EXPECT_EQ(parsed.error == FrameError::kNone || close_code(parsed.error) == kProtocolError, true);
      }
    }
  }
}

TEST(ParseHeader, NamesTheError) {
  const auto error_of = [](const ClientFrame& frame, const HeaderRules& rules = {}) {
    return parse(test::write(frame), rules).error;
  };
  EXPECT_EQ(error_of({.first = 0xc1}), FrameError::kReservedBit);
  EXPECT_EQ(error_of({.first = 0x83}), FrameError::kReservedOpcode);
  EXPECT_EQ(error_of({.mask = ""}), FrameError::kUnmasked);
  EXPECT_EQ(error_of({.first = 0x09}), FrameError::kFragmentedControl);
  EXPECT_EQ(error_of({.first = 0x89, .payload = std::string(126, 'x')}), FrameError::kLongControl);
  EXPECT_EQ(error_of({.payload = std::string(125, 'x'), .length_bytes = 2}), FrameError::kLengthNotMinimal);
  EXPECT_EQ(error_of({.payload = std::string(65535, 'x'), .length_bytes = 8}), FrameError::kLengthNotMinimal);
  EXPECT_EQ(error_of({.length_bytes = 8, .declared = INT64_MAX}), FrameError::kNone);
  EXPECT_EQ(error_of({.first = 0x80}), FrameError::kUnexpectedContinuation);
  EXPECT_EQ(error_of({.first = 0x81}, {.message_open = true}), FrameError::kInterruptedMessage);
  EXPECT_EQ(parse("\x82\xff\x80" + std::string(11, '\0')).error, FrameError::kLengthSign);
}

TEST(ParseHeader, TakesLongFormsWhenTold) {
  EXPECT_EQ(parse(test::write({.payload = "x", .length_bytes = 8}), {.strict_length = false}).header.payload_bytes, 1u);
  EXPECT_EQ(parse(test::write({.payload = "x", .length_bytes = 2}), {.strict_length = false}).header.payload_bytes, 1u);
}

TEST(Unmask, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  std::uint32_t key;
  std::memcpy(&key, test::kMask.data(), 4);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    for (std::size_t size = 0; size < 70; ++size) {
      std::string bytes(offset + size, 'q');
      std::string expected = bytes;
      for (std::size_t i = 0; i < size; ++i)
        expected[offset + i] = static_cast<char>(expected[offset + i] ^ test::kMask[i % 4]);
      unmask({bytes.data() + offset, size}, key);
      EXPECT_EQ(bytes, expected);
    }
  }
}

TEST(Unmask, GoesOnInPieces) {
  std::uint32_t key;
  std::memcpy(&key, test::kMask.data(), 4);
  std::string whole(41, 'w');
  unmask(whole, key);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    std::string pieces(41, 'w');
    unmask({pieces.data(), cut}, key);
    unmask({pieces.data() + cut, pieces.size() - cut}, rotate_key(key, cut));
    EXPECT_EQ(pieces, whole) << cut;
  }
}

TEST(WriteHeader, UsesTheShortestFormAndReadsBack) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{125}, std::size_t{126}, std::size_t{65535}, std::size_t{65536}, std::size_t{70000}}) {
    char header[kServerHeaderBytesMax];
    const std::size_t header_bytes = write_header(header, Opcode::kText, size % 2 == 0, size);
    EXPECT_EQ(header_bytes, server_header_bytes(size));
    std::string wire = std::string(header, header_bytes) + std::string(size, 'p') + "\x81\x01z";
    std::string_view rest = wire;
    const ServerFrame frame = take_server_frame(rest);
    EXPECT_EQ(frame.opcode, Opcode::kText);
    EXPECT_EQ(frame.compressed, size % 2 == 0);
    EXPECT_EQ(frame.payload, std::string(size, 'p'));
    EXPECT_EQ(take_server_frame(rest).payload, "z");
    EXPECT_TRUE(rest.empty());
  }
}

TEST(Close, KnowsEveryCodeThatMayTravel) {
  for (unsigned code = 0; code < 65536; ++code) {
    const bool allowed = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    CloseStatus status;
    const FrameError error = parse_close({payload, 2}, status);
    ASSERT_EQ(error, allowed ? FrameError::kNone : FrameError::kBadCloseCode) << code;
    ASSERT_EQ(status.code, code);
  }
}

TEST(Close, ReadsReasonsAndRefusesBrokenOnes) {
  CloseStatus status;
  EXPECT_EQ(parse_close("", status), FrameError::kNone);
  EXPECT_EQ(status.code, kNoStatus);
  EXPECT_EQ(parse_close("\x03", status), FrameError::kBadCloseLength);
  EXPECT_EQ(parse_close("\x03\xe8 going", status), FrameError::kNone);
  EXPECT_EQ(status.reason, " going");
  EXPECT_EQ(parse_close("\x03\xe8\xce", status), FrameError::kBadCloseReason);
  EXPECT_EQ(close_code(FrameError::kBadCloseReason), kInvalidPayload);
}

TEST(Close, CutsALongReasonBetweenCharacters) {
  char payload[125];
  EXPECT_EQ(write_close(payload, kNoStatus, "never"), 0u);
  EXPECT_EQ(write_close(payload, kNormal, ""), 2u);
  EXPECT_EQ(write_close(payload, kNormal, std::string(200, 'r')), 125u);
  std::string umlauts;
  while (umlauts.size() < 200) umlauts += "\xc3\xa4";
  const std::size_t size = write_close(payload, kNormal, umlauts);
  EXPECT_EQ(size, 124u);
  CloseStatus status;
  EXPECT_EQ(parse_close({payload, size}, status), FrameError::kNone);
}

}  // namespace
}  // namespace tidewire::websocket
