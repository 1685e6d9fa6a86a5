#include "limit_answers.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace tidewire::bench {
namespace {

constexpr std::string_view kOpen =
    R"(0{"sid":"limitlimitlimitlimit","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})";
constexpr std::string_view kConnected = R"(40{"sid":"limitlimitlimitlimit"})";
constexpr std::string_view kWebSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kKeyHeader = "Sec-WebSocket-Key: ";
constexpr std::size_t kKeyBytes = 24;

std::string accept_of(std::string_view key) {
  std::string text(key);
  text += kWebSocketGuid;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned digest_bytes = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &digest_bytes, EVP_sha1(), nullptr);
  std::array<unsigned char, 32> encoded;
  const int encoded_bytes = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest_bytes));
  return {encoded.begin(), encoded.begin() + encoded_bytes};
}

// 42<id>["echo",X]       -> 43<id>[X]
// 42<id>["broadcast",X]  -> 42["message",X] to all, 43<id>[]
// 42<id>["join",X]       -> 43<id>[]
void answer_event(std::string_view text, Answers answers) {
  const auto bracket = text.find('[', 2);
  if (bracket == std::string_view::npos || bracket + 3 > text.size()) return;
  std::array<char, 32> head = {'4', '3'};
  const auto id_bytes = text.copy(head.data() + 2, std::min<std::size_t>(bracket - 2, 24), 2);
  head[2 + id_bytes] = '[';
  const std::string_view acknowledge(head.data(), id_bytes + 3);
  const char event = text[bracket + 2];
  if (event == 'e') {
    append_server_frame(answers.own, acknowledge, text.substr(bracket + sizeof(R"(["echo",)") - 1));
    return;
  }
  if (event == 'b') {
    const auto payload = text.substr(bracket + sizeof(R"(["broadcast",)") - 1);
    append_server_frame(answers.everybody_socketio, R"(42["message",)", payload);
  }
  append_server_frame(answers.own, acknowledge, "]");
}

}  // namespace

void append_server_frame(std::string& out, std::string_view head, std::string_view tail) {
  const auto size = head.size() + tail.size();
  out += '\x81';
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    out += '\x7e';
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size);
  }
  out += head;
  out += tail;
}

Speaks answer_handshake(std::string_view request, std::string& out) {
  const auto key = request.find(kKeyHeader);
  const bool found = key != std::string_view::npos;
  const auto key_text = found ? request.substr(key + kKeyHeader.size(), kKeyBytes) : std::string_view();
  out += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  out += accept_of(key_text);
  out += "\r\n\r\n";
  if (!request.starts_with("GET /socket.io/")) return Speaks::kRaw;
  append_server_frame(out, kOpen);
  return Speaks::kSocketIo;
}

bool answer_message(Speaks speaks, std::string_view text, Answers answers) {
  if (speaks == Speaks::kRaw) {
    append_server_frame(text.starts_with('b') ? answers.everybody_raw : answers.own, text);
    return false;
  }
  if (text.starts_with("42")) {
    answer_event(text, answers);
    return false;
  }
  if (!text.starts_with("40")) return false;
  append_server_frame(answers.own, kConnected);
  return true;
}

}  // namespace tidewire::bench
