#include <array>
#include <charconv>

#include "scenario.h"

namespace tidewire::bench {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

class Echo final : public Driver {
 public:
  Echo(Fleet& fleet, Loop& loop, const LoadOptions& options) : fleet_(fleet), loop_(loop), options_(options) {}

  void start() override {
    fleet_.listen([this](Client& client, std::string_view text) { answered(client, text); });
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      for (std::size_t k = 0; k < options_.flight; ++k) ask(fleet_[i]);
      fleet_[i].flush();
    }
  }
  std::uint64_t done() const override { return done_; }
  std::uint64_t outstanding() const override { return asked_ - done_; }

 private:
  void ask(Client& client) {
    ++asked_;
    text_.clear();
    append_echo_request(text_, options_, client.index, client.sent++);
    client.send_text(text_);
  }

  // Each answer asks the next question; what answers of one read ask leaves in one send.
  void answered(Client& client, std::string_view text) {
    expected_.clear();
    append_echo_answer(expected_, options_, client.index, client.received++);
    if (text != expected_) return loop_.fail("wrong echo: " + std::string(text) + " for " + expected_);
    ++done_;
    if (!stopped_) ask(client);
  }

  Fleet& fleet_;
  Loop& loop_;
  const LoadOptions& options_;
  std::uint64_t asked_ = 0;
  std::uint64_t done_ = 0;
  std::string text_;
  std::string expected_;
};

}  // namespace

void append_payload(std::string& out, std::uint64_t client, std::uint64_t sequence, std::size_t bytes) {
  out += '"';
  const auto begin = out.size();
  append_number(out, client);
  out += '-';
  append_number(out, sequence);
  out.append(bytes - (out.size() - begin), '.');
  out += '"';
}

// The payload, or an object with it: about 250 bytes more.
void append_value(std::string& out, const LoadOptions& options, std::uint64_t client, std::uint64_t sequence) {
  if (!options.object) return append_payload(out, client, sequence, options.payload_bytes);
  out += R"({"id":)";
  append_payload(out, client, sequence, options.payload_bytes);
  out += R"(,"project":"apollo","kind":"order","amount":129.95,"count":)";
  append_number(out, sequence % 100);
  out += R"(,"paid":true,"lines":["two pounds of tea","a pint of milk","sugar"],"note":"to be left with the neighbour )"
         R"(if nobody is at home in the afternoon"})";
}

void append_echo_request(std::string& out, const LoadOptions& options, std::uint64_t client, std::uint64_t id) {
  if (options.raw) {
    out += 'e';
    return append_payload(out, client, id, options.payload_bytes);
  }
  out += "42";
  append_number(out, id);
  out += R"(["echo",)";
  append_value(out, options, client, id);
  out += ']';
}

void append_echo_answer(std::string& out, const LoadOptions& options, std::uint64_t client, std::uint64_t id) {
  if (options.raw) return append_echo_request(out, options, client, id);
  out += "43";
  append_number(out, id);
  out += '[';
  append_value(out, options, client, id);
  out += ']';
}

Report run_echo(ClientContext& context, const LoadOptions& options) {
  Fleet fleet(context);
  if (!fleet.open_until(options.connections) || !fleet.join_rooms(options.rooms, options.room_members)) return {};
  Echo echo(fleet, context.loop, options);
  return measure(context.loop, echo, options);
}

}  // namespace tidewire::bench
