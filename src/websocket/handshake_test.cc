#include "websocket/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tidewire::websocket {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A good upgrade that a test spoils.
class Upgrade {
 public:
  Upgrade() {
    request_.method = "GET";
    request_.path = request_.target = "/";
    request_.upgrade = true;
    headers_ = {{"Host", "x"},
                {"upgrade", "WebSocket"},
                {"Connection", "Upgrade"},
                {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                {"Sec-WebSocket-Version", "13"}};
  }
  Upgrade& with(std::string_view name, std::string_view value) {
    headers_.push_back({name, value});
    return *this;
  }
  Upgrade& replace(std::string_view name, std::string_view value) { return without(name).with(name, value); }
  Upgrade& without(std::string_view name) {
    std::erase_if(headers_, [&](const http::Header& header) { return http::equals_ignoring_case(header.name, name); });
    return *this;
  }
  http::Request& request() { return request_; }
  Handshake answer(std::string_view protocol = {}, const DeflateOptions& options = {.enabled = true}) {
    request_.headers = headers_;
    return negotiate(request_, options, protocol);
  }

 private:
  std::vector<http::Header> headers_;
  http::Request request_;
};

TEST(Handshake, AnswersTheExampleOfTheRfc) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(Upgrade().answer().head,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST(Handshake, W36RefusesWhatIsNoUpgrade) {
  Upgrade post;
  post.request().method = "POST";
  EXPECT_EQ(post.answer().status, 400);
  Upgrade old;
  old.request().version_minor = 0;
  EXPECT_EQ(old.answer().status, 400);
  Upgrade no_connection;
  no_connection.request().upgrade = false;
  EXPECT_EQ(no_connection.answer().status, 400);
  EXPECT_EQ(Upgrade().replace("Upgrade", "h2c").answer().status, 400);
  EXPECT_EQ(Upgrade().replace("Upgrade", "").answer().status, 400);
}

TEST(Handshake, W36AsksForVersion13) {
  for (const char* version : {"8", "7", "0", "14", "013", "13, 8", ""}) {
    EXPECT_EQ(Upgrade().replace("Sec-WebSocket-Version", version).answer().status, 426) << version;
  }
  EXPECT_EQ(Upgrade().without("Sec-WebSocket-Version").answer().status, 426);
  EXPECT_EQ(Upgrade().with("Sec-WebSocket-Version", "13").answer().status, 426);
}

TEST(Handshake, W36WantsAKeyOfSixteenBytes) {
  EXPECT_EQ(Upgrade().without("Sec-WebSocket-Key").answer().status, 400);
  EXPECT_EQ(Upgrade().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").answer().status, 400);
  for (const char* key :
       {"", "x", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25j!Q==",
        "dGhlIHNhbXBsZSBub25jZQ== ", "====================    ", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(Upgrade().replace("Sec-WebSocket-Key", key).answer().status, 400) << key;
  }
  EXPECT_EQ(Upgrade().replace("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR==").answer().status, 101);
}

TEST(Handshake, C01RefusesAnUpgradeWithABody) {
  EXPECT_EQ(Upgrade().with("Content-Length", "5").answer().status, 400);
  EXPECT_EQ(Upgrade().with("Content-Length", "10").answer().status, 400);
  EXPECT_EQ(Upgrade().with("Transfer-Encoding", "chunked").answer().status, 400);
  EXPECT_EQ(Upgrade().with("Content-Length", "0").answer().status, 101);
}

TEST(Handshake, AnnouncesAProtocolOnlyIfItWasOffered) {
  EXPECT_THAT(Upgrade().with("Sec-WebSocket-Protocol", "a, b").answer("b").head,
              HasSubstr("\r\nSec-WebSocket-Protocol: b\r\n"));
  EXPECT_THAT(Upgrade().with("Sec-WebSocket-Protocol", "a").with("sec-websocket-protocol", "b").answer("b").head,
              HasSubstr("Protocol: b\r\n"));
  EXPECT_THAT(Upgrade().with("Sec-WebSocket-Protocol", "a").answer("b").head, Not(HasSubstr("Protocol:")));
  EXPECT_THAT(Upgrade().answer("b").head, Not(HasSubstr("Protocol:")));
}

TEST(Handshake, B04RefusesAProtocolListFullOfBlanks) {
  const std::string list = "b" + std::string(7'000, ' ') + "x";
  EXPECT_EQ(Upgrade().with("Sec-WebSocket-Protocol", list).answer("b").status, 400);
}

TEST(Handshake, B03B18AgreesOnDeflateOrRefuses) {
  const auto offer = [](std::string_view value) { return Upgrade().with("Sec-WebSocket-Extensions", value).answer(); };
  EXPECT_THAT(
      offer("permessage-deflate; client_max_window_bits").head,
      HasSubstr(
          "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"));
  EXPECT_TRUE(offer("permessage-deflate").deflate.enabled);
  EXPECT_EQ(offer("permessage-deflate; server_max_window_bits=99").status, 400);
  EXPECT_EQ(offer(",;constructor").status, 400);
  EXPECT_EQ(offer("constructor").status, 101);
  EXPECT_THAT(offer("constructor").head, Not(HasSubstr("Extensions")));
}

}  // namespace
}  // namespace tidewire::websocket
