#include "tidewire/arguments.h"

#include <gtest/gtest.h>

namespace chat {
struct Said {
  std::string room;
  std::optional<std::string> text;
};
TIDEWIRE_FIELDS(Said, room, text)
}  // namespace chat

namespace tidewire {
namespace {

TEST(Arguments, AreWrittenFromAnyMix) {
  const Arguments arguments =
      Arguments::of("room", 3, true, 1.5, nullptr, Value::array({1}), chat::Said{"a", "b"}, std::vector<int>{1, 2});
  EXPECT_EQ(arguments.text(), "\"room\",3,true,1.5,null,[1],{\"room\":\"a\",\"text\":\"b\"},[1,2]");
  EXPECT_EQ(arguments.size(), 8u);
  EXPECT_TRUE(arguments.attachments().empty());
  EXPECT_TRUE(Arguments::of().empty());
  EXPECT_EQ(Arguments::of().text(), "");
}

TEST(Arguments, CarryBytesBeside) {
  const Arguments arguments = Arguments::of(Bytes("one"), Value::object({{"deep", Bytes("two")}}));
  EXPECT_EQ(arguments.text(), "{\"_placeholder\":true,\"num\":0},{\"deep\":{\"_placeholder\":true,\"num\":1}}");
  ASSERT_EQ(arguments.attachments().size(), 2u);
  EXPECT_EQ(arguments[0].as_bytes(), Bytes("one"));
  EXPECT_EQ(arguments[1]["deep"].as_bytes(), Bytes("two"));
}

TEST(Arguments, AreReadByPosition) {
  const std::string text = "\"say\", {\"n\":1e400} ,[1,2]";
  const ArgumentsView view(text, 3);
  EXPECT_EQ(view.raw(1), "{\"n\":1e400}");
  EXPECT_EQ(view.raw(3), "");
  EXPECT_EQ(view[0].as_string(), "say");
  EXPECT_EQ(view[1]["n"].number_text(), "1e400");
  EXPECT_EQ(view[2][1].as_int64(), 2);
  EXPECT_TRUE(view[3].is_null());
  EXPECT_EQ(view.values().size(), 3u);
}

TEST(Arguments, AreReadAsOwnTypes) {
  const auto in = ArgumentsView("\"caf\\u00e9\",7,{\"room\":\"r\"},true", 4).as<std::string, int, chat::Said>();
  ASSERT_TRUE(in.ok()) << in.status().message();
  const auto& [name, count, said] = *in;
  EXPECT_EQ(name, "caf\xc3\xa9");
  EXPECT_EQ(count, 7);
  EXPECT_EQ(said.room, "r");
  EXPECT_TRUE(ArgumentsView().as<>().ok());
  EXPECT_TRUE((ArgumentsView("1", 1).as<int, std::optional<int>>().ok()));
  EXPECT_EQ(std::get<0>(*ArgumentsView("\"\\ud83d\"", 1).as<std::string>()), "\\ud83d");
}

TEST(Arguments, NameTheOneThatIsWrongOrMissing) {
  const ArgumentsView view("\"a\",\"b\"", 2);
  EXPECT_EQ((view.as<std::string, int>().status().message()),
            "argument 1: expected an integer in range, found a string");
  EXPECT_EQ((view.as<std::string, std::string, int>().status().message()), "argument 2: missing");
  EXPECT_EQ((view.as<int, int>().status().message()), "argument 0: expected an integer in range, found a string");
  EXPECT_EQ(ArgumentsView("1", 1).as<std::string>().status().message(),
            "argument 0: expected a string, found a number 1");
}

TEST(Arguments, SurviveAsACopyAndComeBackByteForByte) {
  Arguments kept;
  {
    std::string buffer = " 1e400 ,\"\\u0041\", {\"_placeholder\":true,\"num\":0}";
    const std::vector<Bytes> attachments{Bytes("octets")};
    const ArgumentsView view(buffer, 3, attachments);
    kept = view.copy();
    buffer.assign(buffer.size(), 'x');
  }
  EXPECT_EQ(kept.text(), " 1e400 ,\"\\u0041\", {\"_placeholder\":true,\"num\":0}");
  EXPECT_EQ(kept[2].as_bytes(), Bytes("octets"));
}

TEST(Arguments, AreSpreadAmongOthers) {
  const Arguments inner = Arguments::of(1, "\xc3\xa9");
  EXPECT_EQ(Arguments::of("first", inner, 2).text(), "\"first\",1,\"\xc3\xa9\",2");
  EXPECT_EQ(Arguments::of("first", inner, 2).size(), 4u);
  EXPECT_EQ(Arguments::of("first", Arguments(), 2).text(), "\"first\",2");
  EXPECT_EQ(Arguments::of(ArgumentsView("\"\\u00e9\"", 1)).text(), "\"\\u00e9\"") << "verbatim";

  const Arguments with_bytes = Arguments::of(Bytes("b"));
  const Arguments outer = Arguments::of(Bytes("a"), with_bytes);
  EXPECT_EQ(outer.text(), "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}");
  EXPECT_EQ(outer[1].as_bytes(), Bytes("b"));
}

TEST(Arguments, DoNotLetAPeersLookalikePassBesideBytes) {
  const ArgumentsView received("{\"_placeholder\":true,\"num\":9}", 1);
  EXPECT_EQ(Arguments::of(received).text(), received.text());
  EXPECT_EQ(Arguments::of(received, Bytes("b")).text(),
            "{\"_placeholder\":1   ,\"num\":9},{\"_placeholder\":true,\"num\":0}");
}

TEST(Arguments, ComeFromAJsonArray) {
  EXPECT_EQ(Arguments::parse(" [1, \"a\"] ")->text(), "1, \"a\"");
  EXPECT_EQ(Arguments::parse("[]")->size(), 0u);
  EXPECT_FALSE(Arguments::parse("{}").ok());
  EXPECT_FALSE(Arguments::parse("[1,]").ok());
  EXPECT_FALSE(Arguments::parse("[\"\xff\"]").ok());
}

}  // namespace
}  // namespace tidewire
