// The tables of a configuration that are more than values: rooms, events, namespaces. What they mean, and what is wrong with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config_file.h"
#include "server/contract.h"
#include "server/defaults.h"
#include "server/namespace_rules.h"
#include "server/room_rules.h"

namespace tidewire::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

ConfigNode table(std::string_view toml, std::string_view key) {
  ConfigErrors errors;
  const auto tree = parse_toml(toml, "t.toml", errors);
  EXPECT_TRUE(tree && errors.empty());
  const ConfigNode* found = tree->find(key);
  return found == nullptr ? ConfigNode() : *found;
}

// ---- rooms

RoomRules rooms(std::string_view toml, std::string_view defaults = "") {
  ConfigErrors errors;
  RoomRules rules;
  rules.read(table(defaults, "rooms"), table(toml, "rooms"), errors);
  EXPECT_THAT(errors.lines(), IsEmpty());
  return rules;
}
std::vector<std::string> room_errors(std::string_view toml) {
  ConfigErrors errors;
  RoomRules rules;
  rules.read({}, table(toml, "rooms"), errors);
  return errors.lines();
}

TEST(RoomRules, TheMostParticularPatternDecides) {
  const RoomRules rules = rooms("[[rooms]]\npattern='{room}'\njoin='public'\n[[rooms]]\npattern='vip'\njoin='role:vip'\n"
                                "[[rooms]]\npattern='order:{id}'\njoin='claim:orders'\n");
  EXPECT_EQ(rules.find("lobby")->rule->pattern.text(), "{room}");
  EXPECT_EQ(rules.find("vip")->rule->join.text(), "role:vip");
  EXPECT_EQ(rules.find("order:7")->parameter, "7");
  EXPECT_FALSE(rules.find("order:7:8"));
  EXPECT_FALSE(rules.find("other:7"));
}

TEST(RoomRules, MayNameThePlaceholderThatCounts) {
  const RoomRules rules = rooms("[[rooms]]\npattern='doc:{project}:{id}'\njoin='claim:documents'\nparameter='id'\n");
  EXPECT_EQ(rules.find("doc:p:d")->parameter, "d");
}

TEST(RoomRules, OnesOwnTakeThePlaceOfDefaultsOfTheSameShape) {
  const RoomRules rules = rooms("[[rooms]]\npattern='project:{name}'\njoin='public'\n",
                                "[[rooms]]\npattern='project:{id}'\njoin='nobody'\n[[rooms]]\npattern='global'\njoin='public'\n");
  EXPECT_EQ(rules.rules().size(), 2u);
  EXPECT_TRUE(rules.find("project:7")->rule->join.is_public());
  EXPECT_TRUE(rules.find("global"));
}

TEST(RoomRules, OfAnotherShapeDecideNotOverTheRoomsOfUsers) {
  const RoomRules rules = rooms("[[rooms]]\npattern='{kind}:{id}'\njoin='public'\n[[rooms]]\npattern='{kind}:{a}:{b}'\njoin='public'\n");
  EXPECT_TRUE(rules.find("order:7"));
  EXPECT_FALSE(rules.find("user:bob"));
  EXPECT_FALSE(rules.find("user:bob:7"));
  EXPECT_TRUE(rooms("[[rooms]]\npattern='user:{id}'\njoin='role:staff'\n").find("user:bob"));
}

TEST(RoomRules, KnowTheRoomThatIsAUsersOwn) {
  const RoomRules rules = rooms("[[rooms]]\npattern='user:{id}'\njoin='own'\nauto_join=true\n[[rooms]]\npattern='diary:{id}:draft'\njoin='own'\nauto_join=true\n");
  const RoomRule& user = *rules.find("user:x")->rule;
  const RoomRule& diary = *rules.find("diary:x:draft")->rule;
  EXPECT_EQ(user.own_room({.user_id = "ada"}), "user:ada");
  EXPECT_EQ(user.own_room({.user_id = "urn:uuid:7"}), "user:urn:uuid:7");
  EXPECT_EQ(diary.own_room({.user_id = "ada"}), "diary:ada:draft");
  EXPECT_EQ(diary.own_room({.user_id = "ada:7"}), std::nullopt) << "it could be taken for another room";
  EXPECT_EQ(user.own_room({}), std::nullopt);
  EXPECT_EQ(user.own_room({.user_id = std::string(124, 'u')}), std::nullopt);
  EXPECT_EQ(rooms("[[rooms]]\npattern='user:{id}'\njoin='own'\n").find("user:x")->rule->own_room({.user_id = "ada"}), std::nullopt);
}

TEST(RoomRules, NobodyJoinsWhatNobodyMay) {
  EXPECT_EQ(rooms("[[rooms]]\npattern='a'\n").find("a")->rule->join.admits({.user_id = "u"}, ""), Who::Answer::kNo);
}

TEST(RoomRules, SayWhatIsWrongAndWhere) {
  EXPECT_THAT(room_errors("[[rooms]]\njoin='public'\n"), Contains(AllOf(StartsWith("t.toml:"), HasSubstr("pattern"))));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a:{'\n"), Contains(StartsWith("t.toml:2:")));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a'\njoin=['friends']\n"), Contains(AllOf(StartsWith("t.toml:3:"), HasSubstr("\"friends\""))));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a:{b}'\njoin='own'\nparameter='c'\n"), Contains(HasSubstr("is no placeholder")));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a'\njoin='ask'\n"), Contains(HasSubstr("name a question")));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a:{b}'\njoin='public'\nauto_join=true\n"), Contains(HasSubstr("auto_join")));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a:{b}'\n[[rooms]]\npattern='a:{c}'\n"), Contains(HasSubstr("match the same rooms")));
  EXPECT_THAT(room_errors("[[rooms]]\npattern='a'\njion='public'\n"), Contains(HasSubstr("did you mean \"join\"")));
}

// ---- events

Contracts contracts(std::string_view toml, std::string_view defaults = "") {
  ConfigErrors errors;
  Contracts read = read_contracts(table(defaults, "events"), table(toml, "events"), 1'000, errors);
  EXPECT_THAT(errors.lines(), IsEmpty());
  return read;
}
std::vector<std::string> event_errors(std::string_view toml, std::size_t names_max = 1'000) {
  ConfigErrors errors;
  static_cast<void>(read_contracts({}, table(toml, "events"), names_max, errors));
  return errors.lines();
}

TEST(Contract, AnEmptyOneIsForEverybodyAndGoesNowhere) {
  const Contracts read = contracts("[[events]]\nname='a'\n");
  ASSERT_EQ(read.size(), 1u);
  const Contract& contract = *read.front();
  EXPECT_TRUE(contract.from.is_public());
  EXPECT_EQ(contract.audience, Contract::Audience::kNobody);
  EXPECT_EQ(contract.emit, "a");
  EXPECT_EQ(contract.namespace_name, "/");
  EXPECT_FALSE(contract.reads_payload);
}

TEST(Contract, TheRoomThatASenderChoosesIsOneItMustBeIn) {
  EXPECT_EQ(contracts("[[events]]\nname='a'\nto='project:{id}'\n").front()->member_of->text(), "project:{id}");
  EXPECT_EQ(contracts("[[events]]\nname='a'\nto='{room}'\n").front()->member_of->text(), "{room}");
  EXPECT_EQ(contracts("[[events]]\nname='a'\nto='project:{id}:chat'\n").front()->member_of->text(), "project:{id}:chat");
  EXPECT_FALSE(contracts("[[events]]\nname='a'\nto='news'\n").front()->member_of);
  EXPECT_FALSE(contracts("[[events]]\nname='a'\nto='project:{id}'\nmember_of=''\n").front()->member_of);
  EXPECT_THAT(event_errors("[[events]]\nname='a'\nto=['x:{a}','y:{b}']\n"), Contains(HasSubstr("names several rooms")));
}

TEST(Contract, ReadsThePayloadOnlyWhenSomethingLooksIntoIt) {
  EXPECT_FALSE(contracts("[[events]]\nname='a'\nto='*'\nrate='1/s'\nfrom='authenticated'\n").front()->reads_payload);
  for (const char* key : {"schema={}", "to='r:{x}'", "join='r:{x}'", "leave='{x}'", "ask='q'", "to='*'\nstamp={a='{time}'}", "reply={a=1}"}) {
    EXPECT_TRUE(contracts(std::string("[[events]]\nname='a'\n") + key + "\n").front()->reads_payload) << key;
  }
}

TEST(Contract, OnesOwnTakeThePlaceOfDefaultsByAnyName) {
  const Contracts read = contracts("[[events]]\nname='mine'\naliases=['say']\n", "[[events]]\nname='say'\n[[events]]\nname='echo'\n");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0]->name, "mine");
  EXPECT_EQ(read[1]->name, "echo");
}

TEST(Contract, AnotherNamespaceIsAnotherEvent) {
  EXPECT_EQ(contracts("[[events]]\nname='a'\n[[events]]\nname='a'\nnamespace='/b'\n").size(), 2u);
}

TEST(Contract, SaysWhatIsWrongAndWhere) {
  const auto one = [](std::string_view lines) { return event_errors("[[events]]\nname='a'\n" + std::string(lines)); };
  EXPECT_THAT(one("from='own'\n"), ElementsAre(AllOf(StartsWith("t.toml:3:"), HasSubstr("right to a room"))));
  EXPECT_THAT(one("rate='fast'\n"), ElementsAre(StartsWith("t.toml:3:")));
  EXPECT_THAT(one("schema={typ='object'}\n"), ElementsAre(AllOf(StartsWith("t.toml:3:"), HasSubstr("\"type\""))));
  EXPECT_THAT(one("schema='{'\n"), ElementsAre(HasSubstr("is no JSON")));
  EXPECT_THAT(one("to='r:{sender.shoe}'\n"), Contains(HasSubstr("sender.shoe")));
  EXPECT_THAT(one("to='r:{claims}'\n"), Contains(HasSubstr("claims.team")));
  EXPECT_THAT(one("to='a'\nto_rooms='b:{c}'\n"), ElementsAre(HasSubstr("two answers")));
  EXPECT_THAT(one("others=true\n"), ElementsAre(HasSubstr("to whom")));
  EXPECT_THAT(one("aliases=['auth_refresh']\n"), ElementsAre(HasSubstr("the server's own event")));
  EXPECT_THAT(one("reply=7\n"), ElementsAre(HasSubstr("reply")));
  EXPECT_THAT(one("to='*'\nemit='disconnect'\n"), ElementsAre(HasSubstr("word of the protocol")));
  for (const char* key : {"priority='high'", "ttl='1s'", "coalesce='1s'", "history=20", "durable=true"}) {
    EXPECT_THAT(one(std::string(key) + "\n"), ElementsAre(HasSubstr("is not available yet"))) << key;
  }
  EXPECT_THAT(one("namespase='/'\n"), ElementsAre(HasSubstr("did you mean \"namespace\"")));
  EXPECT_THAT(event_errors("[[events]]\nname='a'\n[[events]]\nname='b'\naliases=['a']\n"), ElementsAre(AllOf(StartsWith("t.toml:3:"), HasSubstr("\"a\" has a contract"))));
  EXPECT_THAT(event_errors("[[events]]\nname='a'\naliases=['b','c']\n", 2), ElementsAre(HasSubstr("3 event names")));
}

TEST(Contract, ShowsItself) {
  const Value shown = contracts("[[events]]\nname='a'\nrate='10/s burst 20'\nto='r:{x}'\nothers=true\nstamp={by='{sender.id}'}\nreply={n=1}\n").front()->to_value();
  EXPECT_EQ(shown["stamp"]["by"], Value("{sender.id}"));
  EXPECT_EQ(shown["reply"]["n"], Value(1));
  EXPECT_EQ(shown["rate"], Value("10/s burst 20"));
  EXPECT_EQ(shown["member_of"], Value("r:{x}"));
  EXPECT_EQ(shown["others"], Value(true));
  EXPECT_EQ(shown["declared_at"], Value("t.toml:1"));
}

TEST(Defaults, AreRulesThatCompile) {
  const DefaultRules defaults = default_rules();
  ConfigErrors errors;
  RoomRules rules;
  rules.read(defaults.rooms, {}, errors);
  const Contracts read = read_contracts(defaults.events, {}, 1'000, errors);
  EXPECT_THAT(errors.lines(), IsEmpty());
  EXPECT_TRUE(rules.find("user:7")->rule->join.is_own());
  EXPECT_GT(read.size(), 5u);
}

// ---- namespaces

TEST(NamespaceRules, ANameComesBeforeAPattern) {
  ConfigErrors errors;
  const auto rules = NamespaceRules::read(
      table("[[namespaces]]\npattern='/org-[a-z]+'\nanonymous=false\n[[namespaces]]\nname='/org-open'\nanonymous=true\n", "namespaces"), true, errors);
  EXPECT_THAT(errors.lines(), IsEmpty());
  EXPECT_TRUE(rules.declares("/"));
  EXPECT_TRUE(rules.may_be_anonymous("/"));
  EXPECT_FALSE(rules.may_be_anonymous("/org-red"));
  EXPECT_TRUE(rules.may_be_anonymous("/org-open"));
  EXPECT_EQ(rules.rules()[1].name, "/org-open") << "else it would be made as a child of the pattern";
  EXPECT_FALSE(NamespaceRules::read({}, false, errors).may_be_anonymous("/"));
}

TEST(NamespaceRules, SayWhatIsWrong) {
  const auto wrong = [](std::string_view lines) {
    ConfigErrors errors;
    static_cast<void>(NamespaceRules::read(table("[[namespaces]]\n" + std::string(lines), "namespaces"), true, errors));
    return errors.lines();
  };
  EXPECT_THAT(wrong("anonymous=true\n"), ElementsAre(HasSubstr("either a name or a pattern")));
  EXPECT_THAT(wrong("name='/a'\npattern='/b'\n"), ElementsAre(HasSubstr("either a name or a pattern")));
  EXPECT_THAT(wrong("name='a'\n"), ElementsAre(HasSubstr("begins with '/'")));
  EXPECT_THAT(wrong("pattern='/('\n"), ElementsAre(HasSubstr("no expression")));
  EXPECT_THAT(wrong("name='/a'\n[[namespaces]]\nname='/a'\n"), ElementsAre(HasSubstr("declared twice")));
}

}  // namespace
}  // namespace tidewire::server
