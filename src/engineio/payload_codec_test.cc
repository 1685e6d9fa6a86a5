#include "engineio/payload_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engineio/packet_codec.h"

namespace tidewire::engineio {
namespace {

constexpr std::size_t kManyPackets = 10'000;

PayloadError check(std::string_view payload, std::size_t packets_max = kManyPackets) {
  return check_payload(payload, packets_max);
}

std::vector<std::string> packets_of(std::string payload) {
  std::vector<std::string> packets;
  for (PayloadReader reader(payload); reader.more();) {
    const std::span<char> packet = reader.next();
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

TEST(PacketCodec, ATypeIsADigitFromZeroToSixOrTheLetterB) {
  for (int byte = 0; byte < 256; ++byte) {
    const char text[] = {static_cast<char>(byte), 'x'};
    const PacketType type = packet_type({text, 2});
    if (byte >= '0' && byte <= '6') {
      EXPECT_EQ(type, static_cast<PacketType>(byte - '0'));
    } else {
      EXPECT_EQ(type, byte == 'b' ? PacketType::kBase64 : PacketType::kInvalid) << byte;
    }
  }
  EXPECT_EQ(packet_type(""), PacketType::kInvalid);
}

TEST(PayloadCodec, PacketsComeOutInOrder) {
  EXPECT_EQ(packets_of("4hello\x1e" "3\x1e" "bAQID"), (std::vector<std::string>{"4hello", "3", "bAQID"}));
  EXPECT_EQ(packets_of("4"), std::vector<std::string>{"4"});
  EXPECT_EQ(packets_of(""), std::vector<std::string>{""});
  EXPECT_EQ(packets_of("\x1e"), (std::vector<std::string>{"", ""}));
}

struct Case {
  const char* name;
  std::string payload;
  PayloadError error;
};

TEST(PayloadCodec, JudgesAWholePayload) {
  const Case cases[] = {
      {"a message", "4hello", PayloadError::kNone},
      {"an empty message", "4", PayloadError::kNone},
      {"an empty binary message", "b", PayloadError::kNone},
      {"a pong, a noop, a close", "3\x1e" "6\x1e" "1", PayloadError::kNone},
      {"a message beyond the basic plane", "4\xf0\x9f\x98\x80", PayloadError::kNone},
      {"E20 empty body", "", PayloadError::kEmptyPacket},
      {"E21 unknown type", "9abc", PayloadError::kUnknownType},
      {"E22 a ping from the client", "2", PayloadError::kWrongType},
      {"E23 only separators", "\x1e\x1e\x1e", PayloadError::kEmptyPacket},
      {"a separator at the end", "4a\x1e", PayloadError::kEmptyPacket},
      {"E24 no base64", "b###", PayloadError::kBadBase64},
      {"E25 an open packet", "0{}", PayloadError::kWrongType},
      {"E27 invalid UTF-8", "4\xff\xfe", PayloadError::kBadUtf8},
      {"E28 upgrade over polling", "5", PayloadError::kWrongType},
      {"one bad packet behind good ones", "4a\x1e" "4b\x1e" "x", PayloadError::kUnknownType},
      {"a character cut off", "4\xf0\x9f\x98", PayloadError::kBadUtf8},
  };
  for (const Case& c : cases) EXPECT_EQ(check(c.payload), c.error) << c.name;
}

TEST(PayloadCodec, TheBoundCountsEveryPacket) {
  EXPECT_EQ(check("6\x1e" "6\x1e" "6", 3), PayloadError::kNone);
  EXPECT_EQ(check("6\x1e" "6\x1e" "6", 2), PayloadError::kTooManyPackets);
  std::string noops;
  for (int i = 0; i < 200'000; ++i) noops += "6\x1e";
  EXPECT_EQ(check(noops), PayloadError::kTooManyPackets);
}

TEST(PayloadCodec, AnyTruncationIsJudgedWithoutReadingPastTheEnd) {
  const std::string payload = "4\xd0\xbf\xd0\xbe\x1e" "bAQIDBA==\x1e" "3\x1e" "4[1,2]";
  for (std::size_t size = 0; size <= payload.size(); ++size) {
    const std::vector<char> exact(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string_view cut(exact.data(), exact.size());
    const PayloadError error = check(cut);
    EXPECT_TRUE(size < payload.size() || error == PayloadError::kNone);
    std::string mutable_cut(cut);
    std::size_t total = 0;
    for (PayloadReader reader(mutable_cut); reader.more();) total += reader.next().size() + 1;
    EXPECT_EQ(total, size + 1);
  }
}

TEST(PayloadCodec, Base64PacketsBecomeBytes) {
  std::string bytes = "left over";
  EXPECT_TRUE(decode_base64_packet("bAQIDBA==", bytes));
  EXPECT_EQ(bytes, std::string("\x01\x02\x03\x04", 4));
  EXPECT_TRUE(decode_base64_packet("b", bytes));
  EXPECT_EQ(bytes, "");
  EXPECT_FALSE(decode_base64_packet("b!", bytes));
}

}  // namespace
}  // namespace tidewire::engineio
