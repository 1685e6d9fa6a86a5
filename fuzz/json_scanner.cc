// Any bytes: the scanner's three entries agree with each other, every view lies inside the text, and what was accepted
// can be walked, unescaped and translated.
#include "base/json_scanner.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/json_reader.h"
#include "base/placeholders.h"
#include "base/utf8.h"

namespace {

using namespace tidewire::base;

void walk(const ArgumentsText& arguments) {
  ArgumentCursor cursor(arguments.text);
  std::size_t count = 0;
  for (std::string_view argument; cursor.next(argument); ++count) {
    TW_ASSERT(scan_json(argument, {.depth = limits::kJsonDepthMax}) == JsonError::kOk);
    if (json_kind(argument) != JsonKind::kObject) continue;
    MemberCursor members(argument);
    for (std::string_view key, value; members.next(key, value);) {
      std::string name;
      static_cast<void>(unescape_json_string(key, name));
      TW_ASSERT(valid_utf8(name));
      TW_ASSERT(scan_json(value, {.depth = limits::kJsonDepthMax}) == JsonError::kOk);
    }
  }
  TW_ASSERT(count == arguments.count);
}

void translate(std::string_view arguments) {
  std::string placed, back;
  std::vector<tidewire::Bytes> attachments;
  if (bytes_form_to_placeholders(arguments, placed, attachments) != PlaceholderError::kOk) return;
  TW_ASSERT(scan_json("[" + placed + "]", {.depth = limits::kJsonDepthMax}) == JsonError::kOk);
  if (!attachments.empty()) TW_ASSERT(validate_placeholders(placed, attachments.size()) == PlaceholderError::kOk);
  placeholders_to_bytes_form(placed, attachments, back);
  TW_ASSERT(scan_json("[" + back + "]", {.depth = limits::kJsonDepthMax}) == JsonError::kOk);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!valid_utf8(text)) return 0;
  ArgumentsText arguments;
  EventArray event;
  const bool value_good = scan_json(text, {}) == JsonError::kOk;
  const bool arguments_good = scan_arguments(text, {}, arguments) == JsonError::kOk;
  const bool event_good = scan_event(text, {}, event) == JsonError::kOk;
  TW_ASSERT(arguments_good == (value_good && json_kind(text) == JsonKind::kArray));
  TW_ASSERT(!event_good || arguments_good);
  if (arguments_good) {
    walk(arguments);
    translate(arguments.text);
  }
  if (event_good) {
    std::string scratch;
    TW_ASSERT(valid_utf8(event_name(event, scratch)));
    TW_ASSERT(event.arguments.count + 1 == arguments.count);
    walk(event.arguments);
  }
  return 0;
}
