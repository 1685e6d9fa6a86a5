#include "base/placeholders.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace tidewire::base {
namespace {

using enum PlaceholderError;

std::string placeholder(std::string_view num) { return "{\"_placeholder\":true,\"num\":" + std::string(num) + "}"; }

std::string to_plain(std::string_view text, const std::vector<Bytes>& attachments) {
  std::string out;
  placeholders_to_bytes_form(text, attachments, out);
  return out;
}

TEST(Placeholders, AcceptsPlainIntegersInRange) {
  EXPECT_EQ(validate_placeholders("\"x\"," + placeholder("0") + ",[" + placeholder("1") + "]", 2), kOk);
  EXPECT_EQ(validate_placeholders(placeholder("0") + "," + placeholder("0"), 1), kOk);
  EXPECT_EQ(validate_placeholders("1,2,3", 3), kOk);
  EXPECT_EQ(validate_placeholders("{\"num\":0,\"_placeholder\":true,\"more\":1}", 1), kOk);
}

TEST(Placeholders, RefusesEverythingElse) {
  for (const char* num :
       {"0.5", "0.0", "1e0", "0e0", "-0", "-1", "\"splice\"", "\"0\"", "null", "true", "[]", "{}", "[0]"}) {
    EXPECT_EQ(validate_placeholders(placeholder(num), 3), kBadNumber) << num;
  }
  for (const char* num : {"1", "5", "99999999999999999999999"})
    EXPECT_EQ(validate_placeholders(placeholder(num), 1), kOutOfRange) << num;
  EXPECT_EQ(validate_placeholders("{\"_placeholder\":true}", 1), kBadNumber);
  EXPECT_EQ(validate_placeholders("[[{\"a\":" + placeholder("7") + "}]]", 1), kOutOfRange);
}

TEST(Placeholders, SeesWhatJavaScriptSees) {
  EXPECT_EQ(validate_placeholders("{\"\\u005fplaceholder\":true,\"num\":9}", 1), kOutOfRange);
  EXPECT_EQ(validate_placeholders("{\"_placeholder\":true,\"nu\\u006d\":0}", 1), kOk);
  EXPECT_EQ(validate_placeholders("{\"_placeholder\":true,\"num\":9,\"num\":0}", 1), kOk);
  EXPECT_EQ(validate_placeholders("{\"_placeholder\":true,\"num\":0,\"num\":\"x\"}", 1), kBadNumber);
  EXPECT_EQ(validate_placeholders("{\"_placeholder\":true,\"_placeholder\":false,\"num\":9}", 1), kOk);
  for (const char* other : {"false", "1", "\"true\"", "null", "[true]", "{\"x\":true}"}) {
    EXPECT_EQ(validate_placeholders("{\"_placeholder\":" + std::string(other) + ",\"num\":9}", 1), kOk) << other;
  }
  EXPECT_EQ(validate_placeholders("{\"_placeholder\":{\"num\":3},\"num\":9}", 1), kOk);
  EXPECT_EQ(validate_placeholders("[\"_placeholder\",true,\"num\",9]", 1), kOk);
}

TEST(Placeholders, CountsOctetsAsOftenAsTheyAreNamed) {
  const std::vector<Bytes> attachments{Bytes("12345"), Bytes("678")};
  const std::string text = placeholder("0") + "," + placeholder("1") + "," + placeholder("0");
  EXPECT_EQ(validate_placeholders(text, attachments, 13), kOk);
  EXPECT_EQ(validate_placeholders(text, attachments, 12), kTooLarge);
  EXPECT_EQ(validate_placeholders(placeholder("2"), attachments, 100), kOutOfRange);
  EXPECT_EQ(validate_placeholders(placeholder("0.5"), attachments, 100), kBadNumber);
}

TEST(Placeholders, BecomeBytesForPlainClients) {
  const std::vector<Bytes> attachments{Bytes("Hello"), Bytes()};
  EXPECT_EQ(to_plain("1," + placeholder("0"), attachments), "1,{\"$bytes\":\"SGVsbG8=\"}");
  EXPECT_EQ(to_plain("{\"a\":[" + placeholder("1") + ", " + placeholder("0") + "],\"b\":2}", attachments),
            "{\"a\":[{\"$bytes\":\"\"}, {\"$bytes\":\"SGVsbG8=\"}],\"b\":2}");
  EXPECT_EQ(to_plain("{\"_placeholder\":true,\"x\":" + placeholder("1") + ",\"num\":0}", attachments),
            "{\"$bytes\":\"SGVsbG8=\"}");
  EXPECT_EQ(to_plain(placeholder("9"), attachments), placeholder("9"));
  EXPECT_EQ(to_plain(placeholder("0"), {}), placeholder("0"));
  EXPECT_EQ(to_plain("", attachments), "");
}

TEST(Placeholders, AreMadeOfTheBytesOfPlainClients) {
  std::string out = "before ";
  std::vector<Bytes> attachments{Bytes("earlier")};
  EXPECT_EQ(
      bytes_form_to_placeholders(
          "1, {\"$bytes\":\"SGVsbG8=\"},[{\"\\u0024bytes\":\"\"}],{\"x\":{\"$bytes\":\"\\/\\/8\"}}", out, attachments),
      kOk);
  EXPECT_EQ(out, "before 1, " + placeholder("1") + ",[" + placeholder("2") + "],{\"x\":" + placeholder("3") + "}");
  ASSERT_EQ(attachments.size(), 4u);
  EXPECT_EQ(attachments[1], Bytes("Hello"));
  EXPECT_EQ(attachments[2], Bytes());
  EXPECT_EQ(attachments[3], Bytes("\xff\xff"));
}

TEST(Placeholders, LeaveObjectsThatOnlyResembleBytes) {
  for (const char* text : {"{\"$bytes\":1}", "{\"$bytes\":null}", "{\"$bytes\":\"AA==\",\"more\":1}",
                           "{\"bytes\":\"AA==\"}", "\"$bytes\"", "{\"$bytes\":[\"AA==\"]}",
                           "{\"$bytes\":\"AA==\",\"$bytes\":\"AA==\"}", "1,2", "{\"_placeholder\":true,\"num\":0}"}) {
    std::string out;
    std::vector<Bytes> attachments;
    EXPECT_EQ(bytes_form_to_placeholders(text, out, attachments), kOk);
    EXPECT_EQ(out, text);
    EXPECT_TRUE(attachments.empty());
  }
}

TEST(Placeholders, RefuseBadBase64AndLookalikesBesideBytesAndLeaveTheOutputAlone) {
  std::string out = "kept";
  std::vector<Bytes> attachments;
  EXPECT_EQ(bytes_form_to_placeholders("{\"$bytes\":\"AA==\"},{\"$bytes\":\"!\"}", out, attachments), kBadBase64);
  EXPECT_EQ(bytes_form_to_placeholders("{\"$bytes\":\"\\ud800\"}", out, attachments), kBadBase64);
  EXPECT_EQ(bytes_form_to_placeholders("{\"$bytes\":\"AA==\"}," + placeholder("7"), out, attachments), kNotAllowed);
  std::vector<Bytes> earlier{Bytes("x")};
  EXPECT_EQ(bytes_form_to_placeholders(placeholder("7"), out, earlier), kNotAllowed);
  EXPECT_EQ(earlier.size(), 1u);
  EXPECT_EQ(out, "kept");
  EXPECT_TRUE(attachments.empty());
}

TEST(Placeholders, ComeBackFromTheirPlainFormAsTheyWere) {
  const std::vector<Bytes> attachments{Bytes("one"), Bytes("two"), Bytes(std::string_view("\0\xff", 2))};
  const std::string text =
      "{\"a\": " + placeholder("0") + "}, [" + placeholder("1") + "," + placeholder("2") + "] ,\"x\"";
  std::string back;
  std::vector<Bytes> decoded;
  EXPECT_EQ(bytes_form_to_placeholders(to_plain(text, attachments), back, decoded), kOk);
  EXPECT_EQ(back, text);
  EXPECT_EQ(decoded, attachments);
}

}  // namespace
}  // namespace tidewire::base
