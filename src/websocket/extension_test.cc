#include "websocket/extension.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidewire::websocket {
namespace {

constexpr DeflateOptions kOn{.enabled = true};
constexpr DeflateOptions kTakeover{.enabled = true, .context_takeover = true};

// The answer's header, "400", or "" for no extension.
std::string negotiate_all(const std::vector<std::string>& values, const DeflateOptions& options = kOn) {
  ExtensionNegotiation negotiation(options);
  for (const auto& value : values) {
    if (!negotiation.offer(value)) return "400";
  }
  return negotiation.refused() ? "400" : negotiation.response();
}
std::string negotiate(const std::string& value, const DeflateOptions& options = kOn) {
  return negotiate_all({value}, options);
}

const std::string kPlainAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(Extensions, AgreesOnDeflateWithoutContextByDefault) {
  EXPECT_EQ(negotiate("permessage-deflate"), kPlainAnswer);
  EXPECT_EQ(negotiate("permessage-deflate; client_max_window_bits"), kPlainAnswer);
  EXPECT_EQ(negotiate("foo, permessage-deflate;server_no_context_takeover ; client_no_context_takeover"), kPlainAnswer);
  EXPECT_EQ(negotiate_all({"foo;a=1;a=\"b\"", "permessage-deflate"}), kPlainAnswer);
}

TEST(Extensions, KeepsContextsOnlyIfBothWant) {
  EXPECT_EQ(negotiate("permessage-deflate", kTakeover), "permessage-deflate");
  EXPECT_EQ(negotiate("permessage-deflate; server_no_context_takeover", kTakeover),
            "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(negotiate("permessage-deflate; client_no_context_takeover", kTakeover),
            "permessage-deflate; client_no_context_takeover");
}

TEST(Extensions, TakesWindowsOf8To15AndNothingElse) {
  for (int bits = -1; bits < 120; ++bits) {
    const std::string number = std::to_string(bits);
    const bool good = bits >= 8 && bits <= 15;
    EXPECT_EQ(negotiate("permessage-deflate; server_max_window_bits=" + number),
              good ? kPlainAnswer + "; server_max_window_bits=" + number : "400");
    EXPECT_EQ(negotiate("permessage-deflate; client_max_window_bits=\"" + number + "\""),
              !good ? "400" : bits == 15 ? kPlainAnswer : kPlainAnswer + "; client_max_window_bits=" + number);
  }
  for (const char* bad : {"", "=", "=08", "=015", "= ", "=+9", "=9x", "=1e1", "=18446744073709551624", "=\"9", "=9\""}) {
    EXPECT_EQ(negotiate(std::string("permessage-deflate; server_max_window_bits") + bad), "400") << bad;
  }
  constexpr DeflateOptions small{.enabled = true, .window_bits = 11};
  EXPECT_EQ(negotiate("permessage-deflate; client_max_window_bits; server_max_window_bits=13", small),
            kPlainAnswer + "; server_max_window_bits=11; client_max_window_bits=11");
  EXPECT_EQ(negotiate("permessage-deflate", small), kPlainAnswer);
}

TEST(Extensions, RefusesDoubledAndUnknownParametersUnlessAnotherOfferFits) {
  for (const char* bad :
       {"server_no_context_takeover; server_no_context_takeover", "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=9; server_max_window_bits=9", "client_max_window_bits; client_max_window_bits=9",
        "server_no_context_takeover=1", "client_no_context_takeover=true", "unknown", "constructor", "__proto__=9"}) {
    const std::string offer = std::string("permessage-deflate; ") + bad;
    EXPECT_EQ(negotiate(offer), "400") << bad;
    EXPECT_EQ(negotiate(offer + ", permessage-deflate"), kPlainAnswer) << bad;
    EXPECT_EQ(negotiate(offer, DeflateOptions{}), "") << bad;
  }
}

TEST(Extensions, IgnoresWhatItDoesNotKnow) {
  for (const char* value :
       {"", " ", ",", " , ,", "constructor", "x-webkit-deflate-frame", "__proto__;a;b=c", "toString, valueOf"}) {
    EXPECT_EQ(negotiate(value), "") << value;
  }
  EXPECT_EQ(negotiate("permessage-deflate", DeflateOptions{}), "");
}

TEST(Extensions, RefusesWhatIsNoList) {
  for (const char* value : {",;constructor", ";", "a;", "a;;b", "a b", "a=b", "a;b=", "a;b=\"", "a;b=\"c", "a;b=\"c d\"",
                            "a;b=\"\"", "\"a\"", "a;b=c=d", "a\x01", "a;\xc3\xa4"}) {
    EXPECT_EQ(negotiate(value), "400") << value;
    EXPECT_EQ(negotiate(value, DeflateOptions{}), "400") << value;
  }
}

TEST(Extensions, EveryPrefixOfAnOfferHasAnAnswer) {
  const std::string offers =
      "foo; a=\"b\", permessage-deflate; server_max_window_bits=10; client_max_window_bits, permessage-deflate";
  for (std::size_t size = 0; size <= offers.size(); ++size) static_cast<void>(negotiate(offers.substr(0, size)));
  EXPECT_EQ(negotiate(offers), kPlainAnswer + "; server_max_window_bits=10");
}

TEST(Protocols, FindsTheWantedOneInAListOfTokens) {
  EXPECT_TRUE(read_protocols("chat, superchat", "superchat").has_wanted);
  EXPECT_FALSE(read_protocols("chat, superchat", "super").has_wanted);
  EXPECT_TRUE(read_protocols("chat", "").valid);
  EXPECT_FALSE(read_protocols("chat", "").has_wanted);
  for (const std::string& bad :
       {std::string(), std::string(","), std::string("a,"), std::string("a b"), "b" + std::string(16'000, ' ') + "x"}) {
    EXPECT_FALSE(read_protocols(bad, "b").valid) << bad.substr(0, 10);
  }
}

}  // namespace
}  // namespace tidewire::websocket
