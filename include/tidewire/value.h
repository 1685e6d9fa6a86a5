// tidewire/value.h - Value: anything that an event can carry, that is JSON and octets.
//
//   const Value order = Value::object({{"id", 7}, {"lines", Value::array({"tea", "milk"})}});
//   order["lines"][0].as_string()          // "tea"
//   order["price"].as_double()             // nullopt: absent members read as null
//   order.to<Order>()                      // your own type, see tidewire/convert.h
//
// What came from a peer goes out as it came: a number is kept as its text (1e400, 12345678901234567890), an object
// keeps the order of its members, and of two equal keys the last one counts, at the place of the first, as in
// JavaScript.
// Threads: a plain value. Nothing here throws; an accessor of the wrong kind answers nullopt or an empty span.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tidewire/bytes.h"
#include "tidewire/status.h"

namespace tidewire {

// Integers proper: neither bool nor a character type.
template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                  !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

// A JSON string. Always valid UTF-8, with one oddity: a peer may send half a surrogate pair ("\ud83d"), which no UTF-8
// can hold. Then `text` is the JSON text between the quotes, escapes and all, `escaped` says so, and it is written back
// verbatim.
struct Text {
  std::string text;
  bool escaped = false;

  Text() = default;
  Text(std::string content) : text(std::move(content)) {}      // NOLINT: implicit, for builders
  Text(std::string_view content) : text(content) {}            // NOLINT: implicit
  Text(const char* content) : text(content) {}                 // NOLINT: implicit
  operator std::string_view() const noexcept { return text; }  // NOLINT: implicit, a key is mostly looked at
  friend bool operator==(const Text&, const Text&) noexcept = default;
  template <std::convertible_to<std::string_view> Other>
  requires(!std::same_as<Other, Text>)
  friend bool operator==(const Text& a, const Other& b) noexcept {
    return !a.escaped && a.text == std::string_view(b);
  }
};

class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kBytes, kArray, kObject };
  struct Member;

  Value() noexcept;
  Value(std::nullptr_t) noexcept;  // NOLINT: implicit constructors throughout, so that builders read well
  template <std::same_as<bool> T>
  Value(T boolean) noexcept : Value(Storage(std::in_place_type<bool>, boolean)) {}  // NOLINT
  template <Integer T>
  Value(T number) : Value(integer(number)) {}  // NOLINT
  Value(double number);                        // NOLINT: NaN and the infinities are null, as in JavaScript
  Value(const char* text);                     // NOLINT
  Value(std::string_view text);                // NOLINT
  Value(std::string text);                     // NOLINT
  Value(Text text);                            // NOLINT
  Value(Bytes bytes);                          // NOLINT
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(Value other) noexcept;
  ~Value();

  static Value array(std::initializer_list<Value> items = {});
  static Value array(std::vector<Value> items);
  static Value object(std::initializer_list<Member> members = {});
  // Of two equal keys the last one counts.
  static Value object(std::vector<Member> members);

  // One JSON text, at most 512 deep, numbers at most 32 characters.
  static Result<Value> parse(std::string_view json);
  // The same with {"_placeholder":true,"num":N} standing for the Nth attachment. Without attachments nothing is
  // replaced.
  static Result<Value> parse(std::string_view json, std::span<const Bytes> attachments);
  // Any type that has a JSON form, see tidewire/convert.h; null if its own write_json writes what is no JSON.
  template <typename T>
  static Value from(const T& source);

  // JSON without blanks; octets as {"$bytes":"<base64>"}.
  std::string to_json() const;
  // Octets as {"_placeholder":true,"num":N}, appended to `attachments`.
  std::string to_json(std::vector<Bytes>& attachments) const;

  Kind kind() const noexcept { return static_cast<Kind>(storage_.index()); }
  bool is_null() const noexcept { return kind() == Kind::kNull; }
  bool is_bool() const noexcept { return kind() == Kind::kBool; }
  bool is_number() const noexcept { return kind() == Kind::kNumber; }
  bool is_integer() const noexcept;  // a number without fraction and exponent, of any size
  bool is_string() const noexcept { return kind() == Kind::kString; }
  bool is_bytes() const noexcept { return kind() == Kind::kBytes; }
  bool is_array() const noexcept { return kind() == Kind::kArray; }
  bool is_object() const noexcept { return kind() == Kind::kObject; }

  std::optional<bool> as_bool() const noexcept;
  // A number that fits and has no fraction; 1.0 and 1e3 are such too, for some peers write integers so.
  std::optional<std::int64_t> as_int64() const noexcept;
  std::optional<std::uint64_t> as_uint64() const noexcept;
  // The nearest double; infinite beyond its range, as in JavaScript.
  std::optional<double> as_double() const noexcept;
  // Lives as long as this value. For half a surrogate pair see Text.
  std::optional<std::string_view> as_string() const noexcept;
  std::optional<Bytes> as_bytes() const noexcept;
  // A number as it was written.
  std::optional<std::string_view> number_text() const noexcept;

  // Elements of an array, members of an object; empty for every other kind. They live as long as this value is
  // unchanged.
  std::span<const Value> items() const noexcept;
  std::span<const Member> members() const noexcept;
  std::size_t size() const noexcept { return is_array() ? items().size() : member_count(); }

  // The member or element; the null value when there is none.
  const Value& operator[](std::string_view key) const& noexcept;
  const Value& operator[](std::size_t index) const& noexcept;
  // Of a temporary: by value, so that `arguments[0]["name"]` may be kept.
  Value operator[](std::string_view key) && { return static_cast<const Value&>(*this)[key]; }
  Value operator[](std::size_t index) && { return static_cast<const Value&>(*this)[index]; }
  // The member, or nullptr. Takes time in proportion to the number of members.
  const Value* find(std::string_view key) const noexcept;

  // Appends to an array; a value of another kind becomes an array first.
  Value& push_back(Value item);
  // Sets a member; a value of another kind becomes an object first.
  Value& set(Text key, Value value);

  // A T made of this value, or what is wrong with it: "member \"lines\": expected an array, found a string".
  template <typename T>
  Result<T> to() const;

  // By meaning: the order of members does not count, and numbers are equal if their texts are, or their doubles (1
  // and 1.0).
  friend bool operator==(const Value& a, const Value& b) { return equal(a, b); }

 private:
  struct Number {
    std::string text;
  };
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;
  using Storage = std::variant<std::monostate, bool, Number, Text, Bytes, Array, Object>;  // in the order of Kind

  explicit Value(Storage storage) noexcept;
  template <Integer T>
  static Value integer(T number) {
    if constexpr (std::signed_integral<T>) {
      return signed_integer(number);
    } else {
      return unsigned_integer(number);
    }
  }
  static Value signed_integer(std::int64_t number);
  static Value unsigned_integer(std::uint64_t number);
  static bool equal(const Value& a, const Value& b);
  std::size_t member_count() const noexcept;
  friend class ValueBuilder;
  friend class JsonOut;

  Storage storage_;
};

struct Value::Member {
  Text key;
  Value value;
};

// What a Value is called in messages: "null", "a number", "an array".
std::string_view kind_name(Value::Kind kind) noexcept;

}  // namespace tidewire

#include "tidewire/convert.h"  // the bodies of from() and to()
