// base/value_builder.h - a Value from text that was scanned, without looking for errors again.
//
//   parts_  [{...}] | "id" 7, "lines" [...] | "tea", "milk"      what is finished of each open container, the innermost last
//   open_             ^ first part of the object  ^ of the array
//
// A value is made where it stands and moved once, into its container, which is then exactly as large as it must be.
// Threads: one builder, one text, one thread. No recursion: the open containers are a stack of their own.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
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
    std::size_t first;  // its first part
    bool is_object;
  };

  void take(const base::JsonToken& token);
  // Where the next value comes: behind its key, if there is one.
  Value& place();
  void open(bool is_object);
  void close();
  // The attachment that an object stands for, or nullptr.
  const Bytes* attachment_of(const Value& object) const noexcept;

  std::span<const Bytes> attachments_;
  absl::InlinedVector<Value::Member, 16> parts_;  // of an array: without keys
  absl::InlinedVector<Open, 8> open_;
  bool has_key_ = false;  // the last part is a key whose value comes next
};

}  // namespace tidewire
