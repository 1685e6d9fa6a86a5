#include "http/response_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::http {
namespace {

std::string text_of(const Response& response, std::string_view lines = {}, bool head_only = false, bool close = false) {
  return std::string(encode_response(response, lines, head_only, close).wire());
}

TEST(Answer, IsWrittenWhole) {
  EXPECT_EQ(text_of({.status = 200, .headers = {{"Cache-Control", "no-store"}}, .body = "ok", .content_type = "text/html"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\nok");
  EXPECT_EQ(text_of({.status = 413, .headers = {}, .body = {}}, "A: b\r\n", false, true),
            "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nA: b\r\nConnection: close\r\n\r\n");
}

TEST(Answer, ToHeadHasTheLengthWithoutTheBody) {
  EXPECT_EQ(text_of({.status = 200, .headers = {}, .body = "hello"}, {}, true),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(Answer, WithoutContentHasNoLength) {
  EXPECT_EQ(text_of({.status = 304, .headers = {}, .body = "x"}), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(text_of({.status = 204, .headers = {}, .body = {}}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(text_of({.status = 204, .headers = {{"Content-Length", "0"}}, .body = {}}),
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
}

// H39.
TEST(Answer, IsNotSplitByWhatItReflects) {
  const std::string text = text_of({.status = 200,
                                    .headers = {{"A", "x\r\nSet-Cookie: y"},
                                                {"B\r\nC", "z"},
                                                {"D", std::string("n\0l", 3)},
                                                {"", "e"},
                                                {"F", "\x7f"},
                                                {"G", "tab\tand caf\xc3\xa9"}},
                                    .body = {}});
  EXPECT_EQ(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nG: tab\tand caf\xc3\xa9\r\n\r\n");
  std::string lines;
  EXPECT_FALSE(append_header_line(lines, "A", "b\nc"));
  EXPECT_FALSE(append_header_line(lines, "A b", "c"));
  EXPECT_TRUE(append_header_line(lines, "A", "b"));
  EXPECT_EQ(lines, "A: b\r\n");
}

TEST(Answer, KeepsItsFramingToItself) {
  EXPECT_EQ(text_of({.status = 200,
                     .headers = {{"content-length", "7"}, {"Transfer-Encoding", "chunked"}, {"connection", "close"}},
                     .body = "ab"}),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
}

TEST(Answer, TakesAnyNumberOfHeaders) {
  Response response;
  for (int i = 0; i < 40; ++i) response.headers.emplace_back("N", std::to_string(i));
  EXPECT_THAT(text_of(response), testing::EndsWith("N: 39\r\n\r\n"));
}

TEST(Answer, NamesUnknownStatuses) {
  EXPECT_THAT(text_of({.status = 299, .headers = {}, .body = {}}), testing::StartsWith("HTTP/1.1 299 Unknown\r\n"));
}

}  // namespace
}  // namespace tidewire::http
