// tidewire/convert.h - own types to JSON and back.
//
//   struct Order { int id; std::vector<std::string> lines; std::optional<double> price; };
//   TIDEWIRE_FIELDS(Order, id, lines, price)        // beside the struct, in its namespace
//
// makes Order an argument, an element, a field of other types. An empty optional field is not written; an absent or
// null one reads as empty; every other field must be there. Members that the struct does not have are ignored.
// For anything else write the two functions yourself, in the namespace of the type:
//
//   void write_json(tidewire::JsonOut& out, const Money& money) { out.string(money.text()); }
//   tidewire::Status read_json(const tidewire::Value& value, Money& money) { ... }
//
// Ready here: bool, integers (range checked), floating point, strings, Bytes, Value, vector, map of string, optional,
// nullptr.
// Threads: pure functions.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidewire/bytes.h"
#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire {

// Writes one value, or several with commas between them, at the end of a string. Commas and colons come by themselves.
// Lifetime: the string and the attachments must outlive it.
class JsonOut {
 public:
  // Octets become {"$bytes":"<base64>"}.
  explicit JsonOut(std::string& text) noexcept : text_(text) {}
  // Octets become placeholders, and are appended to `attachments`.
  JsonOut(std::string& text, std::vector<Bytes>& attachments) noexcept : text_(text), attachments_(&attachments) {}
  JsonOut(const JsonOut&) = delete;
  JsonOut& operator=(const JsonOut&) = delete;

  void null() { raw("null"); }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void number(double value);
  void string(std::string_view text);
  void bytes(const Bytes& octets);
  void value(const Value& value);
  // One value, or several with commas between them, that is known to be valid JSON.
  void raw(std::string_view json);

  void begin_array();
  void end_array();
  void begin_object();
  void key(std::string_view name);
  void end_object();

 private:
  void comma();
  // The number of the attachment, which may have been there before.
  std::size_t attach(const Bytes& octets);
  void text(const Text& content);
  void member(const Text& name, const Value& value);

  std::string& text_;
  std::vector<Bytes>* attachments_ = nullptr;
  bool comma_due_ = false;
  // Where somebody's data says "_placeholder":true. Beside real attachments a recipient would take it for one of ours
  // and fail, so that `true` is blotted out as soon as there are some.
  std::vector<std::size_t> lookalikes_;
};

inline void write_json(JsonOut& out, std::nullptr_t) { out.null(); }
template <std::same_as<bool> T>
void write_json(JsonOut& out, T value) {
  out.boolean(value);
}
template <Integer T>
void write_json(JsonOut& out, T value) {
  if constexpr (std::signed_integral<T>) {
    out.number(std::int64_t{value});
  } else {
    out.number(std::uint64_t{value});
  }
}
template <std::floating_point T>
void write_json(JsonOut& out, T value) {
  out.number(static_cast<double>(value));
}
template <typename T>
requires std::convertible_to<const T&, std::string_view>
void write_json(JsonOut& out, const T& text) { out.string(std::string_view(text)); }
inline void write_json(JsonOut& out, const Bytes& octets) { out.bytes(octets); }
template <std::same_as<Value> T>  // no conversions: everything is convertible to Value
void write_json(JsonOut& out, const T& value) {
  out.value(value);
}
inline void write_json(JsonOut& out, const Text& text) { out.value(Value(text)); }
template <typename T>
void write_json(JsonOut& out, const std::optional<T>& value);
template <typename T>
void write_json(JsonOut& out, const std::vector<T>& items);
template <typename T>
void write_json(JsonOut& out, const std::map<std::string, T>& members);

template <typename T>
void write_json(JsonOut& out, const std::optional<T>& value) {
  if (value.has_value()) {
    write_json(out, *value);
  } else {
    out.null();
  }
}
template <typename T>
void write_json(JsonOut& out, const std::vector<T>& items) {
  out.begin_array();
  for (const auto& item : items) write_json(out, static_cast<const T&>(item));
  out.end_array();
}
template <typename T>
void write_json(JsonOut& out, const std::map<std::string, T>& members) {
  out.begin_object();
  for (const auto& [name, value] : members) {
    out.key(name);
    write_json(out, value);
  }
  out.end_object();
}

// What a reader answers when the kind is wrong.
Status wrong_kind(std::string_view expected, const Value& found);
// The same message with the place in front: `member "lines": ...`, `element 3: ...`.
Status at_member(std::string_view name, const Status& status);
Status at_element(std::size_t index, const Status& status);

Status read_json(const Value& value, bool& out);
Status read_json(const Value& value, double& out);
Status read_json(const Value& value, float& out);
Status read_json(const Value& value, std::string& out);
// Lives as long as the value.
Status read_json(const Value& value, std::string_view& out);
Status read_json(const Value& value, Bytes& out);
inline Status read_json(const Value& value, Value& out) {
  out = value;
  return {};
}
template <Integer T>
Status read_json(const Value& value, T& out) {
  const auto number = [&value] {
    if constexpr (std::signed_integral<T>) {
      return value.as_int64();
    } else {
      return value.as_uint64();
    }
  }();
  if (!number || !std::in_range<T>(*number)) return wrong_kind("an integer in range", value);
  out = static_cast<T>(*number);
  return {};
}
template <typename T>
Status read_json(const Value& value, std::optional<T>& out);
template <typename T>
Status read_json(const Value& value, std::vector<T>& out);
template <typename T>
Status read_json(const Value& value, std::map<std::string, T>& out);

template <typename T>
Status read_json(const Value& value, std::optional<T>& out) {
  out.reset();
  if (value.is_null()) return {};
  Status status = read_json(value, out.emplace());
  if (!status.ok()) out.reset();
  return status;
}
template <typename T>
Status read_json(const Value& value, std::vector<T>& out) {
  if (!value.is_array()) return wrong_kind("an array", value);
  out.clear();
  out.reserve(value.size());
  for (const Value& item : value.items()) {
    T element{};  // not in place: vector<bool> has no references
    if (Status status = read_json(item, element); !status.ok()) return at_element(out.size(), status);
    out.push_back(std::move(element));
  }
  return {};
}
template <typename T>
Status read_json(const Value& value, std::map<std::string, T>& out) {
  if (!value.is_object()) return wrong_kind("an object", value);
  out.clear();
  for (const auto& [name, item] : value.members()) {
    if (Status status = read_json(item, out[name.text]); !status.ok()) return at_member(name, status);
  }
  return {};
}

// One field of a struct, for TIDEWIRE_FIELDS.
template <typename T>
void write_field(JsonOut& out, std::string_view name, const T& field) {
  out.key(name);
  write_json(out, field);
}
template <typename T>
void write_field(JsonOut& out, std::string_view name, const std::optional<T>& field) {
  if (field.has_value()) write_field(out, name, *field);
}
template <typename T>
Status read_field(const Value& object, std::string_view name, T& field) {
  Status status = read_json(object[name], field);
  return status.ok() ? status : at_member(name, status);
}

template <typename T>
Value Value::from(const T& source) {
  std::string text;
  std::vector<Bytes> attachments;
  JsonOut out(text, attachments);
  write_json(out, source);
  return parse(text, attachments).value_or(Value());
}

template <typename T>
Result<T> Value::to() const {
  T out{};
  Status status = read_json(*this, out);
  if (!status.ok()) return status;
  return out;
}

}  // namespace tidewire

// The preprocessor has no loops: each level of TIDEWIRE_SCAN reads the list four times again, which allows 256 fields.
#define TIDEWIRE_PARENS ()
#define TIDEWIRE_SCAN(...) TIDEWIRE_SCAN3(TIDEWIRE_SCAN3(TIDEWIRE_SCAN3(TIDEWIRE_SCAN3(__VA_ARGS__))))
#define TIDEWIRE_SCAN3(...) TIDEWIRE_SCAN2(TIDEWIRE_SCAN2(TIDEWIRE_SCAN2(TIDEWIRE_SCAN2(__VA_ARGS__))))
#define TIDEWIRE_SCAN2(...) TIDEWIRE_SCAN1(TIDEWIRE_SCAN1(TIDEWIRE_SCAN1(TIDEWIRE_SCAN1(__VA_ARGS__))))
#define TIDEWIRE_SCAN1(...) __VA_ARGS__
#define TIDEWIRE_EACH(macro, ...) __VA_OPT__(TIDEWIRE_SCAN(TIDEWIRE_EACH_STEP(macro, __VA_ARGS__)))
#define TIDEWIRE_EACH_STEP(macro, first, ...) \
  macro(first) __VA_OPT__(TIDEWIRE_EACH_AGAIN TIDEWIRE_PARENS(macro, __VA_ARGS__))
#define TIDEWIRE_EACH_AGAIN() TIDEWIRE_EACH_STEP
#define TIDEWIRE_WRITE_FIELD(field) ::tidewire::write_field(tidewire_out, #field, tidewire_struct.field);
#define TIDEWIRE_READ_FIELD(field)                                                                       \
  if (::tidewire::Status status = ::tidewire::read_field(tidewire_value, #field, tidewire_struct.field); \
      !status.ok()) {                                                                                    \
    return status;                                                                                       \
  }

#define TIDEWIRE_FIELDS(Type, ...)                                                                      \
  inline void write_json(::tidewire::JsonOut& tidewire_out, const Type& tidewire_struct) {              \
    tidewire_out.begin_object();                                                                        \
    TIDEWIRE_EACH(TIDEWIRE_WRITE_FIELD, __VA_ARGS__)                                                    \
    tidewire_out.end_object();                                                                          \
  }                                                                                                     \
  inline ::tidewire::Status read_json(const ::tidewire::Value& tidewire_value, Type& tidewire_struct) { \
    if (!tidewire_value.is_object()) return ::tidewire::wrong_kind("an object", tidewire_value);        \
    TIDEWIRE_EACH(TIDEWIRE_READ_FIELD, __VA_ARGS__)                                                     \
    return {};                                                                                          \
  }
