// Any bytes: the first half, up to a line break, is a schema, the rest the instance. What compiles judges every value in bounded
// work, the same way twice, and by the laws of its keywords: "not" is the opposite, "allOf" of one schema is that schema, and so is a
// reference to it.
#include "policy/json_schema.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"

namespace {

using namespace tidewire;
using policy::JsonSchema;
using policy::JsonSchemaLimits;
using policy::Violation;

void check_violation(const Violation& violation) {
  TW_ASSERT(violation.message.size() <= JsonSchemaLimits::kMessageBytesMax);
  TW_ASSERT(violation.pointer.size() <= JsonSchemaLimits::kMessageBytesMax);
  TW_ASSERT(violation.pointer.empty() || violation.pointer.front() == '/');
  TW_ASSERT(base::valid_utf8(violation.message) && base::valid_utf8(violation.pointer));
  TW_ASSERT(!base::has_control_characters(violation.message) && !base::has_control_characters(violation.pointer));
  TW_ASSERT(!violation.keyword.empty());
}

bool out_of_work(const std::optional<Violation>& violation) { return violation && violation->keyword == "limit"; }

// The same schema one level further in: its references would mean something else, so those are left alone.
void check_laws(const Value& schema, const Value& instance, const std::optional<Violation>& verdict) {
  if (schema.to_json().find("$ref") != std::string::npos) return;
  const Value wrapped[] = {Value::object({{"allOf", Value::array({schema})}}),
                           Value::object({{"not", Value::object({{"not", schema}})}}),
                           Value::object({{"$ref", "#/$defs/it"}, {"$defs", Value::object({{"it", schema}})}})};
  for (const Value& outer : wrapped) {
    const Result<JsonSchema> compiled = JsonSchema::compile(outer);
    if (!compiled.ok()) continue;  // an $id, or one level too deep
    const std::optional<Violation> other = compiled.value().validate(instance);
    if (!out_of_work(verdict) && !out_of_work(other)) TW_ASSERT(other.has_value() == verdict.has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t half = text.find('\n');
  if (half == std::string_view::npos) return 0;
  const Result<Value> schema = Value::parse(text.substr(0, half));
  if (!schema.ok()) return 0;
  const Result<JsonSchema> compiled = JsonSchema::compile(schema.value());
  if (!compiled.ok()) {
    TW_ASSERT(compiled.status().message().front() == '#');
    return 0;
  }
  static_cast<void>(compiled.value().validate(schema.value()));
  const Result<Value> instance = Value::parse(text.substr(half + 1));
  if (!instance.ok()) return 0;
  // The short way says yes to nothing that the long way refuses.
  if (compiled.value().accepts(text.substr(half + 1))) TW_ASSERT(!compiled.value().validate(instance.value()));
  const std::optional<Violation> verdict = compiled.value().validate(instance.value());
  if (verdict) check_violation(*verdict);
  const std::optional<Violation> again = compiled.value().validate(instance.value());
  TW_ASSERT(again.has_value() == verdict.has_value());
  check_laws(schema.value(), instance.value(), verdict);
  return 0;
}
