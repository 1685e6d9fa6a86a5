// What this layer costs per message: a masked frame of 64 bytes read, handed up, and answered by a frame of the same size.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "websocket/connection.h"
#include "websocket/deflate.h"
#include "websocket/message_reader.h"
#include "websocket/test_frames.h"

namespace tidewire::websocket {
namespace {

void unmask_bytes(benchmark::State& state) {
  std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    unmask(bytes, 0x3d21fa37);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(unmask_bytes)->Arg(16)->Arg(64)->Arg(1024)->Arg(65536);

// Sixteen frames in one read, as a pipelining client sends them.
void read_frames(benchmark::State& state) {
  std::string frames;
  for (int i = 0; i < 16; ++i) frames += test::text(std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  std::string buffer = frames;
  const Options options;
  MessageReader reader(options);
  for (auto _ : state) {
    std::memcpy(buffer.data(), frames.data(), frames.size());
    std::span<char> bytes(buffer);
    MessageReader::Event event;
    while (reader.next(bytes, event)) benchmark::DoNotOptimize(event.payload.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 16);
}
BENCHMARK(read_frames)->Arg(16)->Arg(64)->Arg(1024);

void encode(benchmark::State& state) {
  const std::string message(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(encode_text(message));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(encode)->Arg(64)->Arg(1024);

std::string json_of(std::size_t size) {
  std::string json = "[";
  for (int i = 0; json.size() < size; ++i)
    json += "{\"id\":" + std::to_string(i * 7919) + ",\"name\":\"user" + std::to_string(i) + "\"},";
  json.resize(size);
  return json;
}

void deflate_json(benchmark::State& state) {
  const base::Frame frame = encode_text(json_of(static_cast<std::size_t>(state.range(0))));
  Deflater& deflater = Deflater::shared({}, 15);
  for (auto _ : state) benchmark::DoNotOptimize(deflate_frame(frame, deflater));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(deflate_json)->Arg(1024)->Arg(16384);

void inflate_json(benchmark::State& state) {
  const std::string compressed = test::deflate(json_of(static_cast<std::size_t>(state.range(0))));
  std::span<char> message;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Inflater::shared().inflate(compressed, 1'000'000, message));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(inflate_json)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace tidewire::websocket
