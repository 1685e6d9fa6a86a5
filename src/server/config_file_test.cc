#include "server/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace tidewire::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

class ConfigText : public testing::Test {
 protected:
  std::optional<ConfigNode> toml(std::string_view text) { return parse_toml(text, "t.toml", errors); }
  std::optional<ConfigNode> json(std::string_view text) { return parse_json(text, "rooms", "TIDEWIRE_ROOMS", errors); }
  std::string error() {
    return errors.lines().size() == 1 ? errors.lines()[0] : std::to_string(errors.lines().size()) + " errors";
  }
  ConfigErrors errors;
};

TEST_F(ConfigText, KeepsTheOrderOfTheFileAndItsLines) {
  const auto root = toml("z = 1\n[m]\nb = 2\na = [\n  'x',\n  'y',\n]\n[[k]]\n[[k]]\nq.r = 3\n");
  ASSERT_TRUE(root);
  std::vector<std::string> keys;
  for (const auto& member : root->members()) keys.push_back(member.key);
  EXPECT_THAT(keys, ElementsAre("z", "m", "k"));
  EXPECT_EQ(root->find("m")->members()[0].key, "b");
  EXPECT_EQ(root->find("m")->find("a")->items()[1].source().text(), "t.toml:6");
  EXPECT_EQ(root->find("m")->find("a")->items()[1].path(), "m.a[1]");
  EXPECT_EQ(root->find("k")->items()[1].find("q")->find("r")->path(), "k[1].q.r");
  EXPECT_EQ(root->find("k")->items()[1].source().text(), "t.toml:9");
}

TEST_F(ConfigText, SaysWhereTheGrammarIsBroken) {
  EXPECT_FALSE(toml("[server]\nport = \n"));
  EXPECT_THAT(error(), StartsWith("t.toml:2:8: "));
}

TEST_F(ConfigText, AKeyTwiceIsRefused) {
  EXPECT_FALSE(toml("a = 1\na = 2\n"));
  EXPECT_THAT(error(), StartsWith("t.toml:2:"));
}

TEST_F(ConfigText, BadUtf8IsRefused) {
  EXPECT_FALSE(toml("a = \"\xff\"\n"));
  EXPECT_THAT(error(), StartsWith("t.toml:1:"));
}

TEST_F(ConfigText, DatesAreRefused) {
  EXPECT_FALSE(toml("a = 1\nb = 2026-01-01\nc = 12:00:00\n"));
  EXPECT_EQ(error(), "t.toml:2: b is a date or a time; no key has such a value: write it as text, in quotes");
}

TEST_F(ConfigText, EveryTruncationIsAnAnswer) {
  const std::string whole = "a = \"x\\u00e9\"\n[b.c]\nd = [1, {e = 2.5}]\n[[f]]\ng = true\n";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ConfigErrors some;
    const bool understood = parse_toml(whole.substr(0, length), "t", some).has_value();
    EXPECT_EQ(understood, some.empty()) << length;
  }
}

TEST_F(ConfigText, NestsSoDeep) {
  const auto nested = [](std::size_t depth) {
    return "a = " + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "\n";
  };
  EXPECT_TRUE(toml(nested(kConfigDepthMax)));
  EXPECT_TRUE(errors.empty());
  EXPECT_FALSE(toml(nested(kConfigDepthMax + 1)));
  EXPECT_THAT(error(), testing::HasSubstr("is nested more than 32 deep"));
  EXPECT_FALSE(toml(nested(100'000)));
}

TEST_F(ConfigText, DotsNestAsWell) {
  std::string key = "[a";
  for (int i = 0; i < 300'000; ++i) key += ".a";
  EXPECT_FALSE(toml("x = 1\n" + key + "]\n"));
  EXPECT_EQ(error(), "t.toml:2: a key is nested more than 32 deep");
  std::string quoted = "[\"a=\"";
  for (int i = 0; i < 40; ++i) quoted += ".\"a=\"";
  EXPECT_FALSE(toml(quoted + "]\n"));
  EXPECT_TRUE(toml("text = '...........................................................'\n"));
}

TEST_F(ConfigText, ListsAreBounded) {
  const auto list = [](std::size_t entries) {
    std::string text = "a = [";
    for (std::size_t i = 0; i < entries; ++i) text += "1,";
    return text + "]\n";
  };
  EXPECT_TRUE(toml(list(kConfigListEntriesMax)));
  EXPECT_FALSE(toml(list(kConfigListEntriesMax + 1)));
  EXPECT_EQ(error(), "t.toml:1: a has more than 10000 entries");
}

TEST_F(ConfigText, AllTogetherIsBounded) {
  std::string text = "a = [";
  for (int i = 0; i < 40; ++i) {
    text += "[";
    for (int j = 0; j < 6'000; ++j) text += "1,";
    text += "],";
  }
  EXPECT_FALSE(toml(text + "]\n"));
  EXPECT_EQ(error(), "t.toml:1: more than 200000 values in all");
}

TEST_F(ConfigText, LengthIsBounded) {
  const std::string comment(kConfigFileBytesMax - 1, '#');
  EXPECT_TRUE(toml(comment + "\n"));
  EXPECT_FALSE(toml(comment + "\n\n"));
  EXPECT_EQ(error(), "t.toml: has more than 1048576 bytes");
}

TEST_F(ConfigText, JsonIsTheSameTree) {
  const auto from_json = json(R"([{"name":"a","max":5,"share":0.5,"on":true,"roles":["x"]}])");
  const auto from_toml = toml("[[rooms]]\nname = 'a'\nmax = 5\nshare = 0.5\non = true\nroles = ['x']\n");
  ASSERT_TRUE(from_json && from_toml);
  EXPECT_EQ(*from_json, *from_toml->find("rooms"));
  EXPECT_EQ(from_json->items()[0].find("name")->path(), "rooms[0].name");
  EXPECT_EQ(from_json->items()[0].find("name")->source().text(), "TIDEWIRE_ROOMS");
}

TEST_F(ConfigText, BadJsonIsSaid) {
  EXPECT_FALSE(json("[{]"));
  EXPECT_THAT(error(), StartsWith("TIDEWIRE_ROOMS: this is no JSON: "));
}

TEST_F(ConfigText, NullIsNoValue) {
  EXPECT_FALSE(json(R"([{"name":null}])"));
  EXPECT_EQ(error(), "TIDEWIRE_ROOMS: rooms[0].name is null; leave out what has no value");
}

TEST_F(ConfigText, JsonIsBoundedToo) {
  EXPECT_FALSE(json(std::string(40, '[') + std::string(40, ']')));
  EXPECT_FALSE(json("[" + std::string(kConfigFileBytesMax, ' ') + "]"));
  EXPECT_EQ(errors.lines().size(), 2u);
}

TEST_F(ConfigText, OfAFileThatIsNotThere) {
  EXPECT_FALSE(read_config_file("/nonexistent/tidewire.toml", errors));
  EXPECT_EQ(error(), "/nonexistent/tidewire.toml: cannot be opened: No such file or directory");
}

TEST_F(ConfigText, AFolderIsNoFile) {
  EXPECT_FALSE(read_config_file(testing::TempDir(), errors));
  EXPECT_THAT(error(), testing::HasSubstr("cannot be read: Is a directory"));
}

TEST_F(ConfigText, OfAFile) {
  const std::string path = testing::TempDir() + "config_file_test.toml";
  std::ofstream(path) << "a = 1\n";
  const auto root = read_config_file(path, errors);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->source().text(), path + ":1");
}

}  // namespace
}  // namespace tidewire::server
