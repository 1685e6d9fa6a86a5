#include "auth/strict_json.h"

#include <string>
#include <vector>

#include "base/json_reader.h"
#include "base/json_scanner.h"
#include "base/utf8.h"
#include "base/value_builder.h"

namespace tidewire::auth {
namespace {

struct TextCount {
  std::size_t keys = 0;
  bool half_surrogate = false;
};

TextCount count_in_text(std::string_view json) {
  TextCount count;
  std::string scratch;
  base::JsonReader reader(json);
  for (base::JsonToken token = reader.next(); token.kind != base::JsonToken::kEnd; token = reader.next()) {
    if (token.kind == base::JsonToken::kKey) ++count.keys;
    if (token.text.find('\\') == std::string_view::npos) continue;
    scratch.clear();
    if (!base::unescape_json_string(token.text, scratch)) count.half_surrogate = true;
  }
  return count;
}

std::size_t count_members(const Value& root) {
  std::size_t count = 0;
  std::vector<const Value*> open = {&root};
  while (!open.empty()) {
    const Value& value = *open.back();
    open.pop_back();
    for (const Value& item : value.items()) open.push_back(&item);
    for (const Value::Member& member : value.members()) open.push_back(&member.value);
    count += value.members().size();
  }
  return count;
}

}  // namespace

StrictJsonError parse_strict_object(std::string_view json, Value& out) {
  if (!base::valid_utf8(json)) return StrictJsonError::kNotJson;
  if (base::scan_json(json, {.depth = kAuthJsonDepthMax}) != base::JsonError::kOk) return StrictJsonError::kNotJson;
  if (base::json_kind(json) != base::JsonKind::kObject) return StrictJsonError::kNotAnObject;
  const TextCount count = count_in_text(json);
  if (count.half_surrogate) return StrictJsonError::kHalfSurrogate;
  out = ValueBuilder().build(json);
  // A Value keeps the last of equal members: who lost some had some twice.
  return count_members(out) == count.keys ? StrictJsonError::kOk : StrictJsonError::kRepeatedMember;
}

}  // namespace tidewire::auth
