// What one message costs before its handler runs, and what looking inside costs on top.
#include "base/json_scanner.h"

#include <benchmark/benchmark.h>

#include <string>

#include "base/utf8.h"
#include "tidewire/arguments.h"

namespace tidewire::base {
namespace {

std::string echo_event() { return "[\"echo\",\"" + std::string(64, 'x') + "\"]"; }
std::string object_event() {
  return "[\"say\",{\"room\":\"general\",\"text\":\"a line of chat, not too "
         "long\",\"id\":12345,\"at\":1732104843.25,\"tags\":[\"a\",\"b\"]}]";
}
std::string long_event() {
  std::string text = "[\"many\"";
  for (int i = 0; i < 20'000; ++i) text += ",{\"k\":\"value\",\"n\":[1,2.5,null]}";
  return text + "]";
}

std::string cyrillic_line() {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xd0\xba\xd0\xb8\xd1\x82 \xe2\x82\xac ";
  return text;
}

void scan(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    EventArray event;
    benchmark::DoNotOptimize(scan_event(text, {}, event));
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(scan, echo, echo_event());
BENCHMARK_CAPTURE(scan, object, object_event());
BENCHMARK_CAPTURE(scan, long, long_event());

void utf8(benchmark::State& state, const std::string& text) {
  for (auto _ : state) benchmark::DoNotOptimize(valid_utf8(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(utf8, echo, echo_event());
BENCHMARK_CAPTURE(utf8, long, long_event());
BENCHMARK_CAPTURE(utf8, cyrillic, cyrillic_line());

void read_string_argument(benchmark::State& state) {
  const std::string text = "\"" + std::string(64, 'x') + "\"";
  for (auto _ : state) benchmark::DoNotOptimize(ArgumentsView(text, 1).as<std::string>());
}
BENCHMARK(read_string_argument);

void read_value(benchmark::State& state) {
  const std::string text = object_event();
  EventArray event;
  if (scan_event(text, {}, event) != JsonError::kOk) return state.SkipWithError("not an event");
  for (auto _ : state) benchmark::DoNotOptimize(ArgumentsView(event.arguments.text, 1)[0]);
}
BENCHMARK(read_value);

void write_arguments(benchmark::State& state) {
  const std::string line(64, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(Arguments::of(line, 17, true));
}
BENCHMARK(write_arguments);

}  // namespace
}  // namespace tidewire::base
