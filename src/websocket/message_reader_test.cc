#include "websocket/message_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "websocket/test_frames.h"

namespace tidewire::websocket {
namespace {

using test::binary;
using test::client_frame;
using test::close_frame;
using test::Events;
using test::ping;
using test::ReaderHarness;
using test::text;
using ::testing::ElementsAre;

const std::string kWord = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

struct Row {
  std::string name;    // of reliability.md 2b
  std::string bytes;
  Events events;
  bool deflate = false;
  Options options = {};
};

std::string fragments(std::size_t count, std::string_view each) {
  std::string bytes = client_frame(0x01, each);
  for (std::size_t i = 1; i < count; ++i) bytes += client_frame(0x00, each);
  return bytes;
}

std::vector<Row> rows() {
  const Options small{.message_bytes_max = 10};
  const std::string hello = test::deflate("Hello");
  std::vector<Row> rows = {
      {"W01 RSV1 without extension", client_frame(0xc1, "x"), {"error:1002"}},
      {"W02 RSV2", client_frame(0xa1, "x"), {"error:1002"}},
      {"W03 RSV3", client_frame(0x91, "x"), {"error:1002"}},
      {"W06 fragmented control", client_frame(0x09, "x"), {"error:1002"}},
      {"W07 control of 126 bytes", ping(std::string(126, 'x')), {"error:1002"}},
      {"W07 control of 125 bytes", ping(std::string(125, 'x')), {"ping:" + std::string(125, 'x')}},
      {"W08 empty text and binary", text("") + binary(""), {"text:", "binary:"}},
      {"W09 not masked", test::write({.payload = "x", .mask = ""}), {"error:1002"}},
      {"W10 overlong", text("\xc0\xaf"), {"error:1007"}},
      {"W10 too large", text("\xf4\x90\x80\x80"), {"error:1007"}},
      {"W11 surrogate", text("\xed\xa0\x80"), {"error:1007"}},
      {"W12 truncated at the end", text(kWord + "\xe2\x82"), {"error:1007"}},
      {"W12 truncated at the end of the last fragment",
       client_frame(1, kWord) + client_frame(0x80, "\xe2\x82"),
       {"error:1007"}},
      {"W12 a character over two fragments",
       client_frame(1, "\xe2") + client_frame(0, "\x82") + client_frame(0x80, "\xac"),
       {"text:\xe2\x82\xac"}},
      {"W12 binary may be anything", binary("\xc0\xaf"), {"binary:\xc0\xaf"}},
      {"W13 continuation of nothing", text("a") + client_frame(0x80, "x"), {"text:a", "error:1002"}},
      {"W14 data inside a message", client_frame(1, "a") + text("b"), {"error:1002"}},
      {"W14 control inside a message", client_frame(2, "a") + ping("p") + client_frame(0x80, "b"), {"ping:p", "binary:ab"}},
      {"W15 highest bit of the length", "\x82\xff\x80" + std::string(11, '\0'), {"error:1002"}},
      {"W16 2^63-1", test::write({.length_bytes = 8, .declared = INT64_MAX}), {"error:1009"}},
      {"W17 2^32+2", test::write({.length_bytes = 8, .declared = (1LL << 32) + 2}), {"error:1009"}},
      {"W18 16-bit form of 5", test::write({.payload = "Hello", .length_bytes = 2}), {"error:1002"}},
      {"W19 64-bit form of 5", test::write({.payload = "Hello", .length_bytes = 8}), {"error:1002"}},
      {"W19 when not strict",
       test::write({.payload = "Hello", .length_bytes = 8}),
       {"text:Hello"},
       false,
       {.strict_length = false}},
      {"W20 the limit", text("0123456789"), {"text:0123456789"}, false, small},
      {"W21 the limit and one", text("0123456789a"), {"error:1009"}, false, small},
      {"W22 fragments up to the limit", fragments(2, "01234") + client_frame(0x80, ""), {"text:0123401234"}, false, small},
      {"W22 fragments over the limit", fragments(2, "01234") + client_frame(0x80, "x"), {"error:1009"}, false, small},
      {"W22 inflated to the limit", client_frame(0xc1, test::deflate("0123456789")), {"text:0123456789"}, true, small},
      {"W22 inflated over the limit", client_frame(0xc1, test::deflate(std::string(11, 'a'))), {"error:1009"}, true, small},
      {"W24 CLOSE of one byte", client_frame(0x88, "\x03"), {"error:1002"}},
      {"W25 CLOSE with a broken reason", close_frame(1000, "\xc0\xaf"), {"error:1007"}},
      {"W26 data after CLOSE", close_frame(1000, "bye") + text("late"), {"close:1000:bye"}},
      {"W26 empty CLOSE", close_frame(-1) + ping(), {"close:1005:"}},
      {"W33 garbage", client_frame(0xc1, "\x07garbage"), {"error:1007"}, true},
      {"W33 RSV1 on a continuation", client_frame(0x41, hello) + client_frame(0xc0, ""), {"error:1002"}, true},
      {"W33 RSV1 on a control frame", client_frame(0xc9, ""), {"error:1002"}, true},
      {"W33 nothing at all", client_frame(0xc1, ""), {"text:"}, true},
      {"W33 single 00", client_frame(0xc2, std::string(1, '\0')), {"binary:"}, true},
      {"W33 final block", client_frame(0xc1, test::deflate("Hello", 15, Z_FINISH)), {"text:Hello"}, true},
      {"W33 final block and 00", client_frame(0xc1, test::deflate("Hello", 15, Z_FINISH) + '\0'), {"text:Hello"}, true},
      {"W33 plain beside compressed", text("a") + client_frame(0xc1, hello), {"text:a", "text:Hello"}, true},
      {"W33 compressed in fragments",
       client_frame(0x41, hello.substr(0, 3)) + ping() + client_frame(0x80, hello.substr(3)),
       {"ping:", "text:Hello"},
       true},
      {"W33 compressed text that is not UTF-8", client_frame(0xc1, test::deflate("\xc0\xaf")), {"error:1007"}, true},
      {"pong without ping", client_frame(0x8a, "x") + text("a"), {"pong:x", "text:a"}},
  };
  for (const unsigned opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    rows.push_back({"W04-05 opcode " + std::to_string(opcode), client_frame(0x80 | opcode, ""), {"error:1002"}});
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    rows.push_back({"W23 code " + std::to_string(code), close_frame(code, "why"), {"error:1002"}});
  }
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    rows.push_back(
        {"W23 code " + std::to_string(code), close_frame(code, "why"), {"close:" + std::to_string(code) + ":why"}});
  }
  return rows;
}

TEST(MessageReaderRows, WholeAndByteByByteAndCutAnywhere) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(test::read_whole(row.bytes, row.options, row.deflate), row.events);
    EXPECT_EQ(test::read_byte_by_byte(row.bytes, row.options, row.deflate), row.events);
    const std::string_view bytes = row.bytes;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      EXPECT_EQ(test::read_pieces({bytes.substr(0, cut), bytes.substr(cut)}, row.options, row.deflate), row.events) << cut;
    }
  }
}

TEST(MessageReaderRows, TruncatedAtEveryLengthNothingIsInvented) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    for (std::size_t size = 0; size < row.bytes.size(); ++size) {
      const Events events = test::read_whole(std::string_view(row.bytes).substr(0, size), row.options, row.deflate);
      ASSERT_LE(events.size(), row.events.size());
      EXPECT_EQ(events, Events(row.events.begin(), row.events.begin() + static_cast<std::ptrdiff_t>(events.size()))) << size;
    }
  }
}

// W10-12, Autobahn 6.4: the first wrong byte ends it, in the middle of a frame and of a message.
TEST(MessageReader, FailsAtTheFirstByteThatIsNoUtf8) {
  const std::string bad = kWord + "\xf4\x90\x80\x80" + "edited";
  for (const std::string& bytes : {text(bad), client_frame(0x01, bad)}) {
    ReaderHarness harness({});
    const std::size_t header_bytes = bytes.size() - bad.size();
    for (std::size_t i = 0; i < bytes.size() && !harness.over(); ++i) {
      harness.feed(std::string_view(bytes).substr(i, 1));
      EXPECT_EQ(harness.over(), i == header_bytes + kWord.size() + 1) << i;  // f4 may begin something, f4 90 may not
    }
    EXPECT_THAT(harness.events(), ElementsAre("error:1007"));
  }
}

TEST(MessageReader, CountsEveryFragmentEmptyOnesToo) {
  const Options options{.fragments_max = 100};
  EXPECT_THAT(test::read_whole(fragments(99, "") + client_frame(0x80, "x"), options), ElementsAre("text:x"));
  EXPECT_THAT(test::read_whole(fragments(100, "") + client_frame(0x80, "x"), options), ElementsAre("error:1008"));
  EXPECT_THAT(test::read_whole(fragments(101, "")), ElementsAre());
  EXPECT_THAT(test::read_whole(fragments(20'000, "")), ElementsAre("error:1008"));
}

// B02, B12: what a header declares costs nothing.
TEST(MessageReader, DeclaredBytesAreNotAllocated) {
  const Options options{.message_bytes_max = std::size_t{1} << 40};
  ReaderHarness harness(options);
  harness.feed(test::write({.payload = "abc", .length_bytes = 8, .declared = (1LL << 40) - 1}));
  EXPECT_FALSE(harness.over());
  EXPECT_TRUE(harness.reader().partial());
}

// B17: compressed frames that share a segment do not touch each other.
TEST(MessageReader, CompressedFramesInOneSegmentAtEverySplit) {
  for (const std::size_t count : {2u, 3u, 5u, 16u, 64u}) {
    std::string bytes;
    Events expected;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string message = "message " + std::to_string(i) + std::string(i % 7 * 10, 'z');
      bytes += client_frame(i % 2 == 0 ? 0xc1 : 0xc2, test::deflate(message));
      expected.push_back((i % 2 == 0 ? "text:" : "binary:") + message);
    }
    EXPECT_EQ(test::read_whole(bytes, {}, true), expected);
    EXPECT_EQ(test::read_byte_by_byte(bytes, {}, true), expected);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      const std::string_view all = bytes;
      ASSERT_EQ(test::read_pieces({all.substr(0, cut), all.substr(cut)}, {}, true), expected) << count << " at " << cut;
    }
  }
}

// B29: every pair of cuts of a conversation with all kinds of frames, from buffers of exactly the size.
TEST(MessageReader, EveryPairOfCutsGivesTheSameEvents) {
  const std::string conversation = text("one") + client_frame(0x01, "tw") + ping("p") + client_frame(0x80, "o") +
                                   binary(std::string(130, 'b')) + client_frame(0xc1, test::deflate("four")) +
                                   close_frame(1000, "bye");
  const std::string_view all = conversation;
  const Events expected = test::read_whole(all, {}, true);
  EXPECT_THAT(expected, ElementsAre("text:one", "ping:p", "text:two", "binary:" + std::string(130, 'b'), "text:four",
                                    "close:1000:bye"));
  for (std::size_t first = 1; first < all.size(); ++first) {
    for (std::size_t second = first; second < all.size(); ++second) {
      ASSERT_EQ(test::read_pieces({all.substr(0, first), all.substr(first, second - first), all.substr(second)}, {}, true),
                expected);
    }
  }
}

TEST(MessageReader, APartialExistsOnlyWhileSomethingIsIncomplete) {
  ReaderHarness harness({});
  harness.feed(text("whole"));
  EXPECT_FALSE(harness.reader().partial());
  harness.feed(ping("x").substr(0, 3));
  EXPECT_TRUE(harness.reader().take_fresh_partial());
  EXPECT_FALSE(harness.reader().take_fresh_partial());
  harness.feed(ping("x").substr(3));
  EXPECT_FALSE(harness.reader().partial());
  harness.feed(client_frame(0x01, "") + ping("y"));
  EXPECT_TRUE(harness.reader().take_fresh_partial());
  harness.feed(client_frame(0x80, "") + client_frame(0x01, "next"));
  EXPECT_TRUE(harness.reader().take_fresh_partial());
}

TEST(MessageReader, WithContextTakeoverMessagesReferToEarlierOnes) {
  const Options options{.deflate = {.enabled = true, .context_takeover = true}};
  ReaderHarness harness(options);
  harness.reader().set_deflate({.enabled = true, .client_context_takeover = true});
  harness.feed(client_frame(0xc1, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)));
  harness.feed(client_frame(0xc1, std::string("\xf2\x00\x11\x00\x00", 5)));
  EXPECT_THAT(harness.events(), ElementsAre("text:Hello", "text:Hello"));
}

TEST(MessageReader, ABombCostsTheLimitAndNoMore) {
  const std::string bomb = test::deflate(std::string(100'000'000, '\0'));
  EXPECT_THAT(test::read_whole(client_frame(0xc2, bomb), {}, true), ElementsAre("error:1009"));
}

}  // namespace
}  // namespace tidewire::websocket
