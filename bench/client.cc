#include "client.h"

#include <sys/epoll.h>

#include <cctype>

#include "websocket_wire.h"

namespace tidewire::bench {
namespace {

constexpr std::size_t kHandshakeBytes = 260;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::string handshake_text(const Target& target, bool raw, bool deflate) {
  std::string text = raw ? "GET /raw HTTP/1.1\r\n" : "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n";
  text += "Host: " + target.host + ":" + std::to_string(target.port) + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  text += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + std::string(kWebSocketKey) + "\r\n";
  if (deflate) {
    text += "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n";
  }
  const std::string_view agent = "User-Agent: ";
  const auto without_agent = text.size() + agent.size() + kHeadEnd.size();
  text += agent;
  if (without_agent < kHandshakeBytes) text.append(kHandshakeBytes - without_agent, 't');
  text += kHeadEnd;
  return text;
}

void Client::open() {
  if (!stream_.connect(context_.target, index)) return fail("cannot connect");
  context_.loop.add(stream_.descriptor(), EPOLLIN | EPOLLOUT, *this);
}

void Client::on_events(std::uint32_t events) {
  if (state_ == State::kConnecting) {
    const auto progress = stream_.establish();
    if (progress == Stream::Progress::kFailed) return fail("connection refused or TLS failed");
    context_.loop.change(stream_.descriptor(), EPOLLIN, *this);
    if (progress == Stream::Progress::kDone) connected();
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    if (!stream_.flush()) return fail("connection lost while sending");
    if (!stream_.has_unsent()) context_.loop.change(stream_.descriptor(), EPOLLIN, *this);
  }
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
  do read_some();
  while (stream_.has_buffered() && !context_.loop.failed());
  flush();
}

void Client::connected() {
  state_ = State::kUpgrading;
  out_ = handshake_text(context_.target, context_.raw, context_.deflate);
  flush();
}

void Client::read_some() {
  auto& buffer = context_.received;
  const auto kept = partial_.copy(buffer.data(), partial_.size());
  const long count = stream_.read(std::span(buffer).subspan(kept));
  if (count < 0) return fail("the server closed the connection");
  if (count == 0) return;
  std::string_view bytes(buffer.data(), kept + static_cast<std::size_t>(count));
  if (state_ == State::kUpgrading) bytes.remove_prefix(read_upgrade(bytes));
  if (state_ != State::kUpgrading) bytes.remove_prefix(read_frames(bytes));
  partial_ = bytes;
}

std::size_t Client::read_upgrade(std::string_view bytes) {
  const auto end = bytes.find(kHeadEnd);
  if (end == std::string_view::npos) return 0;
  const auto head = bytes.substr(0, end);
  if (!head.starts_with("HTTP/1.1 101 ") || !contains(head, kWebSocketAccept)) {
    fail("no upgrade: " + std::string(head.substr(0, head.find('\r'))));
    return bytes.size();
  }
  if (context_.deflate && !contains(lower(head), "permessage-deflate")) fail("compression declined");
  state_ = State::kOpening;
  if (context_.raw) become_ready();
  return end + kHeadEnd.size();
}

std::size_t Client::read_frames(std::string_view bytes) {
  std::size_t used = 0;
  ServerFrame frame;
  while (!context_.loop.failed()) {
    const auto result = parse_server_frame(bytes.substr(used), frame);
    if (result == FrameParse::kNeedMore) break;
    if (result == FrameParse::kBad || frame.opcode == kClose) {
      fail(result == FrameParse::kBad ? "a malformed frame" : "the server closed the WebSocket");
      break;
    }
    used += frame.bytes;
    if (frame.opcode == kPing) append_client_frame(out_, kPong, frame.payload);
    if (frame.opcode != kText) continue;
    std::string_view text = frame.payload;
    if (frame.compressed) ++context_.compressed_frames;
    if (frame.compressed && (!context_.deflate || !context_.inflater.inflate(frame.payload, text))) {
      fail("a compressed frame that is none or was not agreed on");
      break;
    }
    read_text(text);
  }
  return used;
}

void Client::read_text(std::string_view text) {
  if (!context_.raw && text == "2") return send_text("3");
  switch (state_) {
    case State::kOpening:
      if (!text.starts_with(R"(0{"sid":")")) return fail("no open packet");
      state_ = State::kJoining;
      return send_text(context_.auths.empty() ? "40" : "40" + context_.auths[index % context_.auths.size()]);
    case State::kJoining:
      if (!text.starts_with(R"(40{"sid":")")) return fail("no answer to CONNECT");
      return become_ready();
    case State::kReady:
      return context_.listener->message(*this, text);
    case State::kConnecting:
    case State::kUpgrading:
      return fail("a message before the handshake");
  }
}

void Client::become_ready() {
  state_ = State::kReady;
  context_.listener->ready(*this);
}

void Client::send_text(std::string_view text) { append_client_frame(out_, kText, text); }

void Client::flush() {
  if (out_.empty()) return;
  if (!stream_.write(out_)) return fail("connection lost while sending");
  out_.clear();
  if (stream_.has_unsent()) context_.loop.change(stream_.descriptor(), EPOLLIN | EPOLLOUT, *this);
}

void Client::fail(const std::string& what) { context_.loop.fail("client " + std::to_string(index) + ": " + what); }

}  // namespace tidewire::bench
