#include "http/cors.h"

#include <gtest/gtest.h>

#include "http/test_exchange.h"

namespace tidewire::http {
namespace {

struct Cors : OneHandlerServer, testing::Test {
  Cors() {
    cors.enabled = true;
    cors.origins = {"*"};
    handler.at_head = [this](Exchange& exchange) { answered = apply_cors(cors, exchange); };
    handler.at_request = [](Exchange& exchange) { exchange.respond({.status = 200, .headers = {}, .body = {}}); };
  }
  // The headers of the answer to such a request.
  std::string ask(std::string_view method, std::string_view origin, std::string_view lines = {}) {
    auto peer = connect();
    const std::string origin_line = origin.empty() ? "" : "Origin: " + std::string(origin) + "\r\n";
    peer.send(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n" + origin_line + std::string(lines) + "\r\n");
    const std::string answer = peer.take();
    const std::string status = method == "OPTIONS" ? "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n"
                                                   : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    EXPECT_EQ(answer.substr(0, status.size()), status);
    return answer.substr(std::min(status.size(), answer.size()));
  }
  CorsOptions cors;
  bool answered = false;
};

TEST_F(Cors, OffAddsNothing) {
  cors.enabled = false;
  EXPECT_EQ(ask("GET", "http://a"), "\r\n");
  EXPECT_TRUE(origin_allowed(cors, "http://evil"));
}

TEST_F(Cors, AnyOriginIsAStar) {
  EXPECT_EQ(ask("GET", "http://a"), "Access-Control-Allow-Origin: *\r\n\r\n");
  EXPECT_EQ(ask("GET", ""), "Access-Control-Allow-Origin: *\r\n\r\n");
  EXPECT_TRUE(origin_allowed(cors, "http://a"));
}

TEST_F(Cors, AnyOriginWithCredentialsIsEchoed) {
  cors.credentials = true;
  EXPECT_EQ(ask("GET", "http://a"),
            "Access-Control-Allow-Origin: http://a\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n\r\n");
}

TEST_F(Cors, OneFixedOriginIsAlwaysWritten) {
  cors.origins = {"http://a"};
  EXPECT_EQ(ask("GET", "http://evil"), "Access-Control-Allow-Origin: http://a\r\nVary: Origin\r\n\r\n");
  EXPECT_FALSE(origin_allowed(cors, "http://evil"));
  EXPECT_FALSE(origin_allowed(cors, "http://a.evil"));
  EXPECT_FALSE(origin_allowed(cors, "http://a:80"));
  EXPECT_TRUE(origin_allowed(cors, "http://a"));
  EXPECT_TRUE(origin_allowed(cors, "")) << "no browser";
}

TEST_F(Cors, AListEchoesItsMembersOnly) {
  cors.origins = {"http://a", "http://b"};
  EXPECT_EQ(ask("GET", "http://b"), "Access-Control-Allow-Origin: http://b\r\nVary: Origin\r\n\r\n");
  EXPECT_EQ(ask("GET", "http://evil"), "Vary: Origin\r\n\r\n");
  EXPECT_EQ(ask("GET", ""), "Vary: Origin\r\n\r\n");
}

TEST_F(Cors, APreflightIsAnsweredAtOnce) {
  EXPECT_EQ(ask("OPTIONS", "http://a", "Access-Control-Request-Headers: x-b, x-c\r\n"),
            "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
            "Access-Control-Allow-Headers: x-b, x-c\r\nVary: Access-Control-Request-Headers\r\n\r\n");
  EXPECT_TRUE(answered);
  EXPECT_TRUE(handler.requests.empty());
}

TEST_F(Cors, APreflightSaysAllThatIsConfigured) {
  cors = {.enabled = true,
          .origins = {"http://a", "http://b"},
          .methods = "GET",
          .allowed_headers = "x-b",
          .exposed_headers = "x-c",
          .credentials = true,
          .max_age_s = 600};
  EXPECT_EQ(ask("OPTIONS", "http://a", "Access-Control-Request-Headers: x-other\r\n"),
            "Access-Control-Allow-Origin: http://a\r\nAccess-Control-Allow-Credentials: "
            "true\r\nAccess-Control-Allow-Methods: GET\r\n"
            "Access-Control-Allow-Headers: x-b\r\nAccess-Control-Max-Age: 600\r\nVary: "
            "Origin\r\nAccess-Control-Expose-Headers: x-c\r\n\r\n");
  EXPECT_EQ(ask("OPTIONS", "http://evil").find("Allow-Origin"), std::string::npos);
}

TEST_F(Cors, VaryNamesBothReasons) {
  cors.origins = {"http://a"};
  EXPECT_NE(ask("OPTIONS", "http://a").find("Vary: Origin, Access-Control-Request-Headers\r\n"), std::string::npos);
}

}  // namespace
}  // namespace tidewire::http
