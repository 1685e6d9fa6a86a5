// Envelopes by table: each one whole, and truncated at every length; then the dialect's envelopes read back.
#include "plain/envelope_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "plain/dialect.h"
#include "websocket/frame_codec.h"

namespace tidewire::plain {
namespace {

// What an envelope says in one line: "event:say id=7 1:{"room":"r"}", or the code of its error.
std::string describe(std::string_view text) {
  const std::unique_ptr<char[]> bytes(new char[text.size()]);  // exactly as long, so that a byte too far is seen
  std::copy(text.begin(), text.end(), bytes.get());
  Envelope envelope;
  const EnvelopeError error = envelope.parse({bytes.get(), text.size()}, 64);
  if (error != EnvelopeError::kOk) return std::string(envelope_error_code(error));
  static constexpr const char* kKinds[] = {"event", "join", "leave", "ping", "ack", "error"};
  std::string out = kKinds[static_cast<std::size_t>(envelope.kind())];
  if (envelope.kind() == Envelope::Kind::kEvent) out += ":" + std::string(envelope.type());
  if (!envelope.id().empty()) out += " id=" + std::string(envelope.id());
  out += " " + std::to_string(envelope.argument_count()) + ":" + std::string(envelope.arguments());
  for (const Bytes& attachment : envelope.attachments()) out += " bytes=" + std::string(attachment.view());
  return out;
}

struct Row {
  const char* text;
  const char* meaning;
};

constexpr Row kGood[] = {
    // flat
    {R"({"type":"say","room":"r","text":"hi"})", R"(event:say 1:{"room":"r","text":"hi"})"},
    {R"({"type":"say","id":7,"room":"r"})", R"(event:say id=7 1:{"room":"r"})"},
    {R"({"room":"r","type":"say","text":1})", R"(event:say 1:{"room":"r","text":1})"},
    {R"({"room":"r","type":"say"})", R"(event:say 1:{"room":"r"})"},
    {R"({ "id" : 7 , "type" : "say" , "a" : [1, 2] } )", R"(event:say id=7 1:{"a" : [1, 2] })"},
    {R"({"type":"say"})", "event:say 1:{}"},
    {R"({"type":"say","id":"x"})", R"(event:say id="x" 1:{})"},
    {R"({"type":"say","args":5})", R"(event:say 1:{"args":5})"},
    {R"({"type":"say","1":1e400,"1":-0})", R"(event:say 1:{"1":1e400,"1":-0})"},
    // data
    {R"({"type":"say","data":{"a":1}})", R"(event:say 1:{"a":1})"},
    {R"({"type":"say","data":null})", "event:say 1:null"},
    {R"({"data":"x","extra":1,"type":"say"})", R"(event:say 1:"x")"},
    {R"({"type":"say","data":1,"data":2,"args":[3]})", "event:say 1:2"},
    // args
    {R"({"type":"say","args":[1,"two",{}]})", R"(event:say 3:1,"two",{})"},
    {R"({"type":"say","args":[]})", "event:say 0:"},
    // type and id: escapes, the last of equal keys
    {R"({"type":"caf\u00e9"})", "event:caf\xc3\xa9 1:{}"},
    {R"({"\u0074ype":"say","\u0069d":3,"a":1})", R"(event:say id=3 1:{"a":1})"},
    {R"({"type":"a","type":"b","id":1,"id":2})", "event:b id=2 1:{}"},
    {R"({"type":"a","x":1,"type":"b"})", R"(event:b 1:{"x":1})"},
    {R"({"type":"__proto__"})", "event:__proto__ 1:{}"},
    {R"({"type":""})", "event: 1:{}"},
    // bytes
    {R"({"type":"say","data":{"$bytes":"AQI="}})", "event:say 1:{\"_placeholder\":true,\"num\":0} bytes=\x01\x02"},
    {R"({"type":"say","p":{"$bytes":"eA=="}})", R"(event:say 1:{"p":{"_placeholder":true,"num":0}} bytes=x)"},
    {R"({"type":"say","args":[{"$bytes":"eA=="},{"$bytes":"eQ=="}]})",
     R"(event:say 2:{"_placeholder":true,"num":0},{"_placeholder":true,"num":1} bytes=x bytes=y)"},
    // built in
    {R"({"type":"join","room":"r"})", R"(join 1:{"room":"r"})"},
    {R"({"type":"leave","id":1,"data":{"room":"r"}})", R"(leave id=1 1:{"room":"r"})"},
    {R"({"type":"ping","id":"a"})", R"(ping id="a" 1:{})"},
    {R"({"type":"ack","id":4,"data":5})", "ack id=4 1:5"},
    {R"({"type":"ack","id":4,"args":[5,6]})", "ack id=4 2:5,6"},
    {R"({"type":"ack","id":4})", "ack id=4 0:"},
    {R"({"type":"error","code":"x"})", R"(error 1:{"code":"x"})"},
};

constexpr Row kBad[] = {
    {"", "invalid_json"},
    {"hello", "invalid_json"},
    {"{\"type\":\"a\"}x", "invalid_json"},
    {"{'type':'a'}", "invalid_json"},
    {"[1,2]", "not_an_object"},
    {"5", "not_an_object"},
    {"\"type\"", "not_an_object"},
    {"{}", "no_type"},
    {R"({"data":1})", "no_type"},
    {R"({"type":5})", "no_type"},
    {R"({"type":"a","type":null})", "no_type"},
    {R"({"type":"a","id":null})", "invalid_id"},
    {R"({"type":"a","id":{}})", "invalid_id"},
    {R"({"type":"a","id":true})", "invalid_id"},
    {R"({"type":"connect"})", "reserved_event"},
    {R"({"type":"disconnecting","id":1})", "reserved_event"},
    {R"({"type":"a","data":{"$bytes":"!"}})", "invalid_bytes"},
    {R"({"type":"a","args":[{"$bytes":"eA=="},{"_placeholder":true,"num":0}]})", "invalid_bytes"},
};

TEST(Envelope, MeansWhatTheTableSays) {
  for (const Row& row : kGood) EXPECT_EQ(describe(row.text), row.meaning) << row.text;
  for (const Row& row : kBad) EXPECT_EQ(describe(row.text), row.meaning) << row.text;
}

TEST(Envelope, IsInvalidJsonWhenTruncatedAnywhere) {
  for (const Row& row : kGood) {
    std::string_view text = row.text;
    text = text.substr(0, text.find_last_of('}'));
    for (std::size_t size = 0; size <= text.size(); ++size) {
      EXPECT_EQ(describe(text.substr(0, size)), "invalid_json") << text.substr(0, size);
    }
  }
}

TEST(Envelope, BoundsDepthAndTheId) {
  EXPECT_EQ(describe(R"({"type":"a","data":)" + std::string(63, '[') + std::string(63, ']') + "}").substr(0, 7),
            "event:a");
  EXPECT_EQ(describe(R"({"type":"a","data":)" + std::string(64, '[') + std::string(64, ']') + "}"), "invalid_json");
  EXPECT_EQ(describe(R"({"type":"a","data":)" + std::string(200'000, '[')), "invalid_json");
  EXPECT_EQ(describe(R"({"type":"a","id":")" + std::string(64, 'x') + "\"}").substr(0, 7), "event:a");
  EXPECT_EQ(describe(R"({"type":"a","id":")" + std::string(65, 'x') + "\"}"), "invalid_id");
}

std::optional<std::string> room_in(std::string text) {
  Envelope envelope;
  EXPECT_EQ(envelope.parse(text, 64), EnvelopeError::kOk) << text;
  return envelope.room();
}

TEST(Envelope, TakesARoomByName) {
  EXPECT_EQ(room_in(R"({"type":"join","room":"r"})"), "r");
  EXPECT_EQ(room_in(R"({"type":"join","data":{"room":"caf\u00e9"}})"), "caf\xc3\xa9");
  EXPECT_EQ(room_in(R"({"type":"join","room":"a","room":"b"})"), "b");
  EXPECT_EQ(room_in(R"({"type":"join","room":")" + std::string(128, 'x') + "\"}"), std::string(128, 'x'));
  for (const char* text :
       {R"({"type":"join"})", R"({"type":"join","room":""})", R"({"type":"join","room":5})",
        R"({"type":"join","data":"r"})", R"({"type":"join","args":[]})", R"({"type":"join","room":"a\u0000"})",
        R"({"type":"join","room":"a\n"})", R"({"type":"join","room":"\u007f"})", R"({"type":"join","room":"\u0085"})",
        R"({"type":"join","room":"\ud800"})"}) {
    EXPECT_EQ(room_in(text), std::nullopt) << text;
  }
  EXPECT_EQ(room_in(R"({"type":"join","room":")" + std::string(129, 'x') + "\"}"), std::nullopt);
}

TEST(Envelope, KnowsTheNumberThatAnAnswerIsFor) {
  const auto number_in = [](std::string text) {
    Envelope envelope;
    EXPECT_EQ(envelope.parse(text, 64), EnvelopeError::kOk);
    return envelope.ack_number();
  };
  EXPECT_EQ(number_in(R"({"type":"ack","id":0})"), 0u);
  EXPECT_EQ(number_in(R"({"type":"ack","id":9007199254740991})"), 9007199254740991u);
  for (const char* id : {"9007199254740992", "99999999999999999999", "-1", "1.0", "1e3", "\"1\""}) {
    EXPECT_EQ(number_in(R"({"type":"ack","id":)" + std::string(id) + "}"), std::nullopt) << id;
  }
  EXPECT_EQ(number_in(R"({"type":"ack"})"), std::nullopt);
}

// ---- the other direction

const Dialect kFlat(0, Form::kFlat);
const Dialect kData(1, Form::kData);

std::string payload(const base::Frame& frame) {
  EXPECT_EQ(frame.packet_count(), 1);
  std::string_view wire = frame.wire();
  const websocket::ServerFrame message = websocket::take_server_frame(wire);
  EXPECT_EQ(message.opcode, websocket::Opcode::kText);
  EXPECT_TRUE(wire.empty());
  return std::string(message.payload);
}

std::string event(const Dialect& dialect, std::string_view arguments, std::size_t count,
                  std::vector<Bytes> bytes = {}) {
  return payload(
      dialect.encode_event({.namespace_name = "/", .event = "said", .arguments = {arguments, count, bytes}}));
}

TEST(PlainDialect, WritesOneObjectFlat) {
  EXPECT_EQ(event(kFlat, R"({"room":"r","text":1})", 1), R"({"type":"said","room":"r","text":1})");
  EXPECT_EQ(event(kFlat, "{ }", 1), R"({"type":"said"})");
  EXPECT_EQ(event(kData, R"({"room":"r"})", 1), R"({"type":"said","data":{"room":"r"}})");
}

TEST(PlainDialect, WritesDataWhereFlatWouldBeMisread) {
  for (const char* argument : {R"({"type":1})", R"({"id":1,"a":2})", R"({"data":null})", R"({"\u0074ype":1})",
                               R"({"args":[1]})", "[1]", "null", "\"text\"", "1"}) {
    EXPECT_EQ(event(kFlat, argument, 1), std::string(R"({"type":"said","data":)") + argument + "}");
  }
  EXPECT_EQ(event(kFlat, R"({"args":1})", 1), R"({"type":"said","args":1})");
}

TEST(PlainDialect, WritesSeveralArgumentsAndNone) {
  for (const Dialect* dialect : {&kFlat, &kData}) {
    EXPECT_EQ(event(*dialect, "1,{}", 2), R"({"type":"said","args":[1,{}]})");
    EXPECT_EQ(event(*dialect, "", 0), R"({"type":"said"})");
  }
}

TEST(PlainDialect, WritesBytesAsBase64) {
  const std::vector<Bytes> bytes{Bytes(std::string_view("\x00\x01\xfe\xff", 4))};
  EXPECT_EQ(event(kFlat, R"({"_placeholder":true,"num":0})", 1, bytes),
            R"({"type":"said","data":{"$bytes":"AAH+/w=="}})");
  EXPECT_EQ(event(kFlat, R"({"p":{"_placeholder":true,"num":0}})", 1, bytes),
            R"({"type":"said","p":{"$bytes":"AAH+/w=="}})");
}

TEST(PlainDialect, AsksForAnAnswerByNumberAndAnswersByTheIdAsItCame) {
  EXPECT_EQ(
      payload(kFlat.encode_event({.namespace_name = "/", .event = "q\"", .arguments = {R"({"a":1})", 1}, .ack_id = 5})),
      R"({"type":"q\"","id":5,"a":1})");
  EXPECT_EQ(payload(kFlat.encode_ack("/", {0, "1e400"}, {R"({"ok":true})", 1})),
            R"({"type":"ack","id":1e400,"data":{"ok":true}})");
  EXPECT_EQ(payload(kData.encode_ack("/", {0, "\"a\\n\""}, {"1,2", 2})), R"({"type":"ack","id":"a\n","args":[1,2]})");
  EXPECT_EQ(payload(kData.encode_ack("/", {0, "1"}, {})), R"({"type":"ack","id":1})");
}

TEST(PlainDialect, WritesErrorsInItsOwnForm) {
  EXPECT_EQ(payload(kFlat.encode_error("c", "m", "[1]")), R"({"type":"error","code":"c","message":"m","details":[1]})");
  EXPECT_EQ(payload(kData.encode_error("c", "m", "")), R"({"type":"error","data":{"code":"c","message":"m"}})");
  EXPECT_EQ(payload(encode_pong("")), R"({"type":"pong"})");
  EXPECT_EQ(payload(encode_pong("7")), R"({"type":"pong","id":7})");
}

// What one side writes, the other reads: every kind of arguments in both forms.
TEST(PlainDialect, WritesWhatTheCodecReads) {
  const std::vector<Bytes> bytes{Bytes(std::string_view("x"))};
  for (const char* argument : {"{}", R"({"room":"r"})", R"({"type":1,"id":2,"data":3,"args":[4]})", R"({"args":[1,2]})",
                               "null", "[]", R"({"$bytes":5})", R"({"_placeholder":true,"num":0})"}) {
    for (const Dialect* dialect : {&kFlat, &kData}) {
      const std::span<const Bytes> attached(bytes.data(), std::string_view(argument).find("_place") == 2 ? 1 : 0);
      std::string text =
          payload(dialect->encode_event({.namespace_name = "/", .event = "e", .arguments = {argument, 1, attached}}));
      Envelope envelope;
      ASSERT_EQ(envelope.parse(text, 64), EnvelopeError::kOk) << text;
      EXPECT_EQ(envelope.arguments(), argument);
      EXPECT_EQ(envelope.argument_count(), 1u);
      EXPECT_EQ(envelope.attachments().size(), attached.size());
    }
  }
}

}  // namespace
}  // namespace tidewire::plain
