#include "http/chunked_decoder.h"

#include <gtest/gtest.h>

namespace tidewire::http {
namespace {

using Chunked = ChunkedDecoder::Outcome;

struct Decoded {
  Chunked outcome;
  std::size_t bytes;
  std::string body;
  bool operator==(const Decoded&) const = default;
};

Decoded decode_in_pieces(std::string_view text, std::size_t piece, std::size_t limit) {
  ChunkedDecoder decoder;
  Decoded result{Chunked::kNeedMore, 0, {}};
  while (result.outcome == Chunked::kNeedMore && result.bytes < text.size()) {
    const auto step = decoder.feed(text.substr(result.bytes, piece), result.body, limit);
    result.outcome = step.outcome;
    result.bytes += step.bytes;
  }
  return result;
}

Decoded decode(std::string_view text, std::size_t limit = 1000) {
  const Decoded whole = decode_in_pieces(text, text.size(), limit);
  const Decoded drips = decode_in_pieces(text, 1, limit);
  EXPECT_EQ(whole.outcome, drips.outcome) << text;
  EXPECT_EQ(whole.bytes, drips.bytes) << text;
  EXPECT_EQ(whole.body, drips.body) << text;
  if (whole.outcome == Chunked::kComplete) {
    for (std::size_t size = 0; size < whole.bytes; ++size) {
      EXPECT_EQ(decode_in_pieces(text.substr(0, size), 1, limit).outcome, Chunked::kNeedMore) << size;
    }
  }
  return whole;
}

TEST(ChunkedBody, IsDecodedToItsLastChunk) {
  const Decoded decoded = decode("5\r\nhello\r\n0006;a;b=c\r\n world\r\n0\r\n\r\nGET");
  EXPECT_EQ(decoded.outcome, Chunked::kComplete);
  EXPECT_EQ(decoded.body, "hello world");
  EXPECT_EQ(decoded.bytes, 35u);
  EXPECT_EQ(decode("0\r\n\r\n").outcome, Chunked::kComplete);
  EXPECT_EQ(decode("a\r\n0123456789\r\n0\r\nTrailer: value\r\nX: y\r\n\r\n").outcome, Chunked::kComplete);
}

// H28 to H31, B22, C02.
TEST(ChunkedBody, IsRefusedForEveryDeviation) {
  for (const char* text : {"ffffffffffffffff\r\n",
                           "10000000000000000\r\n",
                           "-1\r\n",
                           "0x5\r\nhello\r\n",
                           "g\r\n",
                           "\r\n",
                           ";a\r\n",
                           "5\nhello\r\n",
                           "5 \r\nhello\r\n",
                           " 5\r\nhello\r\n",
                           "5;\r\nhello\r\n",
                           "5;a\nhello\r\n",
                           "5;a=\r\n",
                           "5;=b\r\n",
                           "5;a=b=c\r\n",
                           "5; a\r\n",
                           "5;a=\"b\"\r\n",
                           "5;;\r\n",
                           "5\r\nhelloX\r\n",
                           "5\r\nhello\n",
                           "5\r\nhello\rX",
                           "0\r\nContent-Length: 5\r\n",
                           "0\r\nhost: a\r\n",
                           "0\r\nTransfer-Encoding: chunked\r\n",
                           "0\r\nA: b\n",
                           "0\r\nno colon\r\n",
                           "0\r\nA : b\r\n",
                           "0\r\n folded\r\n",
                           "0\r\n\n",
                           "5\rhello"}) {
    EXPECT_EQ(decode(text).outcome, Chunked::kMalformed) << text;
  }
}

TEST(ChunkedBody, BoundsExtensionsAndTrailers) {
  EXPECT_EQ(decode("1;" + std::string(255, 'a') + "\r\nx\r\n0\r\n\r\n").outcome, Chunked::kComplete);
  EXPECT_EQ(decode("1;" + std::string(256, 'a') + "\r\n").outcome, Chunked::kMalformed);
  std::string chunks;
  for (int i = 0; i < 4; ++i) chunks += "1;" + std::string(255, 'a') + "\r\nx\r\n";
  EXPECT_EQ(decode(chunks + "0\r\n\r\n").outcome, Chunked::kComplete);
  EXPECT_EQ(decode(chunks + "1;a\r\n").outcome, Chunked::kMalformed);
  EXPECT_EQ(decode("0\r\nA: " + std::string(1100, 'a')).outcome, Chunked::kMalformed);
}

TEST(ChunkedBody, StopsAtItsLimitBeforeTakingTheChunk) {
  EXPECT_EQ(decode("5\r\nhello\r\n0\r\n\r\n", 5).outcome, Chunked::kComplete);
  EXPECT_EQ(decode("6\r\n", 5).outcome, Chunked::kTooLong);
  const Decoded decoded = decode("3\r\nabc\r\n3\r\n", 5);
  EXPECT_EQ(decoded.outcome, Chunked::kTooLong);
  EXPECT_EQ(decoded.body, "abc");
}

}  // namespace
}  // namespace tidewire::http
