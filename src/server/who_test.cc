#include "server/who.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidewire::server {
namespace {

using Answer = Who::Answer;
using ::testing::HasSubstr;

Who who(std::vector<std::string> terms, Who::Of of = Who::Of::kRoom) {
  auto parsed = Who::parse(terms, of);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return parsed.value_or(Who());
}

const Identity kNobody{};
const Identity kAda{.user_id = "ada",
                    .tenant = "red",
                    .roles = {"editor"},
                    .projects = {"apollo", "7"},
                    .claims = Value::object({{"teams", Value::array({"blue", 12})}, {"group", "g1"}})};

TEST(Who, EverybodyIsThePublic) {
  EXPECT_EQ(Who().admits(kNobody, ""), Answer::kYes);
  EXPECT_EQ(who({"public"}).admits(kNobody, "x"), Answer::kYes);
}

TEST(Who, ATokenMakesTheDifferenceBetweenNotYetAndNo) {
  EXPECT_EQ(who({"authenticated"}).admits(kNobody, ""), Answer::kNeedsToken);
  EXPECT_EQ(who({"authenticated"}).admits(kAda, ""), Answer::kYes);
  EXPECT_EQ(who({"role:admin"}).admits(kNobody, ""), Answer::kNeedsToken);
  EXPECT_EQ(who({"role:admin"}).admits(kAda, ""), Answer::kNo);
  EXPECT_EQ(who({"role:editor"}).admits(kAda, ""), Answer::kYes);
  EXPECT_EQ(who({"nobody"}).admits(kNobody, ""), Answer::kNo);
  EXPECT_EQ(who({"nobody"}).admits(kAda, ""), Answer::kNo);
}

TEST(Who, ComparesRolesAndIdsByteByByte) {
  EXPECT_EQ(who({"role:Editor"}).admits(kAda, ""), Answer::kNo);
  EXPECT_EQ(who({"own"}).admits(kAda, "Ada"), Answer::kNo);
  EXPECT_EQ(who({"own"}).admits(kAda, "ada"), Answer::kYes);
}

TEST(Who, NobodyOwnsAnEmptyName) { EXPECT_EQ(who({"own"}).admits(kNobody, ""), Answer::kNeedsToken); }

TEST(Who, LooksIntoClaims) {
  EXPECT_EQ(who({"claim:projects"}).admits(kAda, "apollo"), Answer::kYes);
  EXPECT_EQ(who({"claim:projects"}).admits(kAda, "gemini"), Answer::kNo);
  EXPECT_EQ(who({"claim:projects"}).admits(kAda, ""), Answer::kNo);
  EXPECT_EQ(who({"claim:teams"}).admits(kAda, "blue"), Answer::kYes);
  EXPECT_EQ(who({"claim:teams"}).admits(kAda, "12"), Answer::kYes);
  EXPECT_EQ(who({"claim:teams"}).admits(kAda, "1"), Answer::kNo);
  EXPECT_EQ(who({"claim:group"}).admits(kAda, "g1"), Answer::kYes);
  EXPECT_EQ(who({"claim:tenant"}).admits(kAda, "red"), Answer::kYes);
  EXPECT_EQ(who({"claim:missing"}).admits(kAda, "x"), Answer::kNo);
}

TEST(Who, OneOfAListIsEnoughAndAskingComesLast) {
  const Who list = who({"role:admin", "claim:projects", "ask"});
  EXPECT_EQ(list.admits(kAda, "apollo"), Answer::kYes);
  EXPECT_EQ(list.admits(kAda, "gemini"), Answer::kAsk);
  EXPECT_EQ(list.text(), "role:admin, claim:projects, ask");
}

TEST(Who, SaysWhatIsWrong) {
  const auto wrong = [](std::vector<std::string> terms, Who::Of of) { return Who::parse(terms, of).status().message(); };
  EXPECT_THAT(wrong({"admin"}, Who::Of::kRoom), HasSubstr("\"admin\" is no right"));
  EXPECT_THAT(wrong({"role:"}, Who::Of::kRoom), HasSubstr("names nothing"));
  EXPECT_THAT(wrong({"own"}, Who::Of::kEvent), HasSubstr("right to a room"));
  EXPECT_THAT(wrong({"claim:x"}, Who::Of::kEvent), HasSubstr("right to a room"));
  EXPECT_THAT(wrong({}, Who::Of::kRoom), HasSubstr("empty list"));
}

}  // namespace
}  // namespace tidewire::server
