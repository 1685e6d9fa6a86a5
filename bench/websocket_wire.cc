#include "websocket_wire.h"

#include <array>
#include <cstring>

namespace tidewire::bench {
namespace {

// A new mask for each frame, as real clients do: a server must not gain from a constant one.
std::uint32_t next_mask() {
  static std::uint32_t state = 0x9e3779b9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

void mask_in_place(char* bytes, std::size_t size, std::uint32_t mask) {
  const std::uint64_t whole = static_cast<std::uint64_t>(mask) << 32 | mask;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, sizeof word);
    word ^= whole;
    std::memcpy(bytes + i, &word, sizeof word);
  }
  for (; i < size; ++i) bytes[i] = static_cast<char>(bytes[i] ^ static_cast<char>(mask >> (i % 4 * 8)));
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

void append_client_frame(std::string& out, unsigned opcode, std::string_view text) {
  out += static_cast<char>(0x80 | opcode);
  if (text.size() < 126) {
    out += static_cast<char>(0x80 | text.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size());
  }
  const std::uint32_t mask = next_mask();
  std::array<char, 4> key;
  std::memcpy(key.data(), &mask, key.size());
  out.append(key.data(), key.size());
  const auto begin = out.size();
  out += text;
  mask_in_place(out.data() + begin, text.size(), mask);
}

FrameParse parse_server_frame(std::string_view bytes, ServerFrame& frame) {
  if (bytes.size() < 2) return FrameParse::kNeedMore;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0x80) == 0 || (first & 0x30) != 0 || (second & 0x80) != 0) return FrameParse::kBad;
  std::size_t head = 2;
  std::uint64_t size = second;
  if (second >= 126) {
    head = second == 126 ? 4 : 10;
    if (bytes.size() < head) return FrameParse::kNeedMore;
    size = big_endian(bytes.substr(2, head - 2));
    if (size < 126 || (second == 127 && size <= 0xffff)) return FrameParse::kBad;
  }
  if (bytes.size() < head || bytes.size() - head < size) return FrameParse::kNeedMore;
  frame.opcode = first & 0x0f;
  frame.compressed = (first & 0x40) != 0;
  frame.payload = bytes.substr(head, size);
  frame.bytes = head + size;
  return FrameParse::kFrame;
}

}  // namespace tidewire::bench
