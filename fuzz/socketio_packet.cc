// Socket.IO packets: the parts lie inside the text, and what follows the header is scanned without reading beyond it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/json_scanner.h"
#include "base/limits.h"
#include "base/placeholders.h"
#include "base/utf8.h"
#include "socketio/packet_codec.h"

namespace {

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidewire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!base::valid_utf8(text)) return 0;  // the transport refuses it before
  socketio::PacketView packet;
  if (socketio::parse_packet(text, 10, packet) != socketio::PacketError::kOk) return 0;
  TW_ASSERT(inside(packet.data, text));
  TW_ASSERT(packet.namespace_name == "/" || inside(packet.namespace_name, text));
  TW_ASSERT(packet.namespace_name.size() <= base::limits::kNamespaceNameBytesMax);
  TW_ASSERT(packet.ack_id <= base::limits::kAckIdMax);
  TW_ASSERT(packet.attachments <= 10);

  base::EventArray event;
  if (base::scan_event(packet.data, {}, event) == base::JsonError::kOk) {
    TW_ASSERT(inside(event.name, packet.data) && inside(event.arguments.text, packet.data));
    std::string scratch;
    static_cast<void>(base::event_name(event, scratch));
    static_cast<void>(base::validate_placeholders(event.arguments.text, packet.attachments));
  }
  base::ArgumentsText arguments;
  if (base::scan_arguments(packet.data, {}, arguments) == base::JsonError::kOk) TW_ASSERT(inside(arguments.text, packet.data));
  return 0;
}
