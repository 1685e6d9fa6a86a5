// base/value_builder.h - a Value from text that was scanned, without looking for errors again.
//
// Threads: one builder, one text, one thread. No recursion: the open containers are a stack of their own.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/json_reader.h"
#include "tidewire/value.h"

namespace tidewire {

class ValueBuilder {
 public:
  // Placeholders that name one of the attachments become its octets; every other object stays an object.
  explicit ValueBuilder(std::span<const Bytes> attachments = {}) noexcept : attachments_(attachments) {}

  // REQUIRES: exactly one value, scanned. Called once.
  Value build(std::string_view text);

  // Of members with equal keys the last one stays, at the place of the first.
  static void drop_repeated(std::vector<Value::Member>& members);

 private:
  struct Open {
    Value container;
    Text key;  // of the member whose value comes next
  };

  void take(const base::JsonToken& token);
  void add(Value value);
  void open(Value container);
  void close();
  // The attachment that an object stands for, or nullptr.
  const Bytes* attachment_of(const Value& object) const noexcept;

  std::span<const Bytes> attachments_;
  std::vector<Open> open_;
  Value result_;
};

}  // namespace tidewire
