#include "tidewire/arguments.h"

#include "base/json_reader.h"
#include "base/json_scanner.h"
#include "base/placeholders.h"
#include "base/utf8.h"
#include "base/value_builder.h"

namespace tidewire {

std::string_view ArgumentsView::raw(std::size_t index) const noexcept {
  base::ArgumentCursor cursor(text_);
  std::string_view argument;
  for (std::size_t i = 0; i <= index; ++i) {
    if (!cursor.next(argument)) return {};
  }
  return argument;
}

Value ArgumentsView::operator[](std::size_t index) const {
  return ValueBuilder(attachments_).build(size_ == 1 && index == 0 ? text_ : raw(index));  // the only one need not be looked for
}

std::vector<Value> ArgumentsView::values() const {
  std::vector<Value> values;
  values.reserve(size_);
  base::ArgumentCursor cursor(text_);
  for (std::string_view argument; cursor.next(argument);) values.push_back(ValueBuilder(attachments_).build(argument));
  return values;
}

Arguments ArgumentsView::copy() const {
  return Arguments(std::string(text_), size_, std::vector<Bytes>(attachments_.begin(), attachments_.end()));
}

Result<Arguments> Arguments::parse(std::string_view json_array) {
  const auto refused = [](std::string_view why) { return Status(StatusCode::kInvalidArgument, std::string(why)); };
  if (!base::valid_utf8(json_array)) return refused("JSON is not valid UTF-8");
  base::ArgumentsText arguments;
  const base::JsonError error = base::scan_arguments(json_array, {.depth = base::limits::kJsonDepthMax}, arguments);
  if (error != base::JsonError::kOk) return refused(base::json_error_text(error));
  return Arguments(std::string(arguments.text), arguments.count);
}

void write_json(JsonOut& out, ArgumentsView arguments) {
  if (arguments.empty()) return;
  // Verbatim if no placeholder, real or alike, is inside.
  if (base::validate_placeholders(arguments.text(), 0) == base::PlaceholderError::kOk) return out.raw(arguments.text());
  for (const Value& value : arguments.values()) out.value(value);
}

namespace detail {

bool ArgumentReader::next(std::string_view& text) noexcept {
  base::ArgumentCursor cursor(rest_);
  const bool there = cursor.next(text);
  rest_ = cursor.rest();
  return there;
}

Status ArgumentReader::convert(std::string_view text, std::string& out) const {
  if (!text.starts_with('"')) return read_json(value_of(text), out);
  out.clear();
  const std::string_view raw = text.substr(1, text.size() - 2);
  if (!base::unescape_json_string(raw, out)) out.assign(raw);
  return {};
}

Value ArgumentReader::value_of(std::string_view text) const { return ValueBuilder(attachments_).build(text); }

void ArgumentReader::name_the_argument() {
  status_ = Status(status_.code(), "argument " + std::to_string(index_) + ": " + status_.message());
}

}  // namespace detail
}  // namespace tidewire
