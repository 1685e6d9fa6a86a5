#include "http/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "http/request_codec.h"

namespace tidewire::http {
namespace {

TEST(Coding, IsTheDensestOfTheMostWanted) {
  EXPECT_EQ(choose_coding(""), Coding::kIdentity);
  EXPECT_EQ(choose_coding("gzip, deflate, br"), Coding::kBrotli);
  EXPECT_EQ(choose_coding("gzip, deflate, br", Coding::kGzip), Coding::kGzip);
  EXPECT_EQ(choose_coding("GZIP"), Coding::kGzip);
  EXPECT_EQ(choose_coding("deflate"), Coding::kDeflate);
  EXPECT_EQ(choose_coding("gzip;q=0.5, deflate;q=0.8"), Coding::kDeflate);
  EXPECT_EQ(choose_coding("br;q=0.001 , gzip;q=0.002"), Coding::kGzip);
  EXPECT_EQ(choose_coding("zstd, x-gzip"), Coding::kIdentity);
}

TEST(Coding, RespectsRefusals) {
  EXPECT_EQ(choose_coding("br;q=0, gzip"), Coding::kGzip);
  EXPECT_EQ(choose_coding("gzip;q=0"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("gzip;q=0.000"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("*"), Coding::kBrotli);
  EXPECT_EQ(choose_coding("*;q=0.5, br;q=0"), Coding::kGzip);
  EXPECT_EQ(choose_coding("*;q=0"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("identity, gzip;q=0.5"), Coding::kIdentity);
  for (const char* weight : {"2", "1.1", "-1", "0.5555", "x", "", "1,5", "01"}) {
    EXPECT_EQ(choose_coding("gzip;q=" + std::string(weight)),
              weight == std::string("1,5") ? Coding::kGzip : Coding::kIdentity)
        << weight;
  }
  EXPECT_EQ(choose_coding("gzip;level=1"), Coding::kIdentity);
}

std::string inflate_all(const std::string& coded, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, window_bits), Z_OK);
  std::string in = coded;
  std::string out(100'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Compression, ComesBackWhole) {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += "line " + std::to_string(i) + "\n";
  for (const int level : {1, 9, 1, 6}) {
    EXPECT_EQ(inflate_all(compress(body, Coding::kGzip, level), 15 + 16), body);
    EXPECT_EQ(inflate_all(compress(body, Coding::kDeflate, level), 15), body);
    EXPECT_LT(compress(body, Coding::kBrotli, level).size(), body.size() / 3);
  }
}

TEST(Compression, IsNotTakenWhenItDoesNotShorten) {
  for (const Coding coding : {Coding::kDeflate, Coding::kGzip, Coding::kBrotli}) EXPECT_EQ(compress("abc", coding, 1), "");
  EXPECT_EQ(inflate_all(compress(std::string(99, 'a'), Coding::kGzip, 1), 31), std::string(99, 'a'))
      << "after one that failed";
}

struct Answering : testing::Test {
  Response answer(std::string_view accept, std::string body) {
    const Header header{"Accept-Encoding", accept};
    Request request;
    request.headers = {&header, 1};
    Response response{.status = 200, .headers = {}, .body = std::move(body)};
    compress_response(request, {}, response);
    return response;
  }
};

TEST_F(Answering, CodesLongBodiesAndSaysSo) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  using testing::Pair;
  EXPECT_THAT(answer("gzip", std::string(1024, 'x')).headers,
              ElementsAre(Pair("Vary", "Accept-Encoding"), Pair("Content-Encoding", "gzip")));
  EXPECT_THAT(answer("", std::string(1024, 'x')).headers, ElementsAre(Pair("Vary", "Accept-Encoding")));
  EXPECT_THAT(answer("gzip", std::string(1023, 'x')).headers, IsEmpty());
}

}  // namespace
}  // namespace tidewire::http
