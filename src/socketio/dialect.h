// socketio/dialect.h - hub messages to Socket.IO packets, each one frame for all recipients.
//
// Threads: stateless; one per process.
#pragma once

#include <string_view>

#include "base/frame.h"
#include "hub/message.h"

namespace tidewire::socketio {

class Dialect final : public hub::Dialect {
 public:
  explicit Dialect(std::uint8_t index) noexcept : hub::Dialect(index) {}
  std::string_view name() const noexcept override { return "socketio"; }
  base::Frame encode_event(const hub::Message& message) const override;
  base::Frame encode_ack(std::string_view namespace_name, const hub::AckKey& key, const ArgumentsView& arguments) const override;
};

// Packets of the connection itself.
base::Frame encode_connect(std::string_view namespace_name, std::string_view sid);
// `data`: JSON text, empty for none.
base::Frame encode_connect_error(std::string_view namespace_name, std::string_view message, std::string_view data);
base::Frame encode_disconnect(std::string_view namespace_name);

}  // namespace tidewire::socketio
