// How long a typical head takes to parse, and that parsing allocates nothing.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "http/request_codec.h"
#include "http/response_codec.h"

namespace {
std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace tidewire::http {
namespace {

constexpr std::string_view kHandshake =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: example.org:3000\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    "Origin: https://example.org\r\n"
    "\r\n";

void parse_handshake(benchmark::State& state) {
  const auto head = std::make_unique<RequestHead>();
  allocations = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(parse_head(kHandshake, *head));
  }
  state.counters["allocations"] = static_cast<double>(allocations) / static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kHandshake.size()));
}
BENCHMARK(parse_handshake);

void encode_poll_answer(benchmark::State& state) {
  const Header headers[] = {{"cache-control", "no-store"}};
  const std::string body(100, 'x');
  allocations = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(
        encode_answer({.status = 200, .headers = headers, .content_type = "text/plain; charset=UTF-8", .body = body}));
  }
  state.counters["allocations"] = static_cast<double>(allocations) / static_cast<double>(state.iterations());
}
BENCHMARK(encode_poll_answer);

}  // namespace
}  // namespace tidewire::http
