#include "tidewire/convert.h"

#include <algorithm>

#include "base/base64.h"
#include "base/json_writer.h"

namespace tidewire {
namespace {

// How far back bytes() looks for octets that are attached already. A peer sends at most ten attachments, however often
// it names them, so relaying those never multiplies them.
constexpr std::size_t kSharedAttachmentsLookedAt = 16;

Status placed(std::string place, const Status& status) {
  return Status(status.code(), std::move(place.append(": ").append(status.message())));
}

}  // namespace

void JsonOut::comma() {
  if (comma_due_) text_.push_back(',');
  comma_due_ = true;
}

void JsonOut::number(std::int64_t value) {
  comma();
  base::append_json_number(text_, value);
}

void JsonOut::number(std::uint64_t value) {
  comma();
  base::append_json_number(text_, value);
}

void JsonOut::number(double value) {
  comma();
  base::append_json_number(text_, value);
}

void JsonOut::string(std::string_view text) {
  comma();
  base::append_json_string(text_, text);
}

void JsonOut::text(const Text& content) {
  if (!content.escaped) return string(content.text);
  comma();
  text_.append("\"").append(content.text).append("\"");
}

void JsonOut::raw(std::string_view json) {
  comma();
  text_.append(json);
}

void JsonOut::bytes(const Bytes& octets) {
  comma();
  if (attachments_ == nullptr) {
    text_.append("{\"$bytes\":\"");
    const std::size_t begin = text_.size();
    text_.resize(begin + base::base64_size(octets.size()));
    base::base64_encode(octets.view(), text_.data() + begin);
    text_.append("\"}");
    return;
  }
  text_.append("{\"_placeholder\":true,\"num\":");
  base::append_json_number(text_, std::uint64_t{attach(octets)});
  text_.push_back('}');
  for (const std::size_t place : lookalikes_) text_.replace(place, 4, "1   ");
  lookalikes_.clear();
}

std::size_t JsonOut::attach(const Bytes& octets) {
  const std::size_t count = attachments_->size();
  for (std::size_t i = count - std::min(count, kSharedAttachmentsLookedAt); i < count; ++i) {
    if ((*attachments_)[i].view().data() == octets.view().data() && !octets.empty()) return i;
  }
  attachments_->push_back(octets);
  return count;
}

void JsonOut::begin_array() {
  comma();
  text_.push_back('[');
  comma_due_ = false;
}

void JsonOut::end_array() {
  text_.push_back(']');
  comma_due_ = true;
}

void JsonOut::begin_object() {
  comma();
  text_.push_back('{');
  comma_due_ = false;
}

void JsonOut::end_object() {
  text_.push_back('}');
  comma_due_ = true;
}

void JsonOut::key(std::string_view name) {
  string(name);
  text_.push_back(':');
  comma_due_ = false;
}

void JsonOut::member(const Text& name, const Value& value) {
  text(name);
  text_.push_back(':');
  comma_due_ = false;
  const bool lookalike = attachments_ != nullptr && value.as_bool().value_or(false) && name == "_placeholder";
  if (!lookalike) return this->value(value);
  if (!attachments_->empty()) return raw("1");
  lookalikes_.push_back(text_.size());
  boolean(true);
}

void JsonOut::value(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return null();
    case Value::Kind::kBool:
      return boolean(*value.as_bool());
    case Value::Kind::kNumber:
      return raw(*value.number_text());
    case Value::Kind::kString:
      return text(std::get<Text>(value.storage_));
    case Value::Kind::kBytes:
      return bytes(std::get<Bytes>(value.storage_));
    case Value::Kind::kArray:
      begin_array();
      for (const Value& item : value.items()) this->value(item);
      return end_array();
    case Value::Kind::kObject:
      begin_object();
      for (const auto& [name, item] : value.members()) member(name, item);
      return end_object();
  }
}

Status wrong_kind(std::string_view expected, const Value& found) {
  std::string message = "expected ";
  message.append(expected).append(", found ").append(kind_name(found.kind()));
  if (found.is_number()) message.append(" ").append(*found.number_text());
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

Status at_member(std::string_view name, const Status& status) {
  return placed(std::string("member \"").append(name).append("\""), status);
}

Status at_element(std::size_t index, const Status& status) {
  return placed("element " + std::to_string(index), status);
}

Status read_json(const Value& value, bool& out) {
  const auto boolean = value.as_bool();
  if (!boolean) return wrong_kind("a boolean", value);
  out = *boolean;
  return {};
}

Status read_json(const Value& value, double& out) {
  const auto number = value.as_double();
  if (!number) return wrong_kind("a number", value);
  out = *number;
  return {};
}

Status read_json(const Value& value, float& out) {
  const auto number = value.as_double();
  if (!number) return wrong_kind("a number", value);
  out = static_cast<float>(*number);
  return {};
}

Status read_json(const Value& value, std::string& out) {
  const auto text = value.as_string();
  if (!text) return wrong_kind("a string", value);
  out.assign(*text);
  return {};
}

Status read_json(const Value& value, std::string_view& out) {
  const auto text = value.as_string();
  if (!text) return wrong_kind("a string", value);
  out = *text;
  return {};
}

Status read_json(const Value& value, Bytes& out) {
  auto bytes = value.as_bytes();
  if (!bytes) return wrong_kind("bytes", value);
  out = *std::move(bytes);
  return {};
}

}  // namespace tidewire
