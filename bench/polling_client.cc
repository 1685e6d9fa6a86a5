#include "polling_client.h"

#include <sys/epoll.h>

#include <array>
#include <charconv>
#include <utility>

namespace tidewire::bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr char kPacketSeparator = '\x1e';

// The value of Content-Length; false if the head has none (we ask for nothing that is answered in chunks).
bool content_length(std::string_view head, std::size_t& length) {
  for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    const auto begin = head.find(name);
    if (begin == std::string_view::npos) continue;
    const char* const digits = head.data() + begin + name.size();
    return std::from_chars(digits, head.data() + head.size(), length).ec == std::errc();
  }
  return false;
}

}  // namespace

void HttpPipe::open(const Target& target, std::size_t index) {
  if (!stream_.connect(target, index)) return loop_.fail(name_ + ": cannot connect");
  loop_.add(stream_.descriptor(), EPOLLIN | EPOLLOUT, *this);
}

void HttpPipe::request(std::string text) {
  waiting_ = true;
  if (!established_) {
    unsent_ = std::move(text);
  } else if (!stream_.write(text) || stream_.has_unsent()) {
    loop_.fail(name_ + ": cannot send");  // a request always fits into an idle socket
  }
}

void HttpPipe::on_events(std::uint32_t) {
  if (established_) return read_some();
  const auto progress = stream_.establish();
  if (progress == Stream::Progress::kFailed) return loop_.fail(name_ + ": connection refused");
  loop_.change(stream_.descriptor(), EPOLLIN, *this);
  if (progress == Stream::Progress::kWaiting) return;
  established_ = true;
  if (!unsent_.empty()) request(std::exchange(unsent_, {}));
}

void HttpPipe::read_some() {
  std::array<char, 16 * 1024> buffer;
  const long count = stream_.read(buffer);
  if (count < 0) return loop_.fail(name_ + ": the server closed the connection");
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  const auto head = received_.find(kHeadEnd);
  if (head == std::string::npos) return;
  std::size_t length = 0;
  if (!received_.starts_with("HTTP/1.1 200 ") || !content_length(std::string_view(received_).substr(0, head + 2), length)) {
    return loop_.fail(name_ + ": " + received_.substr(0, received_.find('\r')));
  }
  const auto whole = head + kHeadEnd.size() + length;
  if (received_.size() < whole) return;
  if (received_.size() > whole || !waiting_) return loop_.fail(name_ + ": more than was asked for");
  const std::string answer = std::exchange(received_, {});
  waiting_ = false;
  answer_(std::string_view(answer).substr(head + kHeadEnd.size()));
}

PollingClient::PollingClient(Loop& loop, const Target& target, std::uint32_t client_index, Message message)
    : index(client_index), loop_(loop), target_(target), message_(std::move(message)),
      poll_(loop, "poll " + std::to_string(client_index), [this](std::string_view body) { polled(body); }),
      post_(loop, "post " + std::to_string(client_index), [this](std::string_view body) {
        if (body != "ok") return loop_.fail("a POST was not answered with ok");
        post();
      }) {}

void PollingClient::open() {
  poll_.open(target_, index);
  post_.open(target_, index);
  ask();
}

void PollingClient::ask() {
  poll_.request("GET " + path_ + " HTTP/1.1\r\nHost: " + target_.host + "\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n");
}

void PollingClient::send_text(std::string_view text) {
  if (!outgoing_.empty()) outgoing_ += kPacketSeparator;
  outgoing_ += text;
  post();
}

void PollingClient::post() {
  if (outgoing_.empty() || !post_.idle()) return;
  const std::string body = std::exchange(outgoing_, {});
  post_.request("POST " + path_ + " HTTP/1.1\r\nHost: " + target_.host +
                "\r\nConnection: keep-alive\r\nAccept: */*\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: " +
                std::to_string(body.size()) + kHeadEnd.data() + body);
}

void PollingClient::polled(std::string_view body) {
  for (std::size_t begin = 0; begin <= body.size() && !loop_.failed();) {
    const auto end = std::min(body.find(kPacketSeparator, begin), body.size());
    packet(body.substr(begin, end - begin));
    begin = end + 1;
  }
  if (!loop_.failed()) ask();
}

void PollingClient::packet(std::string_view text) {
  constexpr std::string_view open = R"(0{"sid":")";
  if (text == "2") return send_text("3");
  if (text.starts_with(open)) {
    path_ += "&sid=" + std::string(text.substr(open.size(), text.find('"', open.size()) - open.size()));
    return send_text("40");
  }
  if (!ready_ && text.starts_with(R"(40{"sid":")")) {
    ready_ = true;
    return;
  }
  if (!ready_) return loop_.fail("a message before the handshake: " + std::string(text));
  message_(*this, text);
}

}  // namespace tidewire::bench
