#include "tidewire/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_reader.h"
#include "base/json_scanner.h"
#include "base/json_writer.h"
#include "base/placeholders.h"
#include "base/utf8.h"
#include "base/value_builder.h"

namespace tidewire {
namespace {

// Beyond this a double no longer says which integer was meant.
constexpr double kExactIntegerMax = 9007199254740992.0;

// An integer that was written as such, or with a fraction or exponent that changes nothing.
template <typename T>
std::optional<T> exact_integer(std::string_view text) noexcept {
  T number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && rest == text.data() + text.size()) return number;
  const double wide = base::json_number(text);
  const bool exact = std::trunc(wide) == wide && std::abs(wide) <= kExactIntegerMax;
  if (!exact || (std::unsigned_integral<T> && wide < 0)) return std::nullopt;
  return static_cast<T>(wide);
}

template <typename T>
std::string number_text_of(T number) {
  std::string text;
  base::append_json_number(text, number);
  return text;
}

std::vector<const Value::Member*> by_key(std::span<const Value::Member> members) {
  std::vector<const Value::Member*> sorted;
  sorted.reserve(members.size());
  for (const auto& member : members) sorted.push_back(&member);
  std::ranges::sort(sorted, [](const auto* a, const auto* b) {
    return a->key.escaped != b->key.escaped ? b->key.escaped : a->key.text < b->key.text;
  });
  return sorted;
}

}  // namespace

// Not in the header: inlined into user code, g++ 12 warns of the variant's alternatives that it sees nobody set.
Value::Value() noexcept = default;
Value::Value(std::nullptr_t) noexcept {}
Value::Value(Storage storage) noexcept : storage_(std::move(storage)) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value::~Value() = default;

Value::Value(double number) {
  if (std::isfinite(number)) storage_ = Number{number_text_of(number)};
}
Value::Value(const char* text) : Value(Text(text)) {}
Value::Value(std::string_view text) : Value(Text(text)) {}
Value::Value(std::string text) : Value(Text(std::move(text))) {}
Value::Value(Text text) : storage_(std::move(text)) {}
Value::Value(Bytes bytes) : storage_(std::move(bytes)) {}

Value& Value::operator=(Value other) noexcept {
  storage_ = std::move(other.storage_);
  return *this;
}

Value Value::signed_integer(std::int64_t number) { return Value(Storage(Number{number_text_of(number)})); }
Value Value::unsigned_integer(std::uint64_t number) { return Value(Storage(Number{number_text_of(number)})); }

Value Value::array(std::initializer_list<Value> items) { return Value(Storage(Array(items))); }
Value Value::array(std::vector<Value> items) { return Value(Storage(std::move(items))); }
Value Value::object(std::initializer_list<Member> members) { return object(Object(members)); }
Value Value::object(std::vector<Member> members) {
  ValueBuilder::drop_repeated(members);
  return Value(Storage(std::move(members)));
}

Result<Value> Value::parse(std::string_view json) { return parse(json, {}); }

Result<Value> Value::parse(std::string_view json, std::span<const Bytes> attachments) {
  const auto refused = [](std::string_view why) { return Status(StatusCode::kInvalidArgument, std::string(why)); };
  if (!base::valid_utf8(json)) return refused("JSON is not valid UTF-8");
  const base::JsonError error = base::scan_json(json, {.depth = base::limits::kJsonDepthMax});
  if (error != base::JsonError::kOk) return refused(base::json_error_text(error));
  if (!attachments.empty()) {
    const base::PlaceholderError placeholder_error = base::validate_placeholders(json, attachments.size());
    if (placeholder_error != base::PlaceholderError::kOk)
      return refused(base::placeholder_error_text(placeholder_error));
  }
  return ValueBuilder(attachments).build(json);
}

std::string Value::to_json() const {
  std::string text;
  JsonOut(text).value(*this);
  return text;
}

std::string Value::to_json(std::vector<Bytes>& attachments) const {
  std::string text;
  JsonOut(text, attachments).value(*this);
  return text;
}

bool Value::is_integer() const noexcept {
  const auto text = number_text();
  return text && text->find_first_of(".eE") == std::string_view::npos;
}

std::optional<bool> Value::as_bool() const noexcept {
  const bool* boolean = std::get_if<bool>(&storage_);
  return boolean == nullptr ? std::nullopt : std::optional(*boolean);
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
  const auto text = number_text();
  return text ? exact_integer<std::int64_t>(*text) : std::nullopt;
}

std::optional<std::uint64_t> Value::as_uint64() const noexcept {
  const auto text = number_text();
  return text ? exact_integer<std::uint64_t>(*text) : std::nullopt;
}

std::optional<double> Value::as_double() const noexcept {
  const auto text = number_text();
  return text ? std::optional(base::json_number(*text)) : std::nullopt;
}

std::optional<std::string_view> Value::as_string() const noexcept {
  const Text* text = std::get_if<Text>(&storage_);
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(text->text);
}

std::optional<Bytes> Value::as_bytes() const noexcept {
  const Bytes* bytes = std::get_if<Bytes>(&storage_);
  return bytes == nullptr ? std::nullopt : std::optional(*bytes);
}

std::optional<std::string_view> Value::number_text() const noexcept {
  const Number* number = std::get_if<Number>(&storage_);
  return number == nullptr ? std::nullopt : std::optional<std::string_view>(number->text);
}

std::span<const Value> Value::items() const noexcept {
  const Array* array = std::get_if<Array>(&storage_);
  return array == nullptr ? std::span<const Value>() : std::span<const Value>(*array);
}

std::span<const Value::Member> Value::members() const noexcept {
  const Object* object = std::get_if<Object>(&storage_);
  return object == nullptr ? std::span<const Member>() : std::span<const Member>(*object);
}

std::size_t Value::member_count() const noexcept { return members().size(); }

const Value& Value::operator[](std::string_view key) const& noexcept {
  static const Value null;
  const Value* found = find(key);
  return found == nullptr ? null : *found;
}

const Value& Value::operator[](std::size_t index) const& noexcept {
  static const Value null;
  return index < items().size() ? items()[index] : null;
}

const Value* Value::find(std::string_view key) const noexcept {
  for (const Member& member : members()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Value& Value::push_back(Value item) {
  if (!is_array()) storage_ = Array();
  std::get<Array>(storage_).push_back(std::move(item));
  return *this;
}

Value& Value::set(Text key, Value value) {
  if (!is_object()) storage_ = Object();
  auto& members = std::get<Object>(storage_);
  const auto same = std::ranges::find_if(members, [&key](const Member& member) { return member.key == key; });
  if (same != members.end()) {
    same->value = std::move(value);
  } else {
    members.push_back({std::move(key), std::move(value)});
  }
  return *this;
}

bool Value::equal(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return a.as_bool() == b.as_bool();
    case Kind::kNumber:
      return a.number_text() == b.number_text() ||
             (!(a.is_integer() && b.is_integer()) && a.as_double() == b.as_double());
    case Kind::kString:
      return std::get<Text>(a.storage_) == std::get<Text>(b.storage_);
    case Kind::kBytes:
      return std::get<Bytes>(a.storage_) == std::get<Bytes>(b.storage_);
    case Kind::kArray:
      return std::ranges::equal(a.items(), b.items());
    case Kind::kObject:
      return a.size() == b.size() &&
             std::ranges::equal(by_key(a.members()), by_key(b.members()),
                                [](const auto* x, const auto* y) { return x->key == y->key && x->value == y->value; });
  }
  return false;
}

std::string_view kind_name(Value::Kind kind) noexcept {
  constexpr std::string_view kNames[] = {"null", "a boolean", "a number", "a string", "bytes", "an array", "an object"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace tidewire
