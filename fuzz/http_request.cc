// Any bytes as the peer of an http::Connection: the answers do not depend on how the bytes were cut, and a head is refused in
// the same way from the byte on that makes it hopeless.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "http/request_codec.h"
#include "http/test_exchange.h"

namespace {

using namespace tidewire;

// A hundred-continue is due only when the body lets itself be waited for.
std::string without_continue(std::string answers) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (std::size_t at; (at = answers.find(kContinue)) != std::string::npos;) answers.erase(at, kContinue.size());
  return answers;
}

std::string converse(http::OneHandlerServer& server, std::string_view text, std::size_t first, std::size_t piece) {
  net::TestReactor::Peer peer = server.connect();
  peer.send(text.substr(0, first));
  for (std::size_t at = first; at < text.size(); at += piece) peer.send(text.substr(at, piece));
  server.reactor.advance(40);
  peer.finish();
  return without_continue(peer.take());
}

void check_prefixes(std::string_view text, std::size_t step) {
  http::RequestHead head;
  const http::HeadResult whole = http::parse_head(text, head);
  for (std::size_t size = 0; size < text.size(); size += step) {
    const http::HeadResult part = http::parse_head(text.substr(0, size), head);
    if (part.outcome == http::HeadResult::Outcome::kNeedMore) continue;
    TW_ASSERT(part.outcome == whole.outcome);
    TW_ASSERT(part.status == whole.status);
    TW_ASSERT(part.bytes == whole.bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_prefixes(text, 1 + size / 256);

  http::OneHandlerServer server;
  server.handler.body_limit = 1 << 20;
  const std::string whole = converse(server, text, text.size(), 1);
  const std::size_t split = text.empty() ? 0 : static_cast<std::size_t>(data[size / 2]) % size;
  TW_ASSERT(converse(server, text, split, text.size()) == whole);
  TW_ASSERT(converse(server, text, 0, 1 + size / 512) == whole);
  return 0;
}
