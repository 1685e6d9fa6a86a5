// Any bytes: an envelope that is taken has valid parts, and what the dialect writes of them reads back the same.
#include "plain/envelope_codec.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/json_reader.h"
#include "base/placeholders.h"
#include "base/utf8.h"
#include "plain/dialect.h"
#include "websocket/frame_codec.h"

namespace {

using namespace tidewire;

constexpr std::size_t kDepth = 64;

std::string text_of(const base::Frame& frame) {
  std::string_view wire = frame.wire();
  return std::string(websocket::take_server_frame(wire).payload);
}

void read_back(const plain::Envelope& said, plain::Form form) {
  const plain::Dialect dialect(0, form);
  const ArgumentsView arguments(said.arguments(), said.argument_count(), said.attachments());
  std::string text = text_of(dialect.encode_event({.namespace_name = "/", .event = said.type(), .arguments = arguments}));
  TW_ASSERT(base::valid_utf8(text));
  plain::Envelope again;
  const plain::EnvelopeError error = again.parse(text, kDepth + 2);
  TW_ASSERT(error == plain::EnvelopeError::kOk);
  TW_ASSERT(again.type() == said.type());
  if (said.argument_count() == 0) return;  // reads as one empty object
  TW_ASSERT(again.argument_count() == said.argument_count());
  TW_ASSERT(again.attachments().size() >= said.attachments().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (!base::valid_utf8(text)) return 0;
  plain::Envelope envelope;
  if (envelope.parse(text, kDepth) != plain::EnvelopeError::kOk) return 0;
  base::ArgumentsText list;
  const std::string array = "[" + std::string(envelope.arguments()) + "]";
  TW_ASSERT(base::scan_arguments(array, {.depth = kDepth + 2}, list) == base::JsonError::kOk);
  TW_ASSERT(list.count == envelope.argument_count());
  TW_ASSERT(envelope.attachments().empty() ||
            base::validate_placeholders(envelope.arguments(), envelope.attachments().size()) == base::PlaceholderError::kOk);
  if (const auto room = envelope.room()) TW_ASSERT(base::valid_utf8(*room) && !room->empty());
  static_cast<void>(envelope.ack_number());
  read_back(envelope, plain::Form::kFlat);
  read_back(envelope, plain::Form::kData);
  return 0;
}
