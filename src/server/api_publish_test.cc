#include "server/api_publish.h"

#include <gtest/gtest.h>

#include "server/api_idempotency.h"

namespace tidewire::server {
namespace {

bool knows(std::string_view name) { return name == "/" || name == "/chat"; }

std::string code_of(std::string_view json) {
  Problem problem;
  const auto read = read_publication(*Value::parse(json), {knows, 2}, problem);
  return read.ok() ? "" : problem.code;
}
Publication read(std::string_view json) {
  Problem problem;
  return *read_publication(*Value::parse(json), {knows, 2}, problem);
}

TEST(Publication, IsForRoomsUsersSessionsSocketsOrAll) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(read(R"({"event":"e","room":"a"})").rooms, Names({"a"}));
  EXPECT_EQ(read(R"({"event":"e","rooms":["a","b"],"except":["c"]})").rooms, Names({"a", "b"}));
  EXPECT_EQ(read(R"({"event":"e","rooms":["a"],"except":["c"]})").except, Names({"c"}));
  EXPECT_EQ(read(R"({"event":"e","user":"ada"})").rooms, Names({"user:ada"}));
  EXPECT_EQ(read(R"({"event":"e","users":["a","b"]})").rooms, Names({"user:a", "user:b"}));
  EXPECT_EQ(read(R"({"event":"e","session":"s"})").rooms, Names({"session:s"}));
  EXPECT_EQ(read(R"({"event":"e","socket":"AAAAAAAAAAAAAAAAAAAA","namespace":"/chat"})").namespace_name, "/chat");
  EXPECT_TRUE(read(R"({"event":"e","all":true})").rooms.empty());
}

TEST(Publication, NamesItsReceiversExactlyOnce) {
  EXPECT_EQ(code_of(R"({"event":"e"})"), "invalid_body");
  EXPECT_EQ(code_of(R"({"event":"e","room":"a","all":true})"), "invalid_body");
  EXPECT_EQ(code_of(R"({"event":"e","user":"a","users":["b"]})"), "invalid_body");
}

TEST(Publication, RefusesNamesThatAreNone) {
  for (const std::string_view name : {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}) {
    EXPECT_EQ(code_of(R"({"all":true,"event":")" + std::string(name) + "\"}"), "invalid_event");
  }
  EXPECT_EQ(code_of(R"({"event":"e","room":""})"), "invalid_room");
  EXPECT_EQ(code_of(R"({"event":"e","room":"a\nb"})"), "invalid_room");
  EXPECT_EQ(code_of(R"({"event":"e","room":")" + std::string(129, 'a') + "\"}"), "invalid_room");
  EXPECT_EQ(code_of(R"({"event":"e","room":")" + std::string(128, 'a') + "\"}"), "");
  EXPECT_EQ(code_of(R"({"event":"e","user":")" + std::string(124, 'a') + "\"}"), "invalid_room");
  EXPECT_EQ(code_of(R"({"event":"e","all":true,"namespace":"/none"})"), "unknown_namespace");
}

TEST(Publication, HasOneArgumentOrSeveral) {
  EXPECT_EQ(read(R"({"event":"e","all":true})").arguments.size(), 0u);
  EXPECT_EQ(read(R"({"event":"e","all":true,"data":null})").arguments.text(), "null");
  EXPECT_EQ(read(R"({"event":"e","all":true,"data":{"a":1e400}})").arguments.text(), R"({"a":1e400})");
  EXPECT_EQ(read(R"({"event":"e","all":true,"args":[1,"two",[3]]})").arguments.text(), R"(1,"two",[3])");
  EXPECT_EQ(read(R"({"event":"e","all":true,"args":[1,"two",[3]]})").arguments.size(), 3u);
  EXPECT_EQ(code_of(R"({"event":"e","all":true,"args":[1],"data":1})"), "invalid_body");
}

TEST(Publication, TurnsBase64IntoOctets) {
  const Publication binary = read(R"({"event":"e","all":true,"args":[{"$bytes":"AQI="},{"in":[{"$bytes":"Aw=="}]}]})");
  ASSERT_EQ(binary.arguments.attachments().size(), 2u);
  EXPECT_EQ(binary.arguments.attachments()[0].view(), "\x01\x02");
  EXPECT_EQ(binary.arguments[1]["in"][0].as_bytes()->view(), "\x03");
  EXPECT_EQ(code_of(R"({"event":"e","all":true,"data":{"$bytes":"?"}})"), "invalid_body");
  EXPECT_EQ(code_of(R"({"event":"e","all":true,"args":[{"$bytes":"AQ=="},{"$bytes":"Ag=="},{"$bytes":"Aw=="}]})"), "invalid_body");
  EXPECT_TRUE(read(R"({"event":"e","all":true,"data":{"$bytes":"AQ==","more":1}})").arguments.attachments().empty());
}

using Claim = ApiIdempotency::Claim;
Claim claim(std::string key, std::string_view message, std::string id) {
  return {.key = std::move(key), .digest = ApiIdempotency::digest_of(message), .id = std::move(id)};
}

TEST(Idempotency, AnswersTheFirstIdWithinItsWindow) {
  ApiIdempotency table(100, 10);
  Claim claims[] = {claim("k", "m", "1")};
  EXPECT_EQ(table.claim(claims, 0), ApiIdempotency::kAllGood);
  EXPECT_FALSE(claims[0].duplicate);
  Claim again[] = {claim("k", "m", "2")};
  EXPECT_EQ(table.claim(again, 99), ApiIdempotency::kAllGood);
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].id, "1");
  Claim later[] = {claim("k", "m", "3")};
  EXPECT_EQ(table.claim(later, 100), ApiIdempotency::kAllGood);
  EXPECT_FALSE(later[0].duplicate);
}

TEST(Idempotency, RefusesAnotherMessageAndKeepsNothingOfThatBatch) {
  ApiIdempotency table(100, 10);
  Claim first[] = {claim("k", "m", "1")};
  static_cast<void>(table.claim(first, 0));
  Claim batch[] = {claim("new", "m", "2"), claim("k", "other", "3")};
  EXPECT_EQ(table.claim(batch, 0), 1u);
  EXPECT_EQ(table.size(), 1u);
  Claim twins[] = {claim("t", "m", "4"), claim("t", "m", "5")};
  EXPECT_EQ(table.claim(twins, 0), ApiIdempotency::kAllGood);
  EXPECT_TRUE(twins[1].duplicate);
  EXPECT_EQ(twins[1].id, "4");
  Claim unlike[] = {claim("u", "m", "4"), claim("u", "n", "5")};
  EXPECT_EQ(table.claim(unlike, 0), 1u);
}

TEST(Idempotency, ForgetsTheOldestAtItsBound) {
  ApiIdempotency table(1'000, 2);
  for (const char* key : {"a", "b", "c"}) {
    Claim one[] = {claim(key, "m", key)};
    static_cast<void>(table.claim(one, 0));
  }
  EXPECT_EQ(table.size(), 2u);
  Claim forgotten[] = {claim("a", "m", "again")};
  static_cast<void>(table.claim(forgotten, 0));
  EXPECT_FALSE(forgotten[0].duplicate);
  Claim unkept[] = {claim("", "m", "x"), claim("", "n", "y")};
  EXPECT_EQ(table.claim(unkept, 0), ApiIdempotency::kAllGood);
  EXPECT_EQ(table.size(), 2u);
}

}  // namespace
}  // namespace tidewire::server
