#include "http/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_exchange.h"

namespace tidewire::http {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct StaticFilesTest : testing::Test {
  StaticFilesTest() { router.add("/", Router::Match::kPrefix, files); }
  std::string ask(std::string_view path, std::string_view lines = {}, std::string_view method = "GET") {
    auto peer = reactor.connect([this](net::Connection& stream) { return make_connection(stream, router, options); });
    peer.send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n");
    return peer.take();
  }
  static std::string etag_of(const std::string& answer) {
    const std::size_t begin = answer.find("ETag: ") + 6;
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  }

  std::string script = std::string(5000, 'x');
  std::vector<StaticFile> table = {{"/d/", "text/html; charset=utf-8", "<p>"}, {"/d/app.js", "text/javascript", script}};
  StaticFiles files{table, {.headers = {{"Content-Security-Policy", "default-src 'self'"}}}};
  Router router;
  ConnectionOptions options;
  net::TestReactor reactor;
};

TEST_F(StaticFilesTest, AnswersWithTheFile) {
  EXPECT_THAT(ask("/d/"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\nETag: \""),
                    HasSubstr("Content-Security-Policy: default-src 'self'\r\n"), HasSubstr("nosniff"),
                    Not(HasSubstr("Vary")), EndsWith("\r\n\r\n<p>")));
  EXPECT_EQ(ask("/d/"), ask("/d/?x"));
}

TEST_F(StaticFilesTest, KnowsOnlyItsTable) {
  for (const char* path : {"/", "/d", "/d/app", "/d/app.js/", "/e", "/d/%61pp.js"}) {
    EXPECT_THAT(ask(path), StartsWith("HTTP/1.1 404 ")) << path;
  }
  EXPECT_THAT(ask("/d/../d/"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("/d/", {}, "POST"), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n")));
}

TEST_F(StaticFilesTest, AnswersHeadWithTheSameHeaders) {
  const std::string get = ask("/d/app.js");
  EXPECT_EQ(ask("/d/app.js", {}, "HEAD"), get.substr(0, get.find("\r\n\r\n") + 4));
}

TEST_F(StaticFilesTest, CompressesLongFiles) {
  const std::string gzip = ask("/d/app.js", "Accept-Encoding: gzip\r\n");
  EXPECT_THAT(gzip, AllOf(HasSubstr("Content-Encoding: gzip\r\n"), HasSubstr("Vary: Accept-Encoding\r\n")));
  EXPECT_LT(gzip.size(), 500u);
  EXPECT_THAT(ask("/d/app.js", "Accept-Encoding: gzip, br\r\n"), HasSubstr("Content-Encoding: br\r\n"));
  EXPECT_THAT(ask("/d/app.js"), HasSubstr("Vary: Accept-Encoding\r\n"));
  EXPECT_THAT(ask("/d/", "Accept-Encoding: gzip\r\n"), Not(HasSubstr("Content-Encoding")));
}

TEST_F(StaticFilesTest, SaysNotModifiedToWhoHasIt) {
  const std::string etag = etag_of(ask("/d/app.js"));
  const std::string gzip_etag = etag_of(ask("/d/app.js", "Accept-Encoding: gzip\r\n"));
  EXPECT_NE(etag, gzip_etag) << "strong tags differ per coding";
  for (const std::string& sent : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
    const std::string answer = ask("/d/app.js", "If-None-Match: " + sent + "\r\n");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 304 Not Modified\r\nETag: " + etag), EndsWith("\r\n\r\n"),
                              Not(HasSubstr("Content-Length"))));
  }
  EXPECT_THAT(ask("/d/app.js", "If-None-Match: " + gzip_etag + "\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("/d/app.js", "Accept-Encoding: gzip\r\nIf-None-Match: " + gzip_etag + "\r\n"),
              StartsWith("HTTP/1.1 304 "));
}

}  // namespace
}  // namespace tidewire::http
