#include <memory>
#include <vector>

#include "polling_client.h"
#include "scenario.h"

namespace tidewire::bench {
namespace {

using std::chrono::seconds;

class PollingEcho final : public Driver {
 public:
  PollingEcho(ClientContext& context, const LoadOptions& options) : context_(context), options_(options) {
    const auto message = [this](PollingClient& client, std::string_view text) { answered(client, text); };
    for (std::uint32_t i = 0; i < options.connections; ++i) {
      clients_.push_back(std::make_unique<PollingClient>(context.loop, context.target, i, message));
    }
  }

  bool open() {
    for (const auto& client : clients_) client->open();
    for (const auto& client : clients_) {
      while (!client->ready()) {
        if (!context_.loop.turn(Clock::now() + seconds(1))) return false;
      }
    }
    return true;
  }

  void start() override {
    for (const auto& client : clients_) ask(*client);
  }
  std::uint64_t done() const override { return done_; }
  std::uint64_t outstanding() const override { return asked_ - done_; }

 private:
  void ask(PollingClient& client) {
    ++asked_;
    std::string text;
    append_echo_request(text, options_, client.index, client.sent++);
    client.send_text(text);
  }

  void answered(PollingClient& client, std::string_view text) {
    std::string expected;
    append_echo_answer(expected, options_, client.index, client.received++);
    if (text != expected) return context_.loop.fail("wrong echo: " + std::string(text) + " for " + expected);
    ++done_;
    if (!stopped_) ask(client);
  }

  ClientContext& context_;
  const LoadOptions& options_;
  std::vector<std::unique_ptr<PollingClient>> clients_;
  std::uint64_t asked_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace

Report run_polling(ClientContext& context, const LoadOptions& options) {
  PollingEcho echo(context, options);
  if (!echo.open()) return {};
  return measure(context.loop, echo, options);
}

}  // namespace tidewire::bench
