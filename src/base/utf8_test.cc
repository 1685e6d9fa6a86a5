#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace tidewire::base {
namespace {

constexpr std::string_view kGood[] = {"",
                                      "plain",
                                      "\xc2\x80",
                                      "\xdf\xbf",
                                      "\xe0\xa0\x80",
                                      "\xed\x9f\xbf",
                                      "\xee\x80\x80",
                                      "\xef\xbf\xbf",
                                      "\xf0\x90\x80\x80",
                                      "\xf4\x8f\xbf\xbf",
                                      "\xce\xba\xe1\xbd\xb9\xcf\x83",
                                      "0123456789abcdef0123456789abcde\xe2\x82\xac",
                                      "0123456\xf0\x9f\x8c\x8a rest of a long line"};
constexpr std::string_view kBad[] = {"\x80",
                                     "\xbf",
                                     "\xc0\xaf",
                                     "\xc1\xbf",
                                     "\xc2",
                                     "\xe0\x80\x80",
                                     "\xe0\x9f\xbf",
                                     "\xed\xa0\x80",
                                     "\xed\xbf\xbf",
                                     "\xef\xbf",
                                     "\xf0\x80\x80\x80",
                                     "\xf0\x8f\xbf\xbf",
                                     "\xf4\x90\x80\x80",
                                     "\xf5\x80\x80\x80",
                                     "\xff",
                                     "\xfe",
                                     "\xc2\x41",
                                     "\xf0\x9f\x8c",
                                     "\xe2\x82\xac\x80"};

bool valid_byte_by_byte(std::string_view text) {
  Utf8Validator validator;
  for (const char c : text) {
    if (!validator.feed(std::string_view(&c, 1))) return false;
  }
  return validator.complete();
}

TEST(Utf8, AcceptsTheLimitsOfEveryLength) {
  for (const auto text : kGood) {
    EXPECT_TRUE(valid_utf8(text)) << text;
    EXPECT_TRUE(valid_byte_by_byte(text)) << text;
  }
}

TEST(Utf8, RefusesOverlongSurrogatesTooLargeAndTruncated) {
  for (const auto bad : kBad) {
    // Behind every length of ASCII, so that each step of the fast path meets it.
    for (std::size_t before = 0; before < 40; ++before) {
      for (const std::size_t after : {std::size_t{0}, std::size_t{1}, std::size_t{17}}) {
        const std::string text = std::string(before, 'a') + std::string(bad) + std::string(after, 'z');
        EXPECT_FALSE(valid_utf8(text)) << before;
        EXPECT_FALSE(valid_byte_by_byte(text)) << before;
      }
    }
  }
}

TEST(Utf8, EveryCutOfAGoodTextIsIncompleteOrGoodButNeverFailed) {
  const std::string text = "a\xc3\xa9 sixteen bytes here \xe2\x82\xac and more and more \xf0\x9f\x8c\x8a.";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Validator validator;
    EXPECT_TRUE(validator.feed(std::string_view(text).substr(0, cut)));
    const bool between = cut == text.size() || (text[cut] & 0xc0) != 0x80;
    EXPECT_EQ(validator.complete(), between) << cut;
    EXPECT_TRUE(validator.feed(std::string_view(text).substr(cut)));
    EXPECT_TRUE(validator.complete());
  }
}

TEST(Utf8, FailsAtTheFirstBadByteAndStaysFailed) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed("\xf4"));
  EXPECT_FALSE(validator.feed("\x90"));
  EXPECT_FALSE(validator.feed("fine"));
  EXPECT_FALSE(validator.complete());
  validator.reset();
  EXPECT_TRUE(validator.feed("fine"));
  EXPECT_TRUE(validator.complete());
}

// Every two-byte and a sweep of three- and four-byte sequences against the definition by code point.
TEST(Utf8, AgreesWithTheDefinitionByCodePoint) {
  const auto encode = [](unsigned point) {
    std::string out;
    const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | point >> 6), put(0x80 | (point & 63));
    } else if (point < 0x10000) {
      put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    } else {
      put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 63)), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    }
    return out;
  };
  for (unsigned point = 0; point < 0x130000; ++point) {
    const bool character = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    ASSERT_EQ(valid_utf8(encode(point)), character) << std::hex << point;
  }
}

TEST(Utf8, FindsControlCharacters) {
  for (const std::string_view bad : {std::string_view("a\0", 2), std::string_view("\n"), std::string_view("x\x1f"), std::string_view("\x7f"),
                                     std::string_view("\xc2\x80"), std::string_view("\xe2\x82\xac\xc2\x9f")}) {
    EXPECT_TRUE(has_control_characters(bad));
  }
  for (const std::string_view good : {"", "plain text", "\xc2\xa0", "\xc3\x80", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_FALSE(has_control_characters(good)) << good;
  }
}

}  // namespace
}  // namespace tidewire::base
