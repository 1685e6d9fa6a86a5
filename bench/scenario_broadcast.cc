#include <array>

#include "scenario.h"

namespace tidewire::bench {
namespace {

// A JSON document as applications send them: `bytes` long or a little more, and not the same twice.
std::string document(std::uint64_t sequence, std::size_t bytes) {
  std::string text = R"({"sequence":)" + std::to_string(sequence) + R"(,"items":[)";
  for (std::uint64_t i = 0; text.size() + 2 < bytes; ++i) {
    if (i > 0) text += ',';
    text += R"({"id":)" + std::to_string(sequence * 31 + i * 7919) + R"(,"state":")" + (i % 3 == 0 ? "open" : "done") +
            R"(","owner":"user-)" + std::to_string((sequence + i) * 2654435761 % 10'000) + R"("})";
  }
  return text + "]}";
}

class Broadcast final : public Driver {
 public:
  Broadcast(Fleet& fleet, Loop& loop, const LoadOptions& options)
      : fleet_(fleet), loop_(loop), options_(options), publisher_(fleet[0]), first_id_(fleet[0].sent) {}

  void start() override {
    for (std::size_t i = 0; i < fleet_.size(); ++i) fleet_[i].received = 0;
    fleet_.listen([this](Client& client, std::string_view text) { arrived(client, text); });
    due_ = Clock::now();
    turn_end();
  }

  void turn_end() override {
    if (stopped_) return;
    const bool paced = options_.rate > 0;
    while (published_ - complete_ < options_.flight && (!paced || Clock::now() >= due_)) {
      publish();
      if (paced) due_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / options_.rate));
    }
    publisher_.flush();
  }

  Clock::time_point due() const override { return options_.rate > 0 ? due_ : Clock::time_point::max(); }
  std::uint64_t done() const override { return delivered_; }
  std::uint64_t outstanding() const override {
    const auto acknowledgements = options_.raw ? 0 : published_ - acknowledged_;
    return published_ * fleet_.size() - delivered_ + acknowledgements;
  }

 private:
  static constexpr std::size_t kRing = 16;  // at least the flight

  struct Outstanding {
    std::string expected;
    std::size_t missing = 0;
  };

  void publish() {
    std::string payload;
    if (options_.payload_bytes == 64) {
      append_payload(payload, 0, published_, options_.payload_bytes);
    } else {
      payload = document(published_, options_.payload_bytes);
    }
    Outstanding& message = ring_[published_ % kRing];
    message.missing = fleet_.size();
    if (options_.raw) {
      message.expected = "b" + payload;
      publisher_.send_text(message.expected);
    } else {
      message.expected = R"(42["message",)" + payload + "]";
      publisher_.send_text("42" + std::to_string(publisher_.sent++) + R"(["broadcast",)" + payload + "]");
    }
    ++published_;
  }

  // Every socket gets every message once and in order; the publisher also gets its acknowledgements, in order.
  void arrived(Client& client, std::string_view text) {
    if (&client == &publisher_ && text.starts_with("43")) {
      if (text != "43" + std::to_string(first_id_ + acknowledged_) + "[]") return loop_.fail("a wrong acknowledgement");
      ++acknowledged_;
      return;
    }
    const auto sequence = client.received++;
    Outstanding& message = ring_[sequence % kRing];
    if (sequence >= published_ || text != message.expected) {
      return loop_.fail("wrong delivery to client " + std::to_string(client.index) + ": " + std::string(text));
    }
    ++delivered_;
    if (--message.missing == 0) ++complete_;
  }

  Fleet& fleet_;
  Loop& loop_;
  const LoadOptions& options_;
  Client& publisher_;
  const std::uint64_t first_id_;
  std::array<Outstanding, kRing> ring_;
  std::uint64_t published_ = 0;
  std::uint64_t complete_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t acknowledged_ = 0;
  Clock::time_point due_;
};

}  // namespace

Report run_broadcast(ClientContext& context, const LoadOptions& options) {
  Fleet fleet(context);
  if (!fleet.open_until(options.connections) || !fleet.join_rooms(options.rooms, options.room_members)) return {};
  Broadcast broadcast(fleet, context.loop, options);
  return measure(context.loop, broadcast, options);
}

}  // namespace tidewire::bench
