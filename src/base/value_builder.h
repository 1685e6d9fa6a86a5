// base/value_builder.h - a Value from text that was scanned, without looking for errors again.
//
// Threads: one builder, one text, one thread. No recursion: the open containers are a stack of their own, and so are what they
// hold until they close: each member is made in place and moved once, into a container of just the right size.
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
    bool is_object;
    std::size_t begin;  // of its members or items
  };

  void take(const base::JsonToken& token);
  // Where the next value belongs: a member whose key has come, an item, or the result.
  Value& place();
  void open(bool is_object) { open_.push_back({is_object, is_object ? members_.size() : items_.size()}); }
  void close();
  // The attachment that an object stands for, or nullptr.
  const Bytes* attachment_of(const Value& object) const noexcept;

  std::span<const Bytes> attachments_;
  std::vector<Open> open_;
  std::vector<Value::Member> members_;  // of all open objects, one behind the other
  std::vector<Value> items_;            // of all open arrays
  Value result_;
};

}  // namespace tidewire
