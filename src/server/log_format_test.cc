#include "server/log_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/utf8.h"
#include "tidewire/value.h"

namespace tidewire::server {
namespace {

using std::string_literals::operator""s;

constexpr std::int64_t kTimeUs = 1'769'860'800'123'456;  // 2026-01-31T12:00:00.123456Z

std::string json(std::string_view message, std::vector<LogText> fields = {}, LogLevel level = LogLevel::kInfo) {
  std::string out;
  append_json_line(out, {level, kTimeUs, message, fields});
  return out;
}

std::string human(std::string_view message, std::vector<LogText> fields = {}, bool colours = false) {
  std::string out;
  append_human_line(out, {LogLevel::kInfo, kTimeUs, message, fields}, colours);
  return out;
}

// What a peer may send to be written as something else.
const std::vector<std::string> kInjections = {
    "\n{\"level\":\"info\",\"message\":\"forged\"}",
    "\"}\n{\"level\":\"info\"",
    "\",\"level\":\"error\",\"x\":\"",
    "\\",
    "\\\"",
    "\r\n",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\0b"s,
    "\x7f\x08\x0c\x0b",
    "\xff\xfe",
    "\xc3",
    "\xed\xa0\x80",
    "\xf8\x88\x80\x80\x80",
    "\xc2\x9b" "31m",            // CSI as one character
    "\xe2\x80\xa8\xe2\x80\xa9",  // line and paragraph separator
    "\xe2\x80\xae" "cod.exe",    // from right to left
    "\xe2\x81\xa6\xef\xbb\xbf",
    "${jndi:ldap://host/a}",
    "{} {0} %s %n",
    std::string(1'000'000, '\n'),
    std::string(1'000'000, '\xff'),
};

bool one_plain_line(const std::string& line) {
  return base::valid_utf8(line) && !base::has_control_characters(line) && line.find("\xe2\x80\xa8") == std::string::npos &&
         line.find("\xe2\x80\xae") == std::string::npos;
}

TEST(JsonLine, HasTimeLevelMessageAndFields) {
  EXPECT_EQ(json("listening", {{"address", "127.0.0.1:4000"}, {"shards", "2"}}),
            R"({"time":"2026-01-31T12:00:00.123Z","level":"info","message":"listening","address":"127.0.0.1:4000","shards":"2"})");
  EXPECT_EQ(json("", {{"a", ""}}, LogLevel::kError), R"({"time":"2026-01-31T12:00:00.123Z","level":"error","message":"","a":""})");
}

TEST(JsonLine, NamesEveryLevel) {
  std::vector<std::string_view> names;
  for (const LogLevel level : {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    names.push_back(log_level_name(level));
  }
  EXPECT_THAT(names, testing::ElementsAre("trace", "debug", "info", "warn", "error"));
}

TEST(JsonLine, HoldsAnythingInOneObject) {
  for (const std::string& text : kInjections) {
    const std::string line = json(text, {{"value", text}, {text, "key"}});
    EXPECT_TRUE(one_plain_line(line));
    const Result<Value> read = Value::parse(line);
    ASSERT_TRUE(read.ok()) << line.substr(0, 200);
    EXPECT_EQ(read.value()["level"].as_string(), "info");
    EXPECT_EQ(read.value().size(), 5u);
    if (!base::valid_utf8(text)) continue;
    EXPECT_EQ(read.value()["message"].as_string(), text);
    EXPECT_EQ(read.value()["value"].as_string(), text);
    EXPECT_EQ(read.value()[text].as_string(), "key");
  }
}

TEST(JsonLine, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(Value::parse(json("a\xff\xc3z"))->operator[]("message").as_string(), "a\xef\xbf\xbd\xef\xbf\xbdz");
}

TEST(JsonLine, KeepsItsOwnFields) {
  const Result<Value> read = Value::parse(json("here", {{"time", "1"}, {"level", "off"}, {"message", "forged"}}));
  EXPECT_EQ(read.value()["message"].as_string(), "here");
  EXPECT_EQ(read.value()["level"].as_string(), "info");
  EXPECT_EQ(read.value()["message_"].as_string(), "forged");
}

TEST(JsonLine, HidesSecrets) {
  const std::string line = json("in", {{"target", "/ws?token=abc"}, {"password", "abc"}, {"secret", ""}, {"agent", "eyJabc.eyJabc.abc"}});
  EXPECT_EQ(line.find("abc"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("target":"/ws?token=***","password":"***","secret":"","agent":"***")"), std::string::npos) << line;
}

TEST(HumanLine, HasTimeLevelMessageAndFields) {
  EXPECT_EQ(human("listening", {{"address", "127.0.0.1:4000"}, {"path", "/a b"}, {"none", ""}, {"sum", "a=b"}}),
            R"(2026-01-31T12:00:00.123Z info  listening address=127.0.0.1:4000 path="/a b" none="" sum="a=b")");
}

TEST(HumanLine, HoldsAnythingInOneLineOfPlainCharacters) {
  for (const std::string& text : kInjections) {
    const std::string line = human(text, {{"value", text}, {text, "key"}});
    EXPECT_TRUE(one_plain_line(line)) << line.substr(0, 200);
    EXPECT_THAT(line, testing::StartsWith("2026-01-31T12:00:00.123Z info  "));
  }
}

TEST(HumanLine, QuotesWhatWouldForgeAField) {
  EXPECT_THAT(human("in", {{"name", "a user=root"}}), testing::EndsWith(R"( name="a user=root")"));
  EXPECT_THAT(human("in", {{"name", "a\" user=root"}}), testing::EndsWith(R"( name="a\" user=root")"));
}

TEST(HumanLine, ColoursTheLevelAlone) {
  EXPECT_EQ(human("in", {{"a", "\x1b[31m"}}, true), "2026-01-31T12:00:00.123Z \x1b[32minfo\x1b[0m  in a=\"\\u001b[31m\"");
}

TEST(HumanLine, ShowsTimesOfEveryAge) {
  std::string out;
  append_human_line(out, {LogLevel::kWarn, 0, "x", {}}, false);
  EXPECT_EQ(out, "1970-01-01T00:00:00.000Z warn  x");
  out.clear();
  append_human_line(out, {LogLevel::kWarn, -1, "x", {}}, false);
  EXPECT_EQ(out, "1969-12-31T23:59:59.999Z warn  x");
}

}  // namespace
}  // namespace tidewire::server
