#include "server/api_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::server {
namespace {

using ::testing::HasSubstr;

ConfigNode text(const char* value) { return ConfigNode(value, "", {"test", 1, 0}); }
ConfigNode key(ConfigNode::Table members) { return ConfigNode(std::move(members), "api.keys[0]", {"test", 1, 0}); }
ConfigNode list(std::vector<ConfigNode> items) { return ConfigNode(std::move(items), "api.keys", {"test", 1, 0}); }

constexpr const char* kSecret = "a-key-of-some-length";
// SHA-256 of kDigested.
constexpr const char* kDigested = "abc";
constexpr const char* kDigest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct Read {
  explicit Read(std::vector<ConfigNode> keys, std::string admin = "") {
    Settings settings;
    settings.api.admin_token = std::move(admin);
    settings.api.keys = list(std::move(keys));
    found = std::make_unique<ApiKeys>(settings, errors);
  }
  std::string complaints() const {
    std::string all;
    for (const std::string& line : errors.lines()) all += line + "\n";
    return all;
  }
  ConfigErrors errors;
  std::unique_ptr<ApiKeys> found;
};

TEST(ApiKeys, FindsKeysByTheirSecretAndTheAdministratorByHis) {
  Read read({key({{"name", text("billing")}, {"key", text(kSecret)}, {"roles", text("publish")}, {"rate", text("5/s")}}),
             key({{"name", text("hashed")}, {"key_sha256", text(kDigest)}, {"roles", text("read")}, {"tenant", text("acme")}})},
            "the-admin-token");
  EXPECT_EQ(read.complaints(), "");
  const ApiCaller* billing = read.found->find(kSecret);
  ASSERT_NE(billing, nullptr);
  EXPECT_TRUE(billing->may("publish"));
  EXPECT_FALSE(billing->may("read"));
  EXPECT_FALSE(billing->is_admin());
  EXPECT_EQ(billing->tenant, "");
  EXPECT_TRUE(billing->rate);
  ASSERT_NE(read.found->find(kDigested), nullptr);
  EXPECT_EQ(read.found->find(kDigested)->tenant, "acme");
  ASSERT_NE(read.found->find("the-admin-token"), nullptr);
  EXPECT_TRUE(read.found->find("the-admin-token")->is_admin());
  EXPECT_EQ(read.found->find("the-admin-token")->tenant, std::nullopt);
  for (const std::string_view wrong : {"", "a-key-of-some-lengt", "a-key-of-some-length ", kDigest}) EXPECT_EQ(read.found->find(wrong), nullptr);
}

TEST(ApiKeys, ComplainsAboutEachMistakeAndLeavesThatKeyOut) {
  const std::vector<std::pair<ConfigNode, std::string>> cases = {
      {key({{"name", text("a")}, {"roles", text("read")}}), "key"},
      {key({{"name", text("a")}, {"key", text(kSecret)}, {"key_sha256", text(kDigest)}, {"roles", text("read")}}), "key"},
      {key({{"name", text("a")}, {"key", text("short")}, {"roles", text("read")}}), "at least 16"},
      {key({{"name", text("a")}, {"key_sha256", text("12")}, {"roles", text("read")}}), "64 hex digits"},
      {key({{"name", text("a")}, {"key", text(kSecret)}}), "roles"},
      {key({{"name", text("a")}, {"key", text(kSecret)}, {"roles", text("publisher")}}), "did you mean \"publish\""},
      {key({{"key", text(kSecret)}, {"roles", text("read")}}), "name"}};
  for (const auto& [node, complaint] : cases) {
    const Read read({node});
    EXPECT_THAT(read.complaints(), HasSubstr(complaint));
    EXPECT_TRUE(read.found->empty()) << complaint;
  }
  const Read misspelt({key({{"name", text("a")}, {"key", text(kSecret)}, {"roles", text("read")}, {"tenat", text("x")}})});
  EXPECT_THAT(misspelt.complaints(), HasSubstr("tenant"));
}

TEST(ApiCaller, TakesRolesOfTokensOnlyWithTheirPrefix) {
  const ApiCaller user = caller_from({.user_id = "ada", .roles = {"publish", "api:read"}});
  EXPECT_TRUE(user.may("read"));
  EXPECT_FALSE(user.may("publish"));
  EXPECT_EQ(user.tenant, "");
  EXPECT_EQ(caller_from({.user_id = "root", .roles = {"admin"}}).tenant, std::nullopt);
  EXPECT_EQ(caller_from({.user_id = "root", .tenant = "acme", .roles = {"admin"}}).tenant, "acme");
}

HttpRequest from(std::string address, std::vector<std::pair<std::string_view, std::string_view>> headers) {
  return {.method = "GET", .path = "/", .query = {}, .body = {}, .address = std::move(address), .headers = std::move(headers)};
}

TEST(ApiCredential, IsOneHeaderOrIsBad) {
  using Found = ApiCredential::Found;
  EXPECT_EQ(credential_of(from("", {})).found, Found::kNone);
  EXPECT_EQ(credential_of(from("", {{"Authorization", "bearer  x"}})).secret, "x");
  EXPECT_EQ(credential_of(from("", {{"X-API-Key", "y"}})).secret, "y");
  const std::string long_one(kApiCredentialBytesMax + 1, 'x');
  EXPECT_EQ(credential_of(from("", {{"Authorization", "Basic x"}})).found, Found::kBad);
  EXPECT_EQ(credential_of(from("", {{"Authorization", "Bearer "}})).found, Found::kBad);
  EXPECT_EQ(credential_of(from("", {{"X-Api-Key", ""}})).found, Found::kBad);
  EXPECT_EQ(credential_of(from("", {{"X-Api-Key", long_one}})).found, Found::kBad);
  EXPECT_EQ(credential_of(from("", {{"X-Api-Key", "a"}, {"Authorization", "Bearer a"}})).found, Found::kBad);
}

TEST(OpenHere, IsForThisMachineAndItsOwnPagesOnly) {
  EXPECT_TRUE(open_here(from("127.0.0.1", {{"Host", "localhost:4000"}})));
  EXPECT_TRUE(open_here(from("::1", {{"Host", "[::1]:4000"}})));
  EXPECT_TRUE(open_here(from("127.0.0.1", {{"Host", "127.0.0.1:4000"}, {"Origin", "http://127.0.0.1:4000"}})));
  EXPECT_FALSE(open_here(from("192.0.2.1", {{"Host", "localhost"}})));
  EXPECT_FALSE(open_here(from("127.0.0.1", {{"Host", "localhost"}, {"X-Forwarded-For", "192.0.2.1"}})));
  EXPECT_FALSE(open_here(from("127.0.0.1", {{"Host", "localhost"}, {"Forwarded", "for=192.0.2.1"}})));
  for (const std::string_view host : {"", "evil.example", "127.evil.example", "localhost.evil.example", "[::2]", "[::1"}) {
    EXPECT_FALSE(open_here(from("127.0.0.1", {{"Host", host}}))) << host;
  }
  for (const std::string_view origin : {"null", "http://evil.example", "http://localhost:4001", "http://localhost:4000.evil.example"}) {
    EXPECT_FALSE(open_here(from("127.0.0.1", {{"Host", "localhost:4000"}, {"Origin", origin}}))) << origin;
  }
}

}  // namespace
}  // namespace tidewire::server
