#include "policy/json_pointer.h"

#include <gtest/gtest.h>

namespace tidewire::policy {
namespace {

// The value at the place as JSON, or "none".
std::string at(std::string_view pointer) {
  // The example of RFC 6901, section 5, and more.
  static const Value root = *Value::parse(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,"~1":9,"x":{"":{"0":10}}})");
  const Value* const found = resolve_pointer(root, pointer);
  return found == nullptr ? "none" : found == &root ? "root" : found->to_json();
}

TEST(JsonPointer, NamesPlaces) {
  EXPECT_EQ(at(""), "root");
  EXPECT_EQ(at("/foo"), "[\"bar\",\"baz\"]");
  EXPECT_EQ(at("/foo/0"), "\"bar\"");
  EXPECT_EQ(at("/"), "0");
  EXPECT_EQ(at("/a~1b"), "1");
  EXPECT_EQ(at("/c%d"), "2");
  EXPECT_EQ(at("/i\\j"), "5");
  EXPECT_EQ(at("/ "), "7");
  EXPECT_EQ(at("/m~0n"), "8");
  EXPECT_EQ(at("/~01"), "9");
  EXPECT_EQ(at("/x//0"), "10");
}

TEST(JsonPointer, NamesNothing) {
  for (const std::string_view pointer : {"foo", "/foo/2", "/foo/-", "/foo/x", "/foo/", "/foo/0x", "/foo/9999999", "/foo/0/x", "/nothing",
                                         "/nothing/more", "/a/b", "//"}) {
    EXPECT_EQ(at(pointer), "none") << pointer;
  }
}

TEST(JsonPointer, IsWrittenAsItIsRead) {
  for (const std::string_view name : {"a/b", "m~n", "~1", "", "c%d"}) {
    std::string pointer;
    append_pointer(pointer, name);
    EXPECT_NE(at(pointer), "none") << pointer;
  }
  std::string pointer = "#";
  append_pointer(pointer, "a/~b");
  append_pointer(pointer, "0");
  EXPECT_EQ(pointer, "#/a~1~0b/0");
}

TEST(JsonPointer, IsDecodedBehindAHash) {
  EXPECT_EQ(decode_fragment("/c%25d/%C3%a9"), "/c%d/\xc3\xa9");
  EXPECT_EQ(decode_fragment(""), "");
  for (const std::string_view bad : {"%", "%2", "%zz", "/a%4g", "%%20"}) EXPECT_EQ(decode_fragment(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace tidewire::policy
