#include "server/config_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config_file.h"

namespace tidewire::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Reading : public testing::Test {
 protected:
  ConfigNode toml(std::string_view text) {
    std::optional<ConfigNode> node = parse_toml(text, "t.toml", errors);
    return node ? *std::move(node) : ConfigNode();
  }
  ConfigErrors errors;
};

TEST_F(Reading, AnswersWithWhatTheTableSays) {
  const ConfigNode root = toml(
      "name = 'n'\ncount = 7\nratio = 0.5\nwhole = 2\non = true\none = 'a'\nmany = ['a', 'b']\n"
      "wait = '2m'\nwait_ms = 250\nsize = '64KiB'\nlength = '2h'\n[schema]\ntype = 'object'\n[[rooms]]\nname = 'x'\n");
  ConfigReader reader(root, errors);
  EXPECT_EQ(reader.required_text("name"), "n");
  EXPECT_EQ(reader.number("count", 1), 7);
  EXPECT_EQ(reader.real("ratio", 1, 0, 1), 0.5);
  EXPECT_EQ(reader.real("whole", 1, 0, 9), 2);
  EXPECT_TRUE(reader.flag("on", false));
  EXPECT_THAT(reader.texts("one"), ElementsAre("a"));
  EXPECT_THAT(reader.texts("many"), ElementsAre("a", "b"));
  EXPECT_EQ(reader.duration_ms("wait", 0), 120'000);
  EXPECT_EQ(reader.duration_ms("wait_ms", 0), 250);
  EXPECT_EQ(reader.duration_s("length", 0), 7200);
  EXPECT_EQ(reader.size_bytes("size", 0), 65'536);
  ASSERT_NE(reader.table("schema"), nullptr);
  EXPECT_EQ(reader.table("schema")->to_value().to_json(), R"({"type":"object"})");
  const auto rooms = reader.tables("rooms");
  ASSERT_EQ(rooms.size(), 1u);
  EXPECT_EQ(rooms[0]->path(), "rooms[0]");
  EXPECT_EQ(rooms[0]->find("name")->source().text(), "t.toml:15");
  reader.finish();
  EXPECT_THAT(errors.lines(), IsEmpty());
}

TEST_F(Reading, AnAbsentKeyHasItsDefault) {
  const ConfigNode root = toml("");
  ConfigReader reader(root, errors);
  EXPECT_EQ(reader.text("a", "x"), "x");
  EXPECT_EQ(reader.number("b", 3, {5, 6}), 3);
  EXPECT_EQ(reader.duration_ms("c", 4), 4);
  EXPECT_THAT(reader.texts("d", {"y"}), ElementsAre("y"));
  EXPECT_EQ(reader.table("e"), nullptr);
  EXPECT_THAT(reader.tables("f"), IsEmpty());
  EXPECT_FALSE(reader.has("g"));
  EXPECT_TRUE(errors.empty());
}

TEST_F(Reading, SaysWhatIsWrongAndWhere) {
  const ConfigNode root = toml(
      "[[rooms]]\nempty = ''\ntext = 5\nkind = 'projct'\nnumber = 'x'\nrange = 70000\nleast = -1\nreal = 3.0\n"
      "flag = 1\ntexts = ['a', 5]\nlist = 5\nwait = '5 parsecs'\nlong = '2m'\nsize = -1\ntable = 5\ntables = [5]\n");
  const ConfigNode& room = root.find("rooms")->items()[0];
  ConfigReader reader(room, errors);
  constexpr std::array<std::string_view, 2> kKinds = {"project", "user"};
  reader.required_text("empty");
  reader.required_text("absent");
  reader.text("text", "");
  EXPECT_EQ(reader.choice("kind", kKinds, "user"), "user");
  EXPECT_EQ(reader.number("number", 9), 9);
  EXPECT_EQ(reader.number("range", 8, {0, 65535}), 8);
  reader.number("least", 8, {.least = 0});
  reader.real("real", 1, 0, 1);
  reader.flag("flag", true);
  reader.texts("texts");
  reader.texts("list");
  reader.duration_ms("wait", 5);
  reader.duration_ms("long", 5, {0, 60'000});
  reader.size_bytes("size", 5);
  reader.table("table");
  reader.tables("tables");
  EXPECT_THAT(
      errors.lines(),
      ElementsAre("t.toml:2: rooms[0].empty must not be empty", "t.toml:1: rooms[0].absent is missing",
                  "t.toml:3: rooms[0].text must be text, not a whole number",
                  "t.toml:4: rooms[0].kind is \"projct\"; it must be one of project, user; did you mean \"project\"?",
                  "t.toml:5: rooms[0].number must be a whole number, not text",
                  "t.toml:6: rooms[0].range is 70000; it must be from 0 to 65535",
                  "t.toml:7: rooms[0].least is -1; it must be at least 0",
                  "t.toml:8: rooms[0].real is 3; it must be from 0 to 1",
                  "t.toml:9: rooms[0].flag must be true or false, not a whole number",
                  "t.toml:10: rooms[0].texts[1] must be text, not a whole number",
                  "t.toml:11: rooms[0].list must be text or a list of texts, not a whole number",
                  "t.toml:12: rooms[0].wait is \"5 parsecs\"; it must be milliseconds, or text such as \"250ms\", \"5s\", "
                  "\"2m\", \"24h\"",
                  "t.toml:13: rooms[0].long is \"2m\"; it must be from 0 to 60000 ms",
                  "t.toml:14: rooms[0].size is -1; it must be at least 0 bytes",
                  "t.toml:15: rooms[0].table must be a table, not a whole number",
                  "t.toml:16: rooms[0].tables[0] must be a table, not a whole number"));
}

TEST_F(Reading, AKeyNobodyAskedForIsUnknown) {
  const ConfigNode root = toml("[server]\nprot = 1\nhsot = 'x'\nnothing_like_it = 2\nport = 3\nelsewhere = 1\n");
  ConfigReader reader(*root.find("server"), errors);
  reader.number("port", 0);
  reader.text("host", "");
  reader.ignore("elsewhere");
  reader.finish();
  EXPECT_THAT(errors.lines(), ElementsAre("t.toml:2: unknown key \"prot\" in server; did you mean \"port\"?",
                                          "t.toml:3: unknown key \"hsot\" in server; did you mean \"host\"?",
                                          "t.toml:4: unknown key \"nothing_like_it\" in server"));
}

TEST_F(Reading, ANodeThatIsNoTableIsSaidOnce) {
  const ConfigNode root = toml("rooms = [1]\n");
  ConfigReader reader(root.find("rooms")->items()[0], errors);
  EXPECT_EQ(reader.text("name", "x"), "x");
  reader.finish();
  EXPECT_THAT(errors.lines(), ElementsAre("t.toml:1: rooms[0] must be a table, not a whole number"));
  EXPECT_THAT(tables_of(root, errors), IsEmpty());
  EXPECT_EQ(errors.lines().size(), 2u);
  EXPECT_THAT(tables_of(ConfigNode(), errors), IsEmpty());
  EXPECT_EQ(errors.lines().size(), 2u);
}

TEST_F(Reading, ComplaintsEndSomewhere) {
  for (std::size_t i = 0; i < kConfigErrorsMax + 5; ++i) errors.add({.origin = "t"}, "wrong");
  EXPECT_EQ(errors.lines().size(), kConfigErrorsMax);
  EXPECT_EQ(errors.left_out(), 5u);
}

TEST(Measures, OfTime) {
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("5s"), 5000);
  EXPECT_EQ(parse_duration_ms("5 s"), 5000);
  EXPECT_EQ(parse_duration_ms("2m"), 120'000);
  EXPECT_EQ(parse_duration_ms("24h"), 86'400'000);
  EXPECT_EQ(parse_duration_ms("7d"), 604'800'000);
  for (const char* bad : {"", "s", "5", "-5s", "1.5s", "5S", "5s ", "9223372036854775807h", "99999999999999999999s"}) {
    EXPECT_EQ(parse_duration_ms(bad), std::nullopt) << bad;
  }
}

TEST(Measures, OfSize) {
  EXPECT_EQ(parse_size_bytes("10"), 10);
  EXPECT_EQ(parse_size_bytes("10B"), 10);
  EXPECT_EQ(parse_size_bytes("64KB"), 64'000);
  EXPECT_EQ(parse_size_bytes("64KiB"), 65'536);
  EXPECT_EQ(parse_size_bytes("1MB"), 1'000'000);
  EXPECT_EQ(parse_size_bytes("2GiB"), std::int64_t{2} << 30);
  for (const char* bad : {"", "KB", "1kb", "-1", "1.5MB", "9223372036854775807GB"}) {
    EXPECT_EQ(parse_size_bytes(bad), std::nullopt) << bad;
  }
}

TEST(Suggestion, IsTheNearestKeyOrNone) {
  constexpr std::array<std::string_view, 3> kKnown = {"port", "host", "shards"};
  EXPECT_EQ(suggestion("shard", kKnown), "; did you mean \"shards\"?");
  EXPECT_EQ(suggestion("ohst", kKnown), "; did you mean \"host\"?");
  EXPECT_EQ(suggestion("timeout", kKnown), "");
  EXPECT_EQ(suggestion(std::string(1000, 'x'), kKnown), "");
  EXPECT_EQ(suggestion("", kKnown), "");
}

TEST(ConfigNode, IsEqualByMeaning) {
  ConfigErrors errors;
  const auto node = [&errors](std::string_view text) { return *parse_toml(text, "t.toml", errors); };
  EXPECT_EQ(node("a = 1\nb = [1, {c = 2}]"), node("\n\nb = [1, {c = 2}]\na = 1"));
  EXPECT_FALSE(node("a = 1") == node("a = 2"));
  EXPECT_FALSE(node("a = 1") == node("a = '1'"));
  EXPECT_FALSE(node("a = [1, 2]") == node("a = [2, 1]"));
  EXPECT_FALSE(node("a = [{b = 1}]") == node("a = [{b = 2}]"));
  EXPECT_FALSE(node("a = 1") == node("a = 1\nb = 1"));
  EXPECT_EQ(ConfigNode(), ConfigNode());
}

TEST(ConfigNode, BecomesJson) {
  ConfigErrors errors;
  EXPECT_EQ(parse_toml("a = 1\nb = [true, 'x', 1.5]\n[c]\nd = {}\n", "t", errors)->to_value().to_json(),
            R"({"a":1,"b":[true,"x",1.5],"c":{"d":{}}})");
  EXPECT_TRUE(ConfigNode().to_value().is_null());
}

}  // namespace
}  // namespace tidewire::server
