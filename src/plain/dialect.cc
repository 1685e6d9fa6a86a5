#include "plain/dialect.h"

#include <string>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/placeholders.h"
#include "websocket/connection.h"

namespace tidewire::plain {
namespace {

// An argument text with its octets written out; a view of `scratch` if there are any.
std::string_view bytes_form(const ArgumentsView& arguments, std::string& scratch) {
  if (arguments.attachments().empty()) return arguments.text();
  std::size_t octets = 0;
  for (const Bytes& attachment : arguments.attachments()) octets += attachment.size();
  scratch.reserve(arguments.text().size() + base::base64_size(octets));
  base::placeholders_to_bytes_form(arguments.text(), arguments.attachments(), scratch);
  return scratch;
}

// ,"data":A or ,"args":[A,B] or nothing
void append_content(std::string& out, std::string_view text, std::size_t count) {
  if (count == 0) return;
  out.append(count == 1 ? ",\"data\":" : ",\"args\":[");
  out.append(text);
  if (count > 1) out.push_back(']');
}

// The members of an object behind others: {"a":1} as ,"a":1
void append_fields(std::string& out, std::string_view object) {
  const std::string_view members = object.substr(1, object.size() - 2);
  if (members.find('"') == std::string_view::npos) return;
  out.push_back(',');
  out.append(members);
}

}  // namespace

base::Frame Dialect::encode_event(const hub::Message& message) const {
  std::string scratch;
  const std::string_view text = bytes_form(message.arguments, scratch);
  std::string out;
  out.reserve(message.event.size() + text.size() + 48);
  out.append("{\"type\":");
  base::append_json_string(out, message.event);
  if (message.ack_id) {
    out.append(",\"id\":");
    base::append_json_number(out, *message.ack_id);
  }
  if (form_ == Form::kFlat && message.arguments.size() == 1 && travels_flat(text)) {
    append_fields(out, text);
  } else {
    append_content(out, text, message.arguments.size());
  }
  out.push_back('}');
  return websocket::encode_text(out);
}

base::Frame Dialect::encode_ack(std::string_view, const hub::AckKey& key, const ArgumentsView& arguments) const {
  std::string scratch;
  const std::string_view text = bytes_form(arguments, scratch);
  std::string out;
  out.reserve(key.text.size() + text.size() + 40);
  out.append("{\"type\":\"ack\",\"id\":");
  out.append(key.text);
  append_content(out, text, arguments.size());
  out.push_back('}');
  return websocket::encode_text(out);
}

base::Frame Dialect::encode_error(std::string_view code, std::string_view message, std::string_view details) const {
  std::string error = "{\"code\":";
  base::append_json_string(error, code);
  error.append(",\"message\":");
  base::append_json_string(error, message);
  if (!details.empty()) {
    error.append(",\"details\":");
    error.append(details);
  }
  error.push_back('}');
  return encode_event({.namespace_name = {}, .event = "error", .arguments = {error, 1}});
}

base::Frame encode_pong(std::string_view id) {
  std::string out = "{\"type\":\"pong\"";
  if (!id.empty()) {
    out.append(",\"id\":");
    out.append(id);
  }
  out.push_back('}');
  return websocket::encode_text(out);
}

}  // namespace tidewire::plain
