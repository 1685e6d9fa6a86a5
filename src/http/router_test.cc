#include "http/router.h"

#include <gtest/gtest.h>

#include <memory>

#include "http/request_codec.h"

namespace tidewire::http {
namespace {

struct Named final : Handler {
  void on_request(Exchange&, std::string_view) override {}
};

struct RouterTest : testing::Test {
  Handler* find(std::string_view path, std::string_view upgrade = {}) {
    std::string text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n";
    if (!upgrade.empty()) text += "Connection: Upgrade\r\nUpgrade: " + std::string(upgrade) + "\r\n";
    text += "\r\n";
    const auto head = std::make_unique<RequestHead>();
    EXPECT_EQ(parse_head(text, *head).outcome, HeadResult::Outcome::kComplete);
    return router.find(head->request);
  }
  Router router;
  Named root, api, exact, socket;
};

TEST_F(RouterTest, PrefersTheLongestMatch) {
  router.add("/", Router::Match::kPrefix, root);
  router.add("/api/", Router::Match::kPrefix, api);
  router.add("/api/", Router::Match::kExact, exact);
  EXPECT_EQ(find("/x"), &root);
  EXPECT_EQ(find("/api"), &root);
  EXPECT_EQ(find("/api/x?/y"), &api);
  EXPECT_EQ(find("/api/"), &exact);
}

TEST_F(RouterTest, FindsNothingWhereNothingIs) {
  router.add("/a", Router::Match::kExact, exact);
  EXPECT_EQ(find("/"), nullptr);
  EXPECT_EQ(find("/ab"), nullptr);
  EXPECT_EQ(find("/a?query"), &exact);
}

TEST_F(RouterTest, KeepsWebSocketUpgradesApart) {
  router.add("/", Router::Match::kPrefix, root);
  router.add_upgrade("/ws", Router::Match::kExact, socket);
  EXPECT_EQ(find("/ws", "WebSocket"), &socket);
  EXPECT_EQ(find("/ws"), &root);
  EXPECT_EQ(find("/other", "websocket"), nullptr);
  EXPECT_EQ(find("/ws", "h2c"), &root) << "an upgrade that we do not know is an ordinary request";
}

}  // namespace
}  // namespace tidewire::http
