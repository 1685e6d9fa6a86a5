#include "socketio/dialect.h"

#include <algorithm>
#include <string>

#include "base/json_writer.h"
#include "engineio/frame_writer.h"

namespace tidewire::socketio {
namespace {

using engineio::FrameWriter;

// Names that need no escape are the rule.
void append_quoted(FrameWriter& writer, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
  });
  if (plain) {
    writer.append('"');
    writer.append(text);
    writer.append('"');
    return;
  }
  std::string escaped;
  base::append_json_string(escaped, text);
  writer.append(escaped);
}

// Type, attachment count and namespace: everything before the ack id.
void begin_packet(FrameWriter& writer, char type, char binary_type, std::size_t attachments, std::string_view namespace_name) {
  writer.begin_text();
  if (attachments > 0) {
    writer.append(binary_type);
    writer.append_number(attachments);
    writer.append('-');
  } else {
    writer.append(type);
  }
  if (namespace_name != "/") {
    writer.append(namespace_name);
    writer.append(',');
  }
}

std::size_t attachment_bytes(const ArgumentsView& arguments) {
  std::size_t bytes = 0;
  for (const Bytes& attachment : arguments.attachments()) bytes += attachment.size() + 16;
  return bytes;
}

base::Frame end_packet(FrameWriter& writer, const ArgumentsView& arguments) {
  writer.end_text();
  for (const Bytes& attachment : arguments.attachments()) writer.binary(attachment.view());
  return writer.finish();
}

}  // namespace

base::Frame Dialect::encode_event(const hub::Message& message) const {
  const ArgumentsView& arguments = message.arguments;
  FrameWriter writer(message.event.size() + message.namespace_name.size() + arguments.text().size() +
                     attachment_bytes(arguments) + 48);
  begin_packet(writer, '2', '5', arguments.attachments().size(), message.namespace_name);
  if (message.ack_id) writer.append_number(*message.ack_id);
  writer.append('[');
  append_quoted(writer, message.event);
  if (!arguments.empty()) {
    writer.append(',');
    writer.append(arguments.text());
  }
  writer.append(']');
  return end_packet(writer, arguments);
}

base::Frame Dialect::encode_ack(std::string_view namespace_name, const hub::AckKey& key, const ArgumentsView& arguments) const {
  FrameWriter writer(namespace_name.size() + arguments.text().size() + attachment_bytes(arguments) + 40);
  begin_packet(writer, '3', '6', arguments.attachments().size(), namespace_name);
  writer.append_number(key.number);
  writer.append('[');
  writer.append(arguments.text());
  writer.append(']');
  return end_packet(writer, arguments);
}

base::Frame encode_connect(std::string_view namespace_name, std::string_view sid) {
  FrameWriter writer(namespace_name.size() + sid.size() + 24);
  begin_packet(writer, '0', '0', 0, namespace_name);
  writer.append("{\"sid\":\"");
  writer.append(sid);
  writer.append("\"}");
  writer.end_text();
  return writer.finish();
}

base::Frame encode_connect_error(std::string_view namespace_name, std::string_view message, std::string_view data) {
  FrameWriter writer(namespace_name.size() + message.size() + data.size() + 40);
  begin_packet(writer, '4', '4', 0, namespace_name);
  writer.append("{\"message\":");
  append_quoted(writer, message);
  if (!data.empty()) {
    writer.append(",\"data\":");
    writer.append(data);
  }
  writer.append('}');
  writer.end_text();
  return writer.finish();
}

base::Frame encode_disconnect(std::string_view namespace_name) {
  FrameWriter writer(namespace_name.size() + 16);
  begin_packet(writer, '1', '1', 0, namespace_name);
  writer.end_text();
  return writer.finish();
}

}  // namespace tidewire::socketio
