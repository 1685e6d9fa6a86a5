// plain/dialect.h - hub messages to JSON envelopes, each one frame for all recipients of the same form.
//
//   flat   {"type":"said","room":"r","text":"hi"}            where the one argument allows it, else as
//   data   {"type":"said","data":{"room":"r","text":"hi"}}   or, with several arguments, "args":[...]
//
// An event that wants an answer carries "id":N; the client answers {"type":"ack","id":N,"data":VALUE} (or "args").
// Without arguments there is neither `data` nor `args`.
// Threads: stateless; one per form and process.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/frame.h"
#include "hub/handlers.h"
#include "hub/message.h"
#include "plain/envelope_codec.h"

namespace tidewire::plain {

enum class Form : std::uint8_t { kFlat, kData };

class Dialect final : public hub::Dialect {
 public:
  Dialect(std::uint8_t index, Form form) noexcept : hub::Dialect(index), form_(form) {}
  std::string_view name() const noexcept override { return "plain"; }
  base::Frame encode_event(const hub::Message& message) const override;
  base::Frame encode_ack(std::string_view namespace_name, const hub::AckKey& key,
                         const ArgumentsView& arguments) const override;

  // {code, message, details?} as event `error`. `details`: JSON text, empty for none.
  base::Frame encode_error(std::string_view code, std::string_view message, std::string_view details) const;

 private:
  const Form form_;
};

// {"type":"pong"}, with the id of the ping if it had one.
base::Frame encode_pong(std::string_view id);

}  // namespace tidewire::plain
