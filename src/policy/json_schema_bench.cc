// What a contract costs a message: P11 of the promises about speed. The value is there already; parsing it is measured beside it.
#include "policy/json_schema.h"

#include <benchmark/benchmark.h>

#include <string>

#include "policy/rate_table.h"
#include "policy/room_pattern.h"
#include "policy/template.h"

namespace tidewire::policy {
namespace {

// Eight fields.
constexpr std::string_view kSchema = R"({
  "type": "object", "additionalProperties": false,
  "required": ["id", "room", "text", "sentAt", "kind"],
  "properties": {
    "id": {"type": "string", "format": "uuid"},
    "room": {"type": "string", "minLength": 1, "maxLength": 128},
    "text": {"type": "string", "minLength": 1, "maxLength": 2000},
    "sentAt": {"type": "integer", "minimum": 0},
    "kind": {"enum": ["text", "image", "file", "system"]},
    "tags": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 30}},
    "author": {"type": "object", "required": ["id", "name"],
               "properties": {"id": {"type": "integer", "minimum": 1}, "name": {"type": "string", "maxLength": 60}}},
    "silent": {"type": "boolean"}
  }})";
constexpr std::string_view kWithPattern = R"({"properties": {"room": {"pattern": "^[a-z]+:[0-9a-z-]+$"}}})";

constexpr std::string_view kMessage =
    R"({"id":"123e4567-e89b-12d3-a456-426614174000","room":"project:7f3a","text":"The quick brown fox jumps over the lazy dog, )"
    R"(and then once more for good measure.","sentAt":1732104843250,"kind":"text","tags":["animals","typing"],)"
    R"("author":{"id":4711,"name":"Grace Hopper"},"silent":false})";

void validate(benchmark::State& state, std::string_view schema_text) {
  const Result<JsonSchema> schema = JsonSchema::compile(*Value::parse(schema_text));
  const Value message = *Value::parse(kMessage);
  for (auto _ : state) benchmark::DoNotOptimize(schema.value().validate(message));
  state.counters["bytes"] = static_cast<double>(kMessage.size());
}
BENCHMARK_CAPTURE(validate, eight_fields, kSchema);
BENCHMARK_CAPTURE(validate, one_pattern, kWithPattern);

void accept(benchmark::State& state) {
  const Result<JsonSchema> schema = JsonSchema::compile(*Value::parse(kSchema));
  for (auto _ : state) benchmark::DoNotOptimize(schema.value().accepts(kMessage));
}
BENCHMARK(accept);

void refuse(benchmark::State& state) {
  const Result<JsonSchema> schema = JsonSchema::compile(*Value::parse(kSchema));
  Value message = *Value::parse(kMessage);
  message.set("sentAt", -1);
  for (auto _ : state) benchmark::DoNotOptimize(schema.value().validate(message));
}
BENCHMARK(refuse);

void parse_value(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Value::parse(kMessage));
}
BENCHMARK(parse_value);

void compile(benchmark::State& state) {
  const Value schema = *Value::parse(kSchema);
  for (auto _ : state) benchmark::DoNotOptimize(JsonSchema::compile(schema));
}
BENCHMARK(compile);

// One rule of a rate, for `range` users in turn.
void take_token(benchmark::State& state) {
  RateTable table(Rate{.count = 1'000'000, .interval_ms = 1'000, .burst = 1'000'000});
  std::vector<std::string> users;
  for (std::int64_t i = 0; i < state.range(0); ++i) users.push_back("user:" + std::to_string(i * 7919));
  std::size_t at = 0;
  base::Milliseconds now = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.take(users[at], ++now));
    if (++at == users.size()) at = 0;
  }
}
BENCHMARK(take_token)->Arg(1)->Arg(10'000)->Arg(150'000);

void fill_room(benchmark::State& state) {
  const Result<Template> room = Template::compile("doc:{author.id}:{kind}", Template::Use::kRoom);
  const Value message = *Value::parse(kMessage);
  for (auto _ : state) benchmark::DoNotOptimize(room.value().fill([&](std::string_view path) { return value_at(message, path); }));
}
BENCHMARK(fill_room);

void find_pattern(benchmark::State& state) {
  RoomPatternTable<int> table;
  for (const char* text : {"global", "user:{id}", "project:{id}", "doc:{project}:{id}", "lobby-{n}", "{any}"}) {
    static_cast<void>(table.add(*RoomPattern::compile(text), 1));
  }
  for (auto _ : state) benchmark::DoNotOptimize(table.find("doc:7f3a:draft"));
}
BENCHMARK(find_pattern);

}  // namespace
}  // namespace tidewire::policy
