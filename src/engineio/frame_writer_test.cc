#include "engineio/frame_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/base64.h"

namespace tidewire::engineio {
namespace {

using namespace std::string_literals;

base::Frame text_frame(std::string_view message, std::size_t hint) {
  FrameWriter writer(hint);
  writer.begin_text();
  writer.append(message);
  writer.end_text();
  return writer.finish();
}

std::string header_of(std::size_t payload_bytes, unsigned char first) {
  std::string header(1, static_cast<char>(first));
  if (payload_bytes < 126) return header + static_cast<char>(payload_bytes);
  const int bytes = payload_bytes < 65536 ? 2 : 8;
  header += static_cast<char>(bytes == 2 ? 126 : 127);
  for (int i = bytes - 1; i >= 0; --i) header += static_cast<char>(payload_bytes >> (8 * i) & 0xff);
  return header;
}

TEST(FrameWriter, WritesTheHeaderRightBeforeTheTextAtEveryLengthForm) {
  for (const std::size_t size : {0u, 1u, 123u, 124u, 125u, 126u, 500u, 65533u, 65534u, 65535u, 65536u, 100'000u}) {
    const std::string message(size, 'x');
    for (const std::size_t hint : {std::size_t{0}, size}) {
      const base::Frame frame = text_frame(message, hint);
      EXPECT_EQ(frame.wire(), header_of(size + 1, 0x81) + "4" + message) << size;
      EXPECT_EQ(frame.packet_count(), 1);
      EXPECT_EQ(text_packet_of(frame), "4" + message);
    }
  }
}

TEST(FrameWriter, AppendsPiecesAndNumbers) {
  FrameWriter writer(8);
  writer.begin_text();
  writer.append('2');
  writer.append_number(18446744073709551615u);
  writer.append("[]");
  writer.append("");
  writer.end_text();
  EXPECT_EQ(text_packet_of(writer.finish()), "4218446744073709551615[]");
}

TEST(FrameWriter, ASmallMessageStaysInItsFirstBlock) {
  FrameWriter writer(100);
  writer.begin_text();
  writer.append(std::string(100, 'y'));
  writer.end_text();
  EXPECT_EQ(writer.finish().capacity(), 128u);
}

TEST(FrameWriter, AttachmentsFollowTheirTextInOneFrame) {
  FrameWriter writer(10);
  writer.begin_text();
  writer.append("52-[]");
  writer.end_text();
  writer.binary(std::string(300, 'a'));
  writer.binary("");
  writer.begin_text();
  writer.append("tail");
  writer.end_text();
  const base::Frame frame = writer.finish();
  EXPECT_EQ(frame.packet_count(), 4);
  EXPECT_EQ(frame.wire(), "\x81\x06" "452-[]"s + header_of(300, 0x82) + std::string(300, 'a') + "\x82\0"s + "\x81\x05" "4tail");
  EXPECT_EQ(text_packet_of(frame), "");
  std::string base64(base::base64_size(300), '\0');
  base::base64_encode(std::string(300, 'a'), base64.data());
  EXPECT_EQ(make_polling_twin(frame).wire(), "452-[]\x1e" "b" + base64 + "\x1e" "b\x1e" "4tail");
}

TEST(FrameWriter, ABinaryMessageAloneHasNoTextPacket) {
  FrameWriter writer(3);
  writer.binary("\x01\x02\x03");
  const base::Frame frame = writer.finish();
  EXPECT_EQ(frame.wire(), "\x82\x03\x01\x02\x03");
  EXPECT_EQ(text_packet_of(frame), "");
  EXPECT_EQ(make_polling_twin(frame).wire(), "bAQID");
}

TEST(FrameWriter, PacketsThatAreNoMessagesAreFramesToo) {
  EXPECT_EQ(make_packet_frame("2").wire(), "\x81\x01" "2");
  EXPECT_EQ(text_packet_of(make_packet_frame("2")), "2");
}

}  // namespace
}  // namespace tidewire::engineio
