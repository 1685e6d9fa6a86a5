#include "sim/wire.h"

#include <charconv>
#include <utility>

namespace tidewire::sim {
namespace {

constexpr std::string_view kHost = " HTTP/1.1\r\nHost: sim\r\n";

int to_int(std::string_view digits) {
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

Wire::Wire(net::SimulatedWorld& world, std::uint16_t port, Ears ears) : world_(world), ears_(std::move(ears)) {
  client_ = world.connect(port, {.bytes = [this](std::string_view bytes) { take(bytes); },
                                 .ended = [this](bool reset) {
                                   if (std::exchange(busy_, false)) ears_.response(0, {});
                                   if (ears_.ended) ears_.ended(close_code_, reset);
                                 }});
}

void Wire::get(const std::string& target) {
  busy_ = true;
  client_->send(std::string("GET ").append(target).append(kHost).append("\r\n"));
}

void Wire::post(const std::string& target, std::string_view body) {
  busy_ = true;
  std::string request = std::string("POST ").append(target).append(kHost);
  request.append("Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ").append(std::to_string(body.size()));
  client_->send(request.append("\r\n\r\n").append(body));
}

void Wire::upgrade(const std::string& target) {
  busy_ = true;
  std::string request = std::string("GET ").append(target).append(kHost);
  request.append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  client_->send(request.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
}

void Wire::close(int code) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  send_frame(8, {payload, 2});
}

void Wire::send_frame(unsigned opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size() & 0xff));
  }
  unsigned char mask[4];
  world_.luck().fill(mask);
  frame.append(reinterpret_cast<const char*>(mask), 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(static_cast<unsigned char>(payload[i]) ^ mask[i % 4]));
  }
  client_->send(frame);
}

void Wire::take(std::string_view bytes) {
  received_ += bytes;
  while (websocket_ ? take_frame() : take_response()) {
  }
}

bool Wire::take_response() {
  const std::size_t end = received_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const int status = to_int(std::string_view(received_).substr(9, 3));
  std::size_t length = 0;
  const std::size_t header = received_.find("Content-Length: ");
  if (header < end) length = static_cast<std::size_t>(to_int(std::string_view(received_).substr(header + 16)));
  if (received_.size() < end + 4 + length) return false;
  const std::string body = received_.substr(end + 4, length);
  received_.erase(0, end + 4 + length);
  busy_ = false;
  websocket_ = status == 101;
  ears_.response(status, body);
  return true;
}

bool Wire::take_frame() {
  if (received_.size() < 2) return false;
  const auto at = [this](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(received_[i])); };
  std::size_t length = at(1) & 0x7f;
  std::size_t header = 2;
  if (length >= 126) {
    const std::size_t wide = length == 126 ? 2 : 8;
    if (received_.size() < header + wide) return false;
    length = 0;
    for (std::size_t i = 0; i < wide; ++i) length = length << 8 | at(header + i);
    header += wide;
  }
  if (received_.size() < header + length) return false;
  const std::size_t first = at(0);
  std::string payload = received_.substr(header, length);
  received_.erase(0, header + length);
  frame(first & 0x0f, (first & 0x80) != 0, std::move(payload));
  return true;
}

void Wire::frame(unsigned opcode, bool fin, std::string payload) {
  if (opcode == 9) return send_frame(10, payload);
  if (opcode == 8) {
    const auto at = [&](std::size_t i) { return static_cast<int>(static_cast<unsigned char>(payload[i])); };
    close_code_ = payload.size() < 2 ? 1005 : at(0) << 8 | at(1);
    send_frame(8, payload);
    client_->finish();
    return;
  }
  message_ += payload;
  if (fin) ears_.text(std::exchange(message_, {}));
}

}  // namespace tidewire::sim
