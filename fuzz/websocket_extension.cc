// Any bytes as Sec-WebSocket-Extensions and -Protocol: an answer is either nothing or an extension whose own text is
// a valid offer of the same thing.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "websocket/extension.h"

using namespace tidewire::websocket;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view value(reinterpret_cast<const char*>(data) + 1, size - 1);
  const DeflateOptions options{
      .enabled = (data[0] & 1) != 0, .context_takeover = (data[0] & 2) != 0, .window_bits = 9 + (data[0] >> 2) % 7};
  ExtensionNegotiation negotiation(options);
  const bool list = negotiation.offer(value);
  const DeflateParameters& agreed = negotiation.agreed();
  TW_ASSERT(agreed.server_window_bits >= 8 && agreed.server_window_bits <= 15);
  TW_ASSERT(agreed.client_window_bits >= 8 && agreed.client_window_bits <= 15);
  TW_ASSERT(agreed.enabled != negotiation.response().empty());
  TW_ASSERT(options.enabled || !agreed.enabled);
  TW_ASSERT(!(agreed.enabled && negotiation.refused()));
  if (list && agreed.enabled) {
    ExtensionNegotiation again(options);
    TW_ASSERT(again.offer(negotiation.response()));
    TW_ASSERT(again.response() == negotiation.response());
  }
  const ProtocolList protocols = read_protocols(value, "chat");
  TW_ASSERT(protocols.valid || !protocols.has_wanted || value.find("chat") != std::string_view::npos);
  return 0;
}
