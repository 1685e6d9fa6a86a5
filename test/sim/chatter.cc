#include "sim/chatter.h"

#include <algorithm>
#include <utility>

namespace tidewire::sim {

Wire& Chatter::open(Wire::Ears ears) {
  wires_.push_back(std::make_unique<Wire>(place_.world, place_.port, std::move(ears)));
  return *wires_.back();
}

void Chatter::end(int code) {
  if (!std::exchange(over_, true)) ears_.ended(code);
}

void Chatter::reset() {
  for (const auto& wire : wires_) wire->stream().reset();
  end(0);
}

void Chatter::vanish() {
  for (const auto& wire : wires_) wire->stream().vanish();
  end(0);
}

void Chatter::stall(bool on) {
  for (const auto& wire : wires_) wire->stream().stall(on);
}

void Chatter::hold(base::Milliseconds ms) {
  for (const auto& wire : wires_) wire->stream().hold(ms);
}

namespace {

std::string room_json(std::string_view room) { return Value::object({{"room", room}}).to_json(); }

// ---- Plain

class Plain final : public Chatter {
 public:
  Plain(Place place, Ears ears) : Chatter(place, std::move(ears)) {
    wire_ = &open({.response = [this](int status, std::string_view) { status == 101 ? ears_.ready() : end(0); },
                   .text = [this](std::string_view text) { take(text); },
                   .ended = [this](int code, bool) { end(code); }});
    wire_->upgrade("/");
  }
  void join(std::string_view room, std::uint64_t id) override { send("join", Value::object({{"room", room}}), id); }
  void leave(std::string_view room, std::uint64_t id) override { send("leave", Value::object({{"room", room}}), id); }
  void say(const Value& body, std::uint64_t id) override { send("say", body, id); }
  void close() override { wire_->close(1000); }

 private:
  void send(std::string_view type, Value fields, std::uint64_t id) {
    fields.set("type", type);
    fields.set("id", id);
    wire_->send_text(fields.to_json());
  }
  void take(std::string_view text) {
    const Value message = Value::parse(text).value_or(Value());
    const std::string_view type = message["type"].as_string().value_or("");
    if (type == "said") ears_.said(message);
    if (type == "ack") ears_.acknowledged(message["id"].as_uint64().value_or(0));
    if (type == "ask") {
      wire_->send_text(Value::object({{"type", "ack"}, {"id", message["id"]}, {"data", true}}).to_json());
    }
  }

  Wire* wire_;
};

// ---- Socket.IO

class SocketIo final : public Chatter {
 public:
  SocketIo(Place place, Ears ears, Way way) : Chatter(place, std::move(ears)), upgrades_(way == Way::kUpgrade) {
    if (way == Way::kWebSocket) {
      open_socket("/socket.io/?EIO=4&transport=websocket");
    } else {
      polling_ = true;
      request(poll_, [this](int status, std::string_view body) { polled(status, body); }).get(polling_path());
    }
  }
  void join(std::string_view room, std::uint64_t id) override { event(id, "enter", room_json(room)); }
  void leave(std::string_view room, std::uint64_t id) override { event(id, "exit", room_json(room)); }
  void say(const Value& body, std::uint64_t id) override { event(id, "say", body.to_json()); }
  void close() override {
    send("1");
    if (!polling_) socket_->close(1000);
  }

 private:
  std::string polling_path() const {
    return "/socket.io/?EIO=4&transport=polling" + (sid_.empty() ? std::string() : "&sid=" + sid_);
  }

  // The kept connection, or by luck a fresh one, which lands on any shard.
  Wire& request(Wire*& kept, std::function<void(int, std::string_view)> response) {
    if (kept == nullptr || !kept->connected() || place_.world.luck().below(3) == 0) {
      if (kept != nullptr) kept->stream().finish();
      kept = &open({.response = std::move(response)});
    }
    return *kept;
  }

  void event(std::uint64_t id, std::string_view name, const std::string& body) {
    send("42" + std::to_string(id) + "[\"" + std::string(name) + "\"," + body + "]");
  }

  void send(std::string packet) {
    outbox_.push_back(std::move(packet));
    flush();
  }

  void flush() {
    if (over() || outbox_.empty() || sid_.empty()) return;
    if (!polling_) {
      for (const std::string& packet : std::exchange(outbox_, {})) socket_->send_text(packet);
    } else if (!posting_ && !probed_) {
      posting_ = true;
      std::string body;
      for (const std::string& packet : std::exchange(outbox_, {})) body.append(body.empty() ? "" : "\x1e").append(packet);
      request(post_, [this](int status, std::string_view) { posted(status); }).post(polling_path(), body);
    }
  }

  void posted(int status) {
    posting_ = false;
    if (status != 200) return end(0);
    if (probed_) return switch_transports();
    flush();
  }

  void polled(int status, std::string_view body) {
    polls_ = false;
    if (status != 200) return end(0);
    while (!body.empty()) {
      const std::size_t size = std::min(body.find('\x1e'), body.size());
      packet(body.substr(0, size));
      body.remove_prefix(std::min(size + 1, body.size()));
    }
    if (over()) return;
    if (probed_) return switch_transports();
    poll();
  }

  void poll() {
    polls_ = true;
    request(poll_, [this](int status, std::string_view body) { polled(status, body); }).get(polling_path());
  }

  void open_socket(const std::string& target) {
    socket_ = &open({.response = [this](int status, std::string_view) { socket_opened(status); },
                     .text = [this](std::string_view text) { text == "3probe" ? probed() : packet(text); },
                     .ended = [this](int code, bool) { if (!polling_) end(code); }});
    socket_->upgrade(target);
  }

  void socket_opened(int status) {
    if (!polling_ && status != 101) return end(0);
    if (polling_ && status == 101) socket_->send_text("2probe");
  }

  // No further request; the polls under way are answered, then we go over.
  void probed() {
    probed_ = true;
    switch_transports();
  }

  void switch_transports() {
    if (polls_ || posting_ || !polling_) return;
    socket_->send_text("5");
    polling_ = false;
    flush();
  }

  void packet(std::string_view packet) {
    if (packet.empty() || over()) return;
    const char type = packet.front();
    packet.remove_prefix(1);
    if (type == '0') {
      sid_ = std::string(Value::parse(packet).value_or(Value())["sid"].as_string().value_or(""));
      outbox_.insert(outbox_.begin(), "40");
      flush();
      if (upgrades_) open_socket("/socket.io/?EIO=4&transport=websocket&sid=" + sid_);
    } else if (type == '1') {
      end(0);
    } else if (type == '2') {
      send("3");
    } else if (type == '4') {
      message(packet);
    }
  }

  void message(std::string_view packet) {
    const char type = packet.front();
    packet.remove_prefix(1);
    if (type == '0') return ears_.ready();
    if (type == '1') return end(0);
    std::uint64_t id = 0;
    bool has_id = false;
    for (; !packet.empty() && packet.front() >= '0' && packet.front() <= '9'; packet.remove_prefix(1)) {
      id = id * 10 + static_cast<std::uint64_t>(packet.front() - '0');
      has_id = true;
    }
    if (type == '3') return ears_.acknowledged(id);
    const Value arguments = Value::parse(packet).value_or(Value());
    if (has_id) send("43" + std::to_string(id) + "[true]");
    if (arguments[0] == Value("said")) ears_.said(arguments[1]);
  }

  const bool upgrades_;
  std::string sid_;
  std::vector<std::string> outbox_;
  Wire* poll_ = nullptr;
  Wire* post_ = nullptr;
  Wire* socket_ = nullptr;
  bool polling_ = false;
  bool polls_ = true;
  bool posting_ = false;
  bool probed_ = false;
};

}  // namespace

std::unique_ptr<Chatter> make_chatter(Way way, Place place, Chatter::Ears ears) {
  if (way == Way::kPlain) return std::make_unique<Plain>(place, std::move(ears));
  return std::make_unique<SocketIo>(place, std::move(ears), way);
}

}  // namespace tidewire::sim
