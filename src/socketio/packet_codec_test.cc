#include "socketio/packet_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/limits.h"

namespace tidewire::socketio {
namespace {

PacketView parsed(std::string_view text) {
  PacketView packet;
  EXPECT_EQ(parse_packet(text, 10, packet), PacketError::kOk) << text;
  return packet;
}

PacketError refused(std::string_view text, std::uint32_t attachments_max = 10) {
  PacketView packet;
  return parse_packet(text, attachments_max, packet);
}

TEST(PacketCodec, ReadsTheShortestPacketOfEachType) {
  for (char type = '0'; type <= '4'; ++type) {
    const PacketView packet = parsed(std::string(1, type));
    EXPECT_EQ(static_cast<char>('0' + static_cast<int>(packet.type)), type);
    EXPECT_EQ(packet.namespace_name, "/");
    EXPECT_FALSE(packet.has_ack_id);
    EXPECT_TRUE(packet.data.empty());
  }
}

TEST(PacketCodec, ReadsAnEventWithNamespaceAndAckId) {
  const PacketView packet = parsed("2/chat,12[\"q\"]");
  EXPECT_EQ(packet.type, PacketType::kEvent);
  EXPECT_EQ(packet.namespace_name, "/chat");
  EXPECT_TRUE(packet.has_ack_id);
  EXPECT_EQ(packet.ack_id, 12u);
  EXPECT_EQ(packet.data, "[\"q\"]");
}

TEST(PacketCodec, ReadsABinaryEventWithEverything) {
  const PacketView packet = parsed("52-/a,5[\"a\",{\"_placeholder\":true,\"num\":0}]");
  EXPECT_EQ(packet.type, PacketType::kBinaryEvent);
  EXPECT_EQ(packet.attachments, 2u);
  EXPECT_EQ(packet.namespace_name, "/a");
  EXPECT_EQ(packet.ack_id, 5u);
  EXPECT_EQ(packet.data.front(), '[');
}

TEST(PacketCodec, TakesTheNamespaceToItsCommaOrTheEnd) {
  EXPECT_EQ(parsed("0/custom").namespace_name, "/custom");
  EXPECT_EQ(parsed("0/custom,").namespace_name, "/custom");
  EXPECT_EQ(parsed("0/custom?token=1,{\"a\":1}").namespace_name, "/custom");
  EXPECT_EQ(parsed("0/custom?token=1,{\"a\":1}").data, "{\"a\":1}");
}

TEST(PacketCodec, BoundsTheNamespaceName) {
  const std::string longest = "0/" + std::string(base::limits::kNamespaceNameBytesMax - 1, 'n');
  EXPECT_EQ(refused(longest), PacketError::kOk);
  EXPECT_EQ(refused(longest + "n"), PacketError::kNamespaceTooLong);
  EXPECT_EQ(refused("0/" + std::string(100'000, 'n') + ","), PacketError::kNamespaceTooLong);
}

TEST(PacketCodec, AcceptsAckIdsUpToTheSafeIntegersOfJavaScript) {
  EXPECT_EQ(parsed("29007199254740991[\"a\"]").ack_id, base::limits::kAckIdMax);
  EXPECT_EQ(refused("29007199254740992[\"a\"]"), PacketError::kBadAckId);
  EXPECT_EQ(refused("2" + std::string(400, '9') + "[\"a\"]"), PacketError::kBadAckId);
  EXPECT_EQ(parsed("20[\"a\"]").ack_id, 0u);
  EXPECT_TRUE(parsed("20[\"a\"]").has_ack_id);
}

TEST(PacketCodec, LeavesWhatIsNoDigitToTheJson) {
  EXPECT_EQ(parsed("2-1[\"a\"]").data, "-1[\"a\"]");
  EXPECT_EQ(parsed("2 [\"a\"]").data, " [\"a\"]");
  EXPECT_FALSE(parsed("2 [\"a\"]").has_ack_id);
}

TEST(PacketCodec, RefusesUnknownTypes) {
  EXPECT_EQ(refused(""), PacketError::kEmpty);
  for (const char* text : {"7", "9", "x", "-", "/", " 2", "a2[]"}) EXPECT_EQ(refused(text), PacketError::kUnknownType) << text;
}

TEST(PacketCodec, RefusesAttachmentCountsThatAreNotPlainDigits) {
  for (const char* text : {"5", "5-", "50-[\"a\"]", "501-[\"a\"]", "51", "51[\"a\"]", "5-1-[\"a\"]", "51e0-[\"a\"]", "50x1-[\"a\"]",
                           "51.0-[\"a\"]", "5 1-[\"a\"]", "6", "60-[]"}) {
    EXPECT_EQ(refused(text), PacketError::kBadAttachmentCount) << text;
  }
}

TEST(PacketCodec, BoundsTheAttachmentCountBeforeAnythingElse) {
  EXPECT_EQ(refused("510-[\"a\"]"), PacketError::kOk);
  EXPECT_EQ(refused("511-[\"a\"]"), PacketError::kTooManyAttachments);
  EXPECT_EQ(refused("55999999999-[\"a\"]"), PacketError::kTooManyAttachments);
  EXPECT_EQ(refused("51832742252-[\"a\"]"), PacketError::kTooManyAttachments);
  EXPECT_EQ(refused("5" + std::string(1'000'000, '9') + "-"), PacketError::kTooManyAttachments);
}

TEST(PacketCodec, ReadsEveryTruncationOfAPacketWithoutReachingBeyondIt) {
  const std::string whole = "52-/name?x,123[\"a\",{\"_placeholder\":true,\"num\":0}]";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    PacketView packet;
    const PacketError error = parse_packet({exact.data(), exact.size()}, 10, packet);
    if (length >= 3) {
      EXPECT_EQ(error, PacketError::kOk) << length;
    } else {
      EXPECT_NE(error, PacketError::kOk) << length;
    }
  }
}

TEST(PacketCodec, KnowsTheReservedNames) {
  for (const char* name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
    EXPECT_TRUE(is_reserved_event(name)) << name;
  }
  for (const char* name : {"", "error", "message", "connection", "Connect", "__proto__", "toString"}) {
    EXPECT_FALSE(is_reserved_event(name)) << name;
  }
}

}  // namespace
}  // namespace tidewire::socketio
